/* SPDX-License-Identifier: ISC */
/*
 * Two tunnels joined by a simulated wire that chunks, stalls, is cut at any
 * byte and dialled again, at random.  Whatever happens, bytes arrive in order
 * and once, an end is shown only behind the last of them, a stream is closed
 * without a reset only if all that it sent was delivered and its end shown
 * there, all that a stream sent arrives though it takes no more itself, nothing
 * deadlocks, and without resets all ends well.  A seed that fails is printed;
 * SEED=N pair.t plays that one alone, SEEDS=N plays so many.
 *
 * If it fails: bytes are lost or come twice when a websocket is cut.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tunnel/world.h"

#define STEPS_MAX	400000

static void
shut(struct world *w, int who)
{
	struct end *e = &w->end[who], *o = &w->end[!who];

	e->eof = 1;
	if (w->kind != PLAIN && (o->told != o->total || e->got != o->total ||
	    o->resets > 0))
		wrong(w, "an end before the last byte", e->got);
	tunnel_stream_shut(&e->t);
}

/* A proxy on the way sends Close between two frames, and is answered. */
static int
goodbye(struct world *w, int to)
{
	struct tunnel *t = &w->end[to].t;
	struct pipe *p = &w->way[!to];
	static const uint8_t close[2][8] = {
		{ 0x88, 2, 3, 0xe9 }, { 0x88, 0x82, 0, 0, 0, 0, 3, 0xf4 }
	};

	if (w->kind != SESSION || p->len > 0 || t->in_frame ||
	    t->message != 0 || t->in_pos != t->in_end || t->link != LINK_UP)
		return 0;
	p->len = to == 0 ? 4 : 8;
	memcpy(p->data, close[to], p->len);
	w->lost |= !tunnel_begun(&w->end[0].t) ||
	    !tunnel_begun(&w->end[1].t);
	w->goodbyes++;
	w->cuts--;
	return 1;
}

/* The wire is cut: some of what was on the way still arrives. */
static void
cut(struct world *w)
{
	int i;

	if (rnd(2) == 0 && goodbye(w, rnd(2)))
		return;
	for (i = 0; i < 2; i++) {
		w->way[i].len = rnd(w->way[i].len + 1);
		w->way[i].closed = 1;
		w->way[i].broken = 1;
	}
	w->lost |= w->kind == NO_SESSION || !tunnel_begun(&w->end[0].t) ||
	    !tunnel_begun(&w->end[1].t);
	w->cuts--;
}

/* One side is told to end. */
static void
stop(struct world *w, int who)
{
	w->stops = 0;
	w->stopped = 1;
	tunnel_stop(&w->end[who].t, 1001, TUNNEL_STOPPED, "stopped");
}

/* What belongs to a stream that comes later. */
static void
come(struct world *w, int who, unsigned int wants)
{
	struct end *e = &w->end[who];

	if (e->t.cfg.role == TUNNEL_ASKS && tunnel_waits(&e->t) &&
	    rnd(5) == 0)
		tunnel_open(&e->t, "192.0.2.1:4711");
	if ((wants & TUNNEL_GET_STREAM) && rnd(5) == 0) {
		if (strcmp(e->t.addr, "192.0.2.1:4711") != 0)
			wrong(w, "another address", 0);
		if (w->fails)
			tunnel_fail(&e->t, "connection refused");
		else
			tunnel_ok(&e->t);
	}
	if (wants & TUNNEL_RETURN_STREAM) {
		if (e->told > 0 || e->got > 0)
			wrong(w, "returned though used", e->told);
		e->returned = 1;
		tunnel_stream_closed(&e->t);
	}
}

static void
leave_wire(struct world *w, int who)
{
	struct end *e = &w->end[who];

	if (e->to != NULL) {
		e->to->closed = 1;
		e->from->broken = 1;
		e->to = e->from = NULL;
	}
	tunnel_wire_closed(&e->t);
}

