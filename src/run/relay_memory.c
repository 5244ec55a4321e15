/* SPDX-License-Identifier: ISC */
#include <sys/mman.h>

#include "os/random.h"
#include "run/relay.h"

/*
 * One piece for all buffers, which lie close together in it, since each 2 MiB
 * of addresses that are touched cost a page for their table.  Pages that are
 * never touched cost nothing.
 */
static uint8_t arena[TUNNEL_BOUNCE + RELAY_BUFFER + RELAY_BUFFER +
    TUNNEL_SLACK] __attribute__((aligned(4096)));

void
relay_memory(struct tunnel_config *cfg)
{
	cfg->bounce = arena;
	cfg->out = cfg->bounce + TUNNEL_BOUNCE;
	cfg->in = cfg->out + cfg->out_size;
	cfg->random = random_bytes;
}

void
relay_memory_free(const struct tunnel *t)
{
	madvise(arena, t->cfg.in + t->cfg.in_size - arena, MADV_DONTNEED);
}
