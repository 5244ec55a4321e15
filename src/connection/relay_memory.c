/* SPDX-License-Identifier: ISC */
#include <sys/mman.h>

#include "connection/relay.h"
#include "os/clock.h"
#include "os/memory.h"
#include "os/random.h"
#include "tls/secure_heap.h"

#define IDLE_MS	1000	/* without data */
#define ALL	(TUNNEL_MASK_BUFFER + RELAY_BUFFER + RELAY_BUFFER + TUNNEL_SLACK)

_Static_assert(ALL <= MEMORY_MAX, "there is room for all buffers");

void
relay_memory(struct tunnel_config *cfg)
{
	cfg->mask_buffer = memory_take(ALL);
	cfg->out = cfg->mask_buffer + TUNNEL_MASK_BUFFER;
	cfg->in = cfg->out + cfg->out_size;
	cfg->random = random_bytes;
}

static int
is_empty(const struct tunnel *t)
{
	return t->out_kept == t->out_head && t->in_end == 0 && t->bypassed == 0;
}

int64_t
relay_memory_idle(const struct relay *r)
{
	return r->touched > 0 && r->out.held == 0 && is_empty(&r->tunnel) ?
	    r->tunnel.data_at + IDLE_MS : CLOCK_NEVER;
}

void
relay_memory_free(struct relay *r)
{
	const struct tunnel_config *cfg = &r->tunnel.cfg;

	r->touched = 0;
	splice_close(&r->out);
	splice_close(&r->kept);
	splice_close(&r->in);
	madvise(cfg->mask_buffer, cfg->in + cfg->in_size - cfg->mask_buffer,
	    MADV_DONTNEED);
	if (r->stream.tls != NULL || r->websocket.tls != NULL)
		secure_heap_trim();
}
