/* SPDX-License-Identifier: ISC */
/*
 * A tunnel on a test bench: the other ends are played by the test, which says
 * what the wire and the stream bring and looks at what they were given.
 * Whatever the machine wants is done by rig_pump(), unless that end is stuck.
 * One rig at a time.
 */
#ifndef TUNNEL_RIG_H
#define TUNNEL_RIG_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef TUNNEL_CHECK
#define TUNNEL_CHECK	/* a change of state that is not allowed aborts */
#include "tunnel/bypass.h"
#include "tunnel/closing.h"
#include "tunnel/states.c"
#include "tap.h"

#define RIG_ROOM	(1 << 20)	/* more is not looked at */
#define RIG_START	1000		/* ms */

struct rig {
	struct tunnel t;
	int64_t now;
	uint8_t *got, *sent;		/* by the stream, by the wire */
	size_t ngot, nsent, seen;
	unsigned int nwrites;		/* to the wire */
	int wire_stuck, stream_stuck;	/* take nothing */
	size_t morsel;			/* most that is written at once, or 0 */
	int shut, closed, reset, finished, wire_closed, lost, done;
	int endless;			/* it always wanted more */
};

/* A frame that was written to the wire, unmasked. */
struct sent_frame {
	int fin, opcode, masked;
	uint8_t key[4];
	const uint8_t *payload;
	size_t len;
};

static uint32_t rig_draws;
static uint8_t rig_got_room[RIG_ROOM], rig_sent_room[RIG_ROOM];

/* Never the same four bytes twice. */
__attribute__((unused))
static void
rig_random(void *p, size_t n)
{
	uint8_t *b = p;
	size_t i;

	for (i = 0; i < n; i++, b++) {
		if (i % 4 == 0)
			rig_draws += 0x01000193;
		*b = rig_draws >> (8 * (i % 4));
	}
}

__attribute__((unused))
static struct tunnel_config
rig_config(int client, int extension, uint32_t session_win)
{
	struct tunnel_config cfg = {
		.client = client, .extension = extension,
		.session = session_win > 0, .win = session_win,
		.win_max = session_win,
		.peer_win = session_win, .hold = 1, .discard = 1,
		.linger = 10000,
		.out_size = session_win > 0 ? session_win : 65536,
		.in_size = session_win + TUNNEL_SLACK, .random = rig_random,
	};

	return cfg;
}

/* Buffers of exactly the size that the machine is told. */
__attribute__((unused))
static void
rig_begin(struct rig *r, struct tunnel_config cfg)
{
	memset(r, 0, sizeof(*r));
	r->now = RIG_START;
	r->got = rig_got_room;
	r->sent = rig_sent_room;
	cfg.out = malloc(cfg.out_size);
	cfg.in = malloc(cfg.in_size);
	cfg.mask_buffer = cfg.client && cfg.session ?
	    malloc(TUNNEL_MASK_BUFFER) : NULL;
	tunnel_begin(&r->t, &cfg, r->now);
}

__attribute__((unused))
static void
rig_end(struct rig *r)
{
	free(r->t.cfg.out);
	free(r->t.cfg.in);
	free(r->t.cfg.mask_buffer);
}

static size_t
rig_collect(struct rig *r, uint8_t *dst, size_t *have, const struct iovec *iov,
    int k)
{
	size_t n = 0, part;
	int i;

	for (i = 0; i < k; i++) {
		part = iov[i].iov_len;
		if (r->morsel > 0 && n + part > r->morsel)
			part = r->morsel - n;
		if (*have + part > RIG_ROOM)
			*have = 0;	/* more than is looked at */
		memcpy(dst + *have, iov[i].iov_base, part);
		*have += part;
		n += part;
	}
	return n;
}

static int
rig_write(struct rig *r, unsigned int w)
{
	struct iovec iov[TUNNEL_RUNS];
	int k;

	if ((w & TUNNEL_WRITE_STREAM) && !r->stream_stuck) {
		k = tunnel_stream_data(&r->t, iov);
		tunnel_stream_wrote(&r->t, rig_collect(r, r->got, &r->ngot,
		    iov, k));
		return 1;
	}
	if ((w & TUNNEL_WRITE_WIRE) && !r->wire_stuck) {
		k = tunnel_wire_data(&r->t, iov);
		r->nwrites++;
		tunnel_wire_wrote(&r->t, rig_collect(r, r->sent, &r->nsent,
		    iov, k));
		return 1;
	}
	return 0;
}

