/* SPDX-License-Identifier: ISC */
/*
 * Two tunnels and what joins them: their streams, whose bytes are known by
 * position, and a wire between them that takes and gives some of what there
 * is.  Each function does one thing that a tunnel wants, at random lengths.
 */
#ifndef TUNNEL_WORLD_H
#define TUNNEL_WORLD_H

#include <stdint.h>
#include <string.h>

#undef TUNNEL_CHECK
#define TUNNEL_CHECK	/* a change of state that is not allowed aborts */
#include "tunnel/bypass.h"
#include "tunnel/states.c"
#include "tap.h"

#define WIRE_MAX	8192	/* bytes on the way */

enum kind { PLAIN, NO_SESSION, SESSION };
enum way { JOINED, PARK, SERVE };	/* whose stream comes later */

struct pipe {
	uint8_t data[WIRE_MAX];
	size_t len;
	int closed;		/* no more will come */
	int broken;		/* writing fails */
};

struct end {
	struct tunnel t;
	uint64_t total, told;	/* what the stream sends: all, so far */
	uint64_t got;		/* what it was told */
	uint64_t pipe_end;	/* of what it sent outside the ring */
	unsigned int bypasses;
	int eof, reset, closed;	/* what it was shown */
	int returned;		/* may go elsewhere */
	int resets;		/* it will reset at this position, or 0 */
	int refuses;		/* it takes no more behind so many bytes + 1,
				 * or 0 */
	int refused;
	struct pipe *to, *from;	/* NULL: no wire */
	int lazy;		/* reads one time in so many */
};

struct world {
	struct end end[2];	/* client, server */
	struct pipe way[2];
	enum kind kind;
	enum way late;
	int fails;		/* the serving side's stream cannot be had */
	int64_t now;
	int cuts, stops, stopped;
	unsigned int redials, goodbyes;
	int lost;		/* a wire, before the session began, or
				 * without one */
	const char *wrong;
	uint64_t where;
};

static uint64_t state;

static uint64_t
rnd(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return below == 0 ? 0 : (state >> 11) % below;
}

static void
fake_random(void *p, size_t n)
{
	uint8_t *b = p;

	while (n-- > 0)
		*b++ = rnd(256);
}

static uint8_t
pattern(int who, uint64_t at)
{
	return (at * 2654435761u >> 13) + at + who * 77;
}

static void
wrong(struct world *w, const char *what, uint64_t where)
{
	if (w->wrong == NULL) {
		w->wrong = what;
		w->where = where;
	}
}

static void
begin_end(struct world *w, int who, uint32_t win, uint32_t peer_win)
{
	static uint8_t out[2][16384], in[2][16384 + TUNNEL_SLACK],
	    mask_buffer[2][TUNNEL_MASK_BUFFER];
	struct end *e = &w->end[who];
	struct tunnel_config cfg;

	memset(&cfg, 0, sizeof(cfg));
	cfg.client = who == 0;
	cfg.extension = w->kind != PLAIN;
	cfg.session = w->kind == SESSION;
	if (w->late != JOINED)
		cfg.role = (who == 0) == (w->late == PARK) ? TUNNEL_ASKS :
		    TUNNEL_SERVES;
	cfg.win = win;
	cfg.win_max = win + rnd(3) * rnd(16384 - win + 1) / 2;
	cfg.peer_win = peer_win;
	cfg.hold = 1;
	cfg.discard = 1;
	cfg.linger = 5000;
	cfg.ping_interval = rnd(3) == 0 ? 0 : 50 + rnd(500);
	cfg.ping_timeout = cfg.session ? 4 * cfg.ping_interval : 0;
	cfg.out = out[who];
	cfg.in = in[who];
	cfg.mask_buffer = mask_buffer[who];
	cfg.out_size = 200 + rnd(16000);
	cfg.in_size = cfg.win_max + TUNNEL_SLACK;
	cfg.random = fake_random;
	tunnel_begin(&e->t, &cfg, w->now);
	if (rnd(2) == 0)
		e->t.out_cap = 100 + rnd(100);	/* it grows */
	e->total = rnd(4) == 0 ? rnd(10) : rnd(20000);
	e->lazy = rnd(4) == 0 ? 1 + rnd(20) : 1;
}

static void
new_wire(struct world *w)
{
	int i;

	for (i = 0; i < 2; i++) {
		w->way[i].len = 0;
		w->way[i].closed = w->way[i].broken = 0;
	}
	w->end[0].to = w->end[1].from = &w->way[0];
	w->end[1].to = w->end[0].from = &w->way[1];
}

