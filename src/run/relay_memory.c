/* SPDX-License-Identifier: ISC */
#include <sys/mman.h>

#include <stdint.h>
#include <stdlib.h>

#include "run/relay.h"

/* Pages that are never touched cost nothing. */
static uint8_t out_buffer[RELAY_BUFFER] __attribute__((aligned(4096)));
static uint8_t in_buffer[RELAY_BUFFER + TUNNEL_SLACK]
    __attribute__((aligned(4096)));
static uint8_t bounce_buffer[TUNNEL_BOUNCE] __attribute__((aligned(4096)));

void
relay_memory(struct tunnel_config *cfg)
{
	cfg->out = out_buffer;
	cfg->in = in_buffer;
	cfg->bounce = bounce_buffer;
	cfg->random = arc4random_buf;
}

void
relay_memory_free(const struct tunnel *t)
{
	if (t->out_kept == t->out_head)
		madvise(out_buffer, t->cfg.out_size, MADV_DONTNEED);
	if (t->in_end == 0)
		madvise(in_buffer, t->cfg.in_size, MADV_DONTNEED);
	madvise(bounce_buffer, sizeof(bounce_buffer), MADV_DONTNEED);
}
