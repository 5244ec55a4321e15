/* SPDX-License-Identifier: ISC */
#include <sys/mman.h>

#include "os/clock.h"
#include "os/random.h"
#include "os/tls_memory.h"
#include "run/relay.h"

#define TABLE	((uintptr_t)2 << 20)	/* addresses that one table maps */
#define IDLE_MS	1000	/* without data */

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

static int
is_empty(const struct tunnel *t)
{
	return t->out_kept == t->out_head && t->in_end == 0 && t->beside == 0;
}

int64_t
relay_memory_idle(const struct relay *r)
{
	return r->touched > 0 && is_empty(&r->tunnel) ?
	    r->tunnel.data_at + IDLE_MS : CLOCK_NEVER;
}

void
relay_memory_free(struct relay *r)
{
	const struct tunnel_config *cfg = &r->tunnel.cfg;

	r->touched = 0;
	splice_close(&r->out);
	splice_close(&r->in);
	madvise(cfg->bounce, cfg->in + cfg->in_size - cfg->bounce,
	    MADV_DONTNEED);
	if (r->stream.tls != NULL || r->wire.tls != NULL)
		tls_memory_trim();
}