static int
rig_act(struct rig *r, unsigned int w)
{
	struct tunnel *t = &r->t;

	if (w & TUNNEL_SHUT_STREAM) {
		r->shut = 1;
		tunnel_stream_shut(t);
	} else if (w & TUNNEL_RESET_STREAM) {
		r->reset = 1;
		tunnel_stream_closed(t);
	} else if (w & TUNNEL_CLOSE_STREAM) {
		r->closed = 1;
		tunnel_stream_closed(t);
	} else if (w & TUNNEL_CLOSE_WIRE) {
		r->wire_closed = 1;
		tunnel_wire_closed(t);
	} else if ((w & TUNNEL_FINISH_WIRE) && !r->wire_stuck) {
		r->finished = 1;
		tunnel_wire_finished(t);
	} else
		return rig_write(r, w);
	return 1;
}

__attribute__((unused))
static void
rig_pump(struct rig *r)
{
	int i = 0;

	while (rig_act(r, tunnel_wants(&r->t)))
		if (++i > 1000000) {
			r->endless = 1;
			return;
		}
	r->lost = (tunnel_wants(&r->t) & TUNNEL_LOST) != 0;
	r->done = (tunnel_wants(&r->t) & TUNNEL_DONE) != 0;
}

__attribute__((unused))
static int
rig_wants(const struct rig *r, unsigned int what)
{
	return (tunnel_wants(&r->t) & what) != 0;
}

/* Bytes from the wire, as many as are wanted; nothing else is done. */
__attribute__((unused))
static size_t
rig_feed(struct rig *r, const void *p, size_t n)
{
	struct iovec iov;
	size_t part, fed = 0;

	while (fed < n && rig_wants(r, TUNNEL_READ_WIRE)) {
		tunnel_wire_space(&r->t, &iov);
		part = n - fed < iov.iov_len ? n - fed : iov.iov_len;
		if (part == 0)
			break;
		memcpy(iov.iov_base, (const uint8_t *)p + fed, part);
		tunnel_wire_read(&r->t, part);
		fed += part;
	}
	return fed;
}

/* Writes a frame as the peer would, without frame.c. */
__attribute__((unused))
static size_t
rig_make(uint8_t *dst, int masked, int first, const void *payload, size_t len)
{
	static const uint8_t key[4] = { 0xa5, 0x01, 0x7f, 0xfe };
	uint64_t keys, word;
	size_t n = 0, i;

	dst[n++] = first;
	if (len < 126)
		dst[n++] = len;
	else if (len < 65536) {
		dst[n++] = 126;
		dst[n++] = len >> 8;
		dst[n++] = len;
	} else {
		dst[n++] = 127;
		for (i = 8; i-- > 0;)
			dst[n++] = (uint64_t)len >> (8 * i);
	}
	if (masked) {
		dst[1] |= 0x80;
		memcpy(dst + n, key, 4);
		n += 4;
	}
	if (len > 0)
		memcpy(dst + n, payload, len);
	if (!masked)
		return n + len;
	/* Eight bytes at once: some tests feed gigabytes. */
	memcpy(&keys, key, 4);
	memcpy((uint8_t *)&keys + 4, key, 4);
	for (i = 0; i + sizeof(word) <= len; i += sizeof(word)) {
		memcpy(&word, dst + n + i, sizeof(word));
		word ^= keys;
		memcpy(dst + n + i, &word, sizeof(word));
	}
	for (; i < len; i++)
		dst[n + i] ^= key[i % 4];
	return n + len;
}

/* A frame from the peer, and whatever follows from it. */
__attribute__((unused))
static void
rig_frame(struct rig *r, int first, const void *payload, size_t len)
{
	uint8_t *frame = malloc(len + 14);

	rig_feed(r, frame, rig_make(frame, !r->t.cfg.client, first, payload,
	    len));
	free(frame);
	rig_pump(r);
}

__attribute__((unused))
static void
rig_line(struct rig *r, const char *line)
{
	rig_frame(r, 0x81, line, strlen(line));
}

__attribute__((unused))
static void
rig_close(struct rig *r, unsigned int code)
{
	uint8_t body[2] = { code >> 8, code };

	rig_frame(r, 0x88, body, 2);
}