/* The client dials again; the server may not know yet that it should. */
static void
redial(struct world *w)
{
	struct tunnel *c = &w->end[0].t, *s = &w->end[1].t;
	uint64_t at = tunnel_taken(s);

	/* 410: what was to be sent has been, or was a reset. */
	if (s->session != SESSION_KEPT || !tunnel_begun(s)) {
		w->lost |= !tunnel_begun(s);
		tunnel_expire(c);
		return;
	}
	restore(w, 1);
	if (tunnel_resume(s, tunnel_taken(c)) == -1)
		wrong(w, "the server has no such position", tunnel_taken(c));
	else if (tunnel_resume(c, at) == -1)
		wrong(w, "the client has no such position", at);
	new_wire(w);
	w->redials++;
}

/* The stream ends well here: was all delivered there? */
static void
confirmed(struct world *w, int who)
{
	const struct end *e = &w->end[who], *o = &w->end[!who];

	if (w->kind != PLAIN && (!e->eof || !o->eof || o->got != e->told))
		wrong(w, "ended before all was delivered there", o->got);
}

static void
step(struct world *w, int who)
{
	struct end *e = &w->end[who];
	unsigned int wants = tunnel_wants(&e->t);

	switch (rnd(9)) {
	case 0:
		if (wants & TUNNEL_READ_STREAM)
			read_stream(w, who);
		break;
	case 1:
		if ((wants & TUNNEL_WRITE_STREAM) && rnd(e->lazy) == 0)
			write_stream(w, who);
		break;
	case 2:
		if ((wants & TUNNEL_READ_WIRE) && e->from != NULL)
			read_wire(w, who);
		break;
	case 3:
		if ((wants & TUNNEL_WRITE_WIRE) && e->to != NULL)
			write_wire(w, who);
		break;
	case 4:
		if (wants & TUNNEL_SHUT_STREAM)
			shut(w, who);
		break;
	case 5:
		if (wants & TUNNEL_RESET_STREAM) {
			e->reset = 1;
			tunnel_stream_closed(&e->t);
		} else if (wants & TUNNEL_CLOSE_STREAM) {
			e->closed = 1;
			confirmed(w, who);
			tunnel_stream_closed(&e->t);
		}
		break;
	case 6:
		if (wants & TUNNEL_CLOSE_WIRE)
			leave_wire(w, who);
		else if ((wants & TUNNEL_FINISH_WIRE) && e->to != NULL) {
			e->to->closed = 1;
			tunnel_wire_finished(&e->t);
		}
		break;
	case 7:
		if (who == 0 && (wants & TUNNEL_LOST) && rnd(5) == 0)
			redial(w);
		else if (who == 1 && (wants & TUNNEL_LOST) &&
		    (tunnel_wants(&w->end[0].t) & TUNNEL_DONE))
			tunnel_expire(&e->t);
		break;
	case 8:
		come(w, who, wants);
		break;
	}
}

static int
done(const struct world *w)
{
	return (tunnel_wants(&w->end[0].t) & tunnel_wants(&w->end[1].t) &
	    TUNNEL_DONE) != 0;
}

static void
pass_time(struct world *w)
{
	int i;

	w->now += rnd(20);
	for (i = 0; i < 2; i++) {
		tunnel_now(&w->end[i].t, w->now);
		tunnel_tick(&w->end[i].t);
	}
}

/* One stream has not taken all: what it sent is whole, and both are reset. */
static void
refusal(struct world *w)
{
	const struct end *r = &w->end[!w->end[0].refused];
	const struct end *o = &w->end[w->end[0].refused];

	if (w->kind == PLAIN || w->lost || w->stopped || w->late != JOINED ||
	    o->resets > 0 || r->resets > 0)
		return;
	if (!o->refused && o->got != r->total)
		wrong(w, "a stream that takes no more: bytes are missing",
		    o->got);
	if (!o->reset || !r->reset)
		wrong(w, "a stream has not taken all, and is not reset", 0);
}

