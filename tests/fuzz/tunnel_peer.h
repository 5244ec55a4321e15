/* SPDX-License-Identifier: ISC */
/*
 * What the peer may say: anything, frames, lines, Close.
 */
#ifndef TUNNEL_PEER_H
#define TUNNEL_PEER_H

#include "tunnel_world.h"

#define QUEUE_MAX	(2 << 20)

static uint8_t queue[QUEUE_MAX];

/* The peer says this, and the wire will bring it. */
static void
bring(struct world *w, const uint8_t *p, size_t n)
{
	if (w->wire_ended || w->t.link == LINK_GONE ||
	    w->queued + n > QUEUE_MAX - 65536 * 4 ||
	    w->ref.len + w->queued + n > PAYLOAD_MAX)
		return;
	memcpy(queue + w->queued, p, n);
	w->queued += n;
}

static void
bring_frame(struct world *w, int first, const uint8_t *p, size_t len)
{
	static uint8_t frame[4 * 65536 + 14];
	static const uint8_t key[4] = { 0x35, 0xca, 0x00, 0x81 };
	size_t n = 0, i;
	int bytes = len > 65535 ? 8 : len > 125 ? 2 : 0;
	int masked = !w->t.cfg.client;

	frame[n++] = first;
	frame[n++] = (masked ? 128 : 0) |
	    (bytes == 8 ? 127 : bytes == 2 ? 126 : len);
	while (bytes-- > 0)
		frame[n++] = (uint64_t)len >> (8 * bytes);
	for (i = 0; masked && i < 4; i++)
		frame[n++] = key[i];
	for (i = 0; i < len; i++)
		frame[n++] = p[i] ^ (masked ? key[i % 4] : 0);
	bring(w, frame, n);
}

static void
bring_raw(struct world *w)
{
	uint8_t p[256];
	size_t n = next(w), i;

	for (i = 0; i < n && w->left > 0; i++)
		p[i] = next(w);
	bring(w, p, i);
}

static void
bring_small(struct world *w)
{
	uint8_t p[256];
	int first = next(w);
	size_t n = next(w), i;

	for (i = 0; i < n && w->left > 0; i++)
		p[i] = next(w);
	bring_frame(w, first, p, i);
}

static void
bring_big(struct world *w)
{
	static const uint8_t first[] = { 0x82, 0x02, 0x00, 0x80 };
	static uint8_t p[4 * 65536];
	int how = next(w);
	size_t n = next2(w) * (how / 64 + 1), i;

	for (i = 0; i < n; i++)
		p[i] = (i * 7 >> 3) + w->queued;
	bring_frame(w, first[how % 4], p, n);
}

static void
bring_line(struct world *w)
{
	char line[64];
	int how = next(w), n = 0;
	uint64_t open = w->pos - w->ref.acked, at;

	switch (how % 4) {
	case 0:
		if (w->eof_said) {
			n = snprintf(line, sizeof(line), "ack %llu",
			    (unsigned long long)w->told + (how > 250));
			break;
		}
		/* FALLTHROUGH */
	case 1:		/* mostly in range */
		at = w->ref.acked + (how > 250 ? open + 1 :
		    next2(w) % (open + 1));
		n = snprintf(line, sizeof(line), "ack %llu %llu",
		    (unsigned long long)at, (unsigned long long)
		    (w->ref.limit > at ? w->ref.limit - at : 0) + how % 64 *
		    100);
		break;
	case 2:
		n = snprintf(line, sizeof(line), "eof %llu",
		    (unsigned long long)w->ref.len + (how > 250));
		break;
	case 3:
		n = snprintf(line, sizeof(line), "%s", how < 60 ? "rst" :
		    how < 140 ? "ok" : how < 160 ? "fail sorry" :
		    how < 240 ? "open 192.0.2.1:7" : "open -");
		break;
	}
	bring_frame(w, 0x81, (uint8_t *)line, n);
}

static void
bring_close(struct world *w)
{
	static const int codes[] = { 1000, 1001, 1012, 1011, 1002, 1005,
	    3000, 0 };
	int how = next(w), code = codes[how % 8];
	uint8_t p[2];

	if (code == 0)
		code = next2(w);
	p[0] = code >> 8;
	p[1] = code;
	bring_frame(w, 0x88, p, how / 16 == 0 ? 0 : how / 16 == 1 ? 1 : 2);
}

#endif
