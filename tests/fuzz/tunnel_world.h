/* SPDX-License-Identifier: ISC */
/*
 * All that a run of the harness knows, and the judgement of what the machine
 * says to the wire.
 */
#ifndef TUNNEL_WORLD_H
#define TUNNEL_WORLD_H

#include "tunnel/bypass.h"
#include "tunnel/tunnel.h"
#include "tunnel_reference.h"

struct world {
	const uint8_t *in;	/* what is left of the input */
	size_t left;
	struct tunnel t;
	struct reference ref;
	int64_t now;
	uint64_t told;		/* by the stream */
	uint64_t got;		/* by the stream */
	size_t pipe_in, pipe_out;	/* what bypasses the buffers */
	uint64_t pipe_end;		/* where that ends, of what was told */
	int ended, shut;
	size_t chunk;		/* most that is read from the wire at once */
	size_t queued, fed;
	int wire_ended;

	/* what the wire was told */
	struct head head;
	int in_frame;
	uint64_t at, pos;	/* in the frame, in the stream */
	uint8_t small[125];
	uint64_t acked, permitted;	/* by the machine */
	int pongs, close_said, eof_said;
};

static unsigned int
next(struct world *w)
{
	if (w->left == 0)
		return 0;
	w->left--;
	return *w->in++;
}

static unsigned int
next2(struct world *w)
{
	unsigned int high = next(w);

	return high << 8 | next(w);
}

static uint8_t
pattern(uint64_t at)
{
	return at * 2654435761u >> 9;
}

static uint32_t draw;

static void
fake_random(void *p, size_t n)
{
	uint8_t *b = p;

	while (n-- > 0)
		*b++ = (draw = draw * 1664525 + 1013904223) >> 24;
}

/* What the machine said in a frame that is no data. */
static void
said_small(struct world *w)
{
	char text[128];
	unsigned long long n, credit;
	int len = w->head.length, i;
	unsigned int code;

	memcpy(text, w->small, len);
	text[len] = '\0';
	switch (w->head.opcode) {
	case 1:
		CHECK(w->t.cfg.extension);
		if (sscanf(text, "ack %llu %llu", &n, &credit) == 2) {
			CHECK(w->t.cfg.session);
			CHECK(n <= w->got && n >= w->acked);
			CHECK(n + credit >= w->permitted);
			CHECK(credit <= w->t.cfg.win_max);
			w->acked = n;
			w->permitted = n + credit;
		} else if (sscanf(text, "ack %llu", &n) == 1) {
			CHECK(w->shut && n == w->got && n == w->ref.len);
			w->acked = n;
		} else if (sscanf(text, "eof %llu", &n) == 1) {
			CHECK(w->ended && n == w->told && n == w->pos);
			w->eof_said = 1;
			w->ref.eof_told = 1;
		} else if (strcmp(text, "open 192.0.2.1:7") == 0) {
			CHECK(w->ref.asks);
			w->ref.said_open = 1;
		} else if (strcmp(text, "ok") == 0)
			CHECK(w->ref.serves && w->ref.okayed);
		else if (strcmp(text, "fail sorry") == 0)
			CHECK(w->ref.serves && w->ref.open);
		else
			CHECK(strcmp(text, "rst") == 0);
		break;
	case 8:
		code = len == 0 ? 1005 : w->small[0] * 256 + w->small[1];
		CHECK(len == 0 || len == 2 || code == 1001 ||
		    (code == 1008 && w->t.end == TUNNEL_IDLE));
		CHECK(code >= 1000 && code < 5000 && code != 1006);
		if (w->t.end == TUNNEL_PEER_FAULT && w->ref.bad)
			/* ours may have been under way before */
			CHECK(code == w->ref.code || code == 1000);
		w->close_said = code;
		w->ref.len_at_close = w->ref.len;
		break;
	case 10:
		for (i = w->pongs; i < w->ref.pings; i++)
			if (i + PINGS_MAX >= w->ref.pings &&
			    w->ref.ping_len[i % PINGS_MAX] == len &&
			    memcmp(w->ref.ping[i % PINGS_MAX], w->small,
			    len) == 0)
				break;
		/* Behind a reset it overlooks faults that end the reference. */
		if (i == w->ref.pings && w->ref.bad &&
		    w->t.end != TUNNEL_PEER_FAULT)
			break;
		CHECK(i < w->ref.pings);
		w->pongs = i + 1;
		break;
	}
}

static void
said_head(struct world *w)
{
	const struct head *h = &w->head;

	CHECK(!head_bad(h, 1) && h->fin && h->masked == w->t.cfg.client);
	CHECK(h->opcode != 0 && !w->close_said);
	if (h->opcode == 2) {
		CHECK(!w->ref.serves || w->ref.okayed);
		CHECK(!w->ref.asks ||
		    (w->ref.client ? w->ref.said_open : w->ref.okayed));
		CHECK(h->length > 0 && !w->eof_said);
		CHECK(w->t.cfg.extension || h->length <= 65535);
		CHECK(w->pos + h->length <= w->told);
		CHECK(h->length <= TUNNEL_FRAME_MAX);
		if (w->t.cfg.session)
			CHECK(w->pos + h->length <= w->ref.limit);
	} else
		CHECK(h->length <= 125);
	w->in_frame = 1;
	w->at = 0;
}

static void
said(struct world *w, uint8_t c)
{
	if (!w->in_frame) {
		if (!head_byte(&w->head, c))
			return;
		said_head(w);
	} else {
		if (w->head.masked)
			c ^= w->head.key[w->at % 4];
		if (w->head.opcode == 2) {
			CHECK(c == pattern(w->pos));
			w->ref.sent = ++w->pos;
		} else
			w->small[w->at] = c;
		w->at++;
	}
	if (w->at < w->head.length)
		return;
	if (w->head.opcode != 2)
		said_small(w);
	w->in_frame = w->head.have = 0;
}

#endif