static void
verdict(struct world *w)
{
	struct end *a = &w->end[0], *b = &w->end[1];
	int resets = a->resets > 0 || b->resets > 0;
	int refused = a->refused || b->refused;

	if (!done(w))
		wrong(w, "it never ends", w->now);
	else if (refused)
		refusal(w);
	else if (w->kind == PLAIN || resets || w->fails || w->stopped ||
	    (w->kind == NO_SESSION && w->lost) || (w->late != JOINED &&
	    (w->lost || !tunnel_begun(&a->t) || !tunnel_begun(&b->t))))
		;	/* the truth of what was shown is checked on the way */
	else if (a->t.end != TUNNEL_ENDED)
		wrong(w, tunnel_end_name(a->t.end), 0);
	else if (b->t.end != TUNNEL_ENDED)
		wrong(w, tunnel_end_name(b->t.end), 1);
	else if (a->got != b->total || b->got != a->total)
		wrong(w, "bytes are missing", a->got);
	if (w->late != JOINED) {
		if (w->fails && (a->told > 0 && w->late == SERVE))
			wrong(w, "sent before ok", a->told);
		return;
	}
	if (resets && w->kind != PLAIN && !w->lost && !(a->reset && b->reset) &&
	    !(a->reset && b->closed) && !(b->reset && a->closed) &&
	    !(a->closed && b->closed))
		wrong(w, "neither reset nor ended", 0);
}

static const char *
play(uint64_t seed, uint64_t *where, unsigned int *redials,
    unsigned int *goodbyes)
{
	static struct world w;
	uint32_t win, other;
	int i;

	state = seed * 0x9e3779b97f4a7c15ULL + 1;
	memset(&w, 0, sizeof(w));
	w.now = 1000;
	w.kind = rnd(8) == 0 ? PLAIN : rnd(6) == 0 ? NO_SESSION : SESSION;
	win = 200 + rnd(rnd(2) == 0 ? 500 : 16000);
	other = rnd(2) == 0 ? win : 200 + rnd(16000);
	w.late = w.kind == PLAIN || rnd(2) == 0 ? JOINED :
	    rnd(2) == 0 ? PARK : SERVE;
	w.fails = w.late != JOINED && rnd(10) == 0;
	w.cuts = w.kind == SESSION ? rnd(12) : 0;
	if (w.kind == NO_SESSION)
		w.cuts = rnd(4) == 0;
	w.stops = rnd(12) == 0;
	begin_end(&w, 0, win, other);
	begin_end(&w, 1, other, win);
	if (rnd(8) == 0) {
		i = rnd(2);
		if (w.end[i].total > 0)
			w.end[i].resets = 1 + rnd(w.end[i].total);
	}
	for (i = 0; i < 2; i++)
		if (rnd(10) == 0)
			w.end[i].refuses = 1 + rnd(w.end[!i].total + 1);
	new_wire(&w);
	for (i = 0; i < STEPS_MAX && !done(&w) && w.wrong == NULL; i++) {
		step(&w, rnd(2));
		if (rnd(4) == 0)
			pass_time(&w);
		if (w.cuts > 0 && rnd(300) == 0)
			cut(&w);
		if (w.stops && rnd(500) == 0)
			stop(&w, rnd(2));
	}
	if (w.wrong == NULL)
		verdict(&w);
	*where = w.where;
	*redials += w.redials;
	*goodbyes += w.goodbyes;
	return w.wrong;
}

int
main(void)
{
	const char *only = getenv("SEED"), *many = getenv("SEEDS"), *wrong_;
	uint64_t first = only ? strtoull(only, NULL, 10) : 1, where = 0;
	uint64_t last = only ? first : many ? strtoull(many, NULL, 10) : 20000;
	uint64_t seed, bad = 0;
	unsigned int redials = 0, goodbyes = 0;

	for (seed = first; seed <= last && bad < 10; seed++)
		if ((wrong_ = play(seed, &where, &redials,
		    &goodbyes)) != NULL) {
			bad++;
			printf("# SEED=%llu: %s (%llu)\n",
			    (unsigned long long)seed, wrong_,
			    (unsigned long long)where);
		}
	ok(bad == 0, "%llu seeds, %u redials, %u Closes on the way: bytes, "
	    "ends and no deadlock", (unsigned long long)(last - first + 1),
	    redials, goodbyes);
	return done_testing();
}