/* Bytes from the stream, as many as are wanted. */
__attribute__((unused))
static size_t
rig_stream(struct rig *r, const void *p, size_t n)
{
	struct iovec iov[2];
	size_t part, fed = 0;
	int i, k;

	while (fed < n && rig_wants(r, TUNNEL_READ_STREAM)) {
		k = tunnel_stream_space(&r->t, iov);
		part = 0;
		for (i = 0; i < k && fed + part < n; i++) {
			if (iov[i].iov_len > n - fed - part)
				iov[i].iov_len = n - fed - part;
			memcpy(iov[i].iov_base, (const uint8_t *)p + fed +
			    part, iov[i].iov_len);
			part += iov[i].iov_len;
		}
		if (part == 0)
			break;
		tunnel_stream_read(&r->t, part);
		fed += part;
		rig_pump(r);
	}
	return fed;
}

__attribute__((unused))
static void
rig_stream_eof(struct rig *r)
{
	tunnel_stream_eof(&r->t);
	rig_pump(r);
}

__attribute__((unused))
static void
rig_wire_eof(struct rig *r)
{
	tunnel_wire_eof(&r->t);
	rig_pump(r);
}

/* The clock stands so many ms since the beginning. */
__attribute__((unused))
static void
rig_at(struct rig *r, int64_t ms)
{
	r->now = RIG_START + ms;
	tunnel_now(&r->t, r->now);
	tunnel_tick(&r->t);
	rig_pump(r);
}

/* The next deadline, in the same count; -1: never. */
__attribute__((unused))
static int64_t
rig_deadline(const struct rig *r)
{
	int64_t d = tunnel_deadline(&r->t);

	return d == TUNNEL_NEVER ? -1 : d - RIG_START;
}

/*
 * The next whole frame that was sent: 1, or 0 if there is none.  Taken apart
 * without frame.c; -1 if it is malformed.
 */
__attribute__((unused))
static int
rig_next(struct rig *r, struct sent_frame *h)
{
	uint8_t *p = r->sent + r->seen;
	size_t have = r->nsent - r->seen, at = 2, i, bytes;
	uint64_t len;

	if (have < 2)
		return 0;
	h->fin = p[0] >> 7;
	h->opcode = p[0] & 15;
	h->masked = p[1] >> 7;
	len = p[1] & 127;
	if (p[0] & 0x70)
		return -1;
	bytes = len == 126 ? 2 : len == 127 ? 8 : 0;
	if (have < 2 + bytes + 4 * h->masked)
		return 0;
	if (bytes > 0) {
		for (len = 0, i = 0; i < bytes; i++)
			len = len << 8 | p[at++];
		if (len < (bytes == 2 ? 126 : 65536))
			return -1;
	}
	if (h->masked) {
		memcpy(h->key, p + at, 4);
		at += 4;
	}
	if (have - at < len)
		return 0;
	for (i = 0; h->masked && i < len; i++)
		p[at + i] ^= h->key[i % 4];
	h->payload = p + at;
	h->len = len;
	r->seen += at + len;
	return 1;
}

/* The next frame is this one (text: without a terminating NUL). */
__attribute__((unused))
static int
rig_sent(struct rig *r, int opcode, const char *text)
{
	struct sent_frame h;

	return rig_next(r, &h) == 1 && h.fin && h.opcode == opcode &&
	    h.masked == r->t.cfg.client &&
	    (text == NULL || (h.len == strlen(text) &&
	    memcmp(h.payload, text, h.len) == 0));
}

/* The code of a Close, 1005: it has none; 0: one that no frame may have. */
static unsigned int
rig_close_code(const struct sent_frame *h)
{
	unsigned int code;

	if (h->len == 0)
		return 1005;
	code = h->len == 1 ? 0 : h->payload[0] << 8 | h->payload[1];
	return code == 1005 || code == 1006 || code == 1015 ? 0 : code;
}

/* The next frame is Close with this code; 1005: without one. */
__attribute__((unused))
static int
rig_sent_close(struct rig *r, unsigned int code)
{
	struct sent_frame h;

	return rig_next(r, &h) == 1 && h.opcode == 8 &&
	    h.masked == r->t.cfg.client && rig_close_code(&h) == code;
}

__attribute__((unused))
static int
rig_silent(struct rig *r)
{
	return r->seen == r->nsent;
}

__attribute__((unused))
static int
rig_got(const struct rig *r, const char *text)
{
	return r->ngot == strlen(text) && memcmp(r->got, text, r->ngot) == 0;
}

#endif