static void
read_stream(struct world *w, int who)
{
	struct end *e = &w->end[who];
	struct iovec iov[2];
	size_t n, i, done = 0;
	int k, j;

	if (e->resets > 0 && e->told >= (uint64_t)e->resets) {
		tunnel_stream_failed(&e->t);
		return;
	}
	if (e->told == e->total) {
		tunnel_stream_eof(&e->t);
		return;
	}
	n = 1 + rnd(e->total - e->told);
	if (tunnel_bypass_out(&e->t) > 0 && rnd(2) == 0) {
		if (n > tunnel_bypass_out(&e->t))
			n = tunnel_bypass_out(&e->t);
		e->told += n;
		e->pipe_end = e->told;
		e->bypasses++;
		tunnel_stream_bypass(&e->t, n);
		return;
	}
	k = tunnel_stream_space(&e->t, iov);
	for (j = 0; j < k; j++)
		for (i = 0; i < iov[j].iov_len && done < n; i++, done++)
			((uint8_t *)iov[j].iov_base)[i] =
			    pattern(who, e->told + done);
	if (done == 0)
		wrong(w, "no room to read into", e->told);
	e->told += done;
	tunnel_stream_read(&e->t, done);
}

static void
write_stream(struct world *w, int who)
{
	struct end *e = &w->end[who];
	struct iovec iov[TUNNEL_RUNS];
	size_t n = 1 + rnd(3000), i, done = 0;
	int k, j;

	if (e->refuses > 0 && e->got + 1 >= (uint64_t)e->refuses) {
		e->refused = 1;
		if (rnd(2) == 0)
			tunnel_stream_refused(&e->t);
		else
			tunnel_stream_write_closed(&e->t);
		return;
	}
	k = tunnel_stream_data(&e->t, iov);
	for (j = 0; j < k; j++)
		for (i = 0; i < iov[j].iov_len && done < n; i++, done++)
			if (((uint8_t *)iov[j].iov_base)[i] !=
			    pattern(!who, e->got + done))
				wrong(w, "a byte differs", e->got + done);
	e->got += done;
	if (e->got > w->end[!who].told)
		wrong(w, "more bytes than were sent", e->got);
	tunnel_stream_wrote(&e->t, done);
}

static void
read_wire(struct world *w, int who)
{
	struct end *e = &w->end[who];
	struct pipe *p = e->from;
	struct iovec iov;
	size_t n;

	if (p->len == 0) {
		if (p->closed)
			tunnel_wire_eof(&e->t);
		return;
	}
	tunnel_wire_space(&e->t, &iov);
	n = 1 + rnd(p->len);
	if (n > iov.iov_len)
		n = iov.iov_len;
	if (n == 0)
		wrong(w, "no room for the wire", 0);
	memcpy(iov.iov_base, p->data, n);
	p->len -= n;
	memmove(p->data, p->data + n, p->len);
	tunnel_wire_read(&e->t, n);
}

/* What bypasses is known by its position, too. */
static size_t
write_bypass(struct world *w, int who, size_t n)
{
	struct end *e = &w->end[who];
	uint64_t at = e->pipe_end - tunnel_bypass_unsent(&e->t);
	size_t i;

	if (n > e->t.payload_left)
		n = e->t.payload_left;
	for (i = 0; i < n; i++)
		e->to->data[e->to->len + i] = pattern(who, at + i);
	return n;
}

/* What was kept of it goes into the ring, before a new wire. */
__attribute__((unused))
static void
restore(struct world *w, int who)
{
	struct end *e = &w->end[who];
	struct iovec iov[2];
	uint64_t at = e->pipe_end - tunnel_bypass_kept(&e->t);
	size_t i;
	int j, k = tunnel_bypass_places(&e->t, iov);

	for (j = 0; j < k; j++)
		for (i = 0; i < iov[j].iov_len; i++)
			((uint8_t *)iov[j].iov_base)[i] = pattern(who, at++);
	if (at != e->pipe_end)
		wrong(w, "no place for what is kept", at);
	tunnel_bypass_restored(&e->t);
}

static void
write_wire(struct world *w, int who)
{
	struct end *e = &w->end[who];
	struct pipe *p = e->to;
	struct iovec iov[3];
	size_t n, i, done = 0;
	int k, j;

	k = tunnel_wire_data(&e->t, iov);
	if (k == 0 && !(e->t.payload_bypass && e->t.payload_left > 0))
		wrong(w, "wants to write nothing", 0);
	if (p->broken) {
		tunnel_wire_failed(&e->t);
		return;
	}
	n = rnd(WIRE_MAX - p->len + 1);
	if (k == 0)
		done = write_bypass(w, who, n);
	for (j = 0; j < k; j++)
		for (i = 0; i < iov[j].iov_len && done < n; i++, done++)
			p->data[p->len + done] =
			    ((uint8_t *)iov[j].iov_base)[i];
	p->len += done;
	tunnel_wire_wrote(&e->t, done);
}

#endif
