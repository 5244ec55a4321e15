/* SPDX-License-Identifier: ISC */
#include <sys/mman.h>

#include "os/clock.h"
#include "os/random.h"
#include "run/relay.h"

#define IDLE_MS		1000	/* without data */
#define IDLE_BYTES	65536	/* that were touched */

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

static int
is_empty(const struct tunnel *t)
{
	return t->out_kept == t->out_head && t->in_end == 0 && t->beside == 0;
}

int64_t
relay_memory_idle(const struct relay *r)
{
	return r->touched > IDLE_BYTES && is_empty(&r->tunnel) ?
	    r->tunnel.data_at + IDLE_MS : CLOCK_NEVER;
}

void
relay_memory_free(struct relay *r)
{
	const struct tunnel_config *cfg = &r->tunnel.cfg;

	r->touched = 0;
	splice_close(&r->out);
	splice_close(&r->in);
	madvise(arena, cfg->in + cfg->in_size - arena, MADV_DONTNEED);
}
