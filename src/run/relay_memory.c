/* SPDX-License-Identifier: ISC */
#include <sys/mman.h>

#include "os/random.h"
#include "run/relay.h"

#define TABLE	((uintptr_t)2 << 20)	/* addresses that one table maps */

/*
 * One piece for all buffers, of which most tunnels touch only the beginnings:
 * all of these lie behind one page table, since every table costs a page.
 * What is never touched costs nothing, unless it comes as a huge page.
 */
static uint8_t arena[TABLE + TUNNEL_BOUNCE + RELAY_BUFFER + RELAY_BUFFER +
    TUNNEL_SLACK];

static uint8_t *
begin(void)
{
	return (uint8_t *)(((uintptr_t)arena + TABLE - 1) & ~(TABLE - 1));
}

void
relay_memory_prepare(void)
{
#ifdef MADV_NOHUGEPAGE
	madvise(begin(), sizeof(arena) - TABLE, MADV_NOHUGEPAGE);
#endif
}

void
relay_memory(struct tunnel_config *cfg)
{
	cfg->bounce = begin();
	cfg->out = cfg->bounce + TUNNEL_BOUNCE;
	cfg->in = cfg->out + cfg->out_size;
	cfg->random = random_bytes;
}

void
relay_memory_free(const struct tunnel *t)
{
	madvise(t->cfg.bounce, t->cfg.in + t->cfg.in_size - t->cfg.bounce,
	    MADV_DONTNEED);
}
