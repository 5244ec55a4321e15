/* SPDX-License-Identifier: ISC */
/*
 * Input: how the tunnel is set up, then what happens to it.  The harness is
 * the peer, the wire, the stream and the clock.  Asserted: what the stream
 * gets is what a reference decoder reads in the same bytes, in order and
 * once; what the wire gets is well-formed and says what the stream said; a
 * fault is found if and only if there is one; an end is shown only where it
 * is the truth; what is wanted can be done and changes something; and it all
 * ends, even if the peer never does anything again.
 */
#include "tunnel/internal.h"
#include "tunnel_peer.h"

#define ROUNDS		200000
#define NOT_READS	(~(TUNNEL_READ_STREAM | TUNNEL_READ_WIRE))

static uint8_t payload[PAYLOAD_MAX];

static size_t
total(const struct iovec *iov, int k)
{
	size_t n = 0;

	while (k-- > 0)
		n += iov[k].iov_len;
	return n;
}

/* Writes up to max bytes to the wire; 0: none is taken. */
static void
write_wire(struct world *w, size_t max)
{
	struct iovec iov[3];
	size_t n = 0, i;
	int k = tunnel_wire_data(&w->t, iov), j;

	CHECK(tunnel_bypass_unsent(&w->t) <= w->pipe_out);
	CHECK(total(iov, k) > 0 || (w->t.payload_bypass &&
	    w->t.payload_left > 0 && w->t.payload_left <= w->pipe_out));
	for (j = 0; j < k; j++)
		for (i = 0; i < iov[j].iov_len && n < max; i++, n++)
			said(w, ((uint8_t *)iov[j].iov_base)[i]);
	if (k == 0)
		for (; n < w->t.payload_left && n < max; n++, w->pipe_out--)
			said(w, pattern(w->pos));
	tunnel_wire_wrote(&w->t, n);
}

static void
write_stream(struct world *w, size_t max)
{
	struct iovec iov[TUNNEL_RUNS];
	size_t n = 0, i;
	int k = tunnel_stream_data(&w->t, iov), j;

	CHECK(total(iov, k) > 0 || w->pipe_in > 0);
	if (w->pipe_in > 0) {
		n = max < w->pipe_in ? max : w->pipe_in;
		w->pipe_in -= n;
	}
	for (j = 0; j < k; j++)
		for (i = 0; i < iov[j].iov_len && n < max; i++, n++) {
			CHECK(w->got + n < w->ref.len);
			CHECK(((uint8_t *)iov[j].iov_base)[i] ==
			    w->ref.payload[w->got + n]);
		}
	CHECK(n == 0 || w->t.sink != SINK_REFUSED);
	w->got += n;
	CHECK(w->got <= w->ref.len);
	tunnel_stream_wrote(&w->t, n);
}

static void
read_stream(struct world *w, size_t max)
{
	struct iovec iov[2];
	size_t n = 0, i, may = tunnel_bypass_out(&w->t);
	int k, j, discard = w->t.out == FLOW_DISCARDING;

	if (may > 0 && (max & 1)) {
		CHECK(may <= w->t.cfg.out_size);
		CHECK(tunnel_bypass_unsent(&w->t) == 0);
		w->pipe_out = n = max < may ? max : may;
		tunnel_stream_bypass(&w->t, n);
		w->told += n;
		w->pipe_end = w->told;
		return;
	}
	k = tunnel_stream_space(&w->t, iov);
	CHECK(total(iov, k) > 0);
	CHECK(total(iov, k) <= w->t.cfg.out_size);
	for (j = 0; j < k; j++)
		for (i = 0; i < iov[j].iov_len && n < max; i++, n++)
			((uint8_t *)iov[j].iov_base)[i] =
			    discard ? '!' : pattern(w->told + n);
	if (!discard)
		w->told += n;
	tunnel_stream_read(&w->t, n);
}

/* Was there a fault, and was it found? */
static void
judge(struct world *w, enum tunnel_end before)
{
	if (w->ref.bad)
		CHECK(w->t.end != TUNNEL_GOING);
	/* Once all is confirmed, both ways, it has ended well. */
	if (w->ref.rst && !w->ref.bad && !(w->ref.confirmed && w->shut))
		CHECK(w->t.end != TUNNEL_GOING && w->t.end != TUNNEL_ENDED);
	if (before != TUNNEL_GOING || w->t.end != TUNNEL_PEER_FAULT)
		return;
	CHECK(w->ref.doomed || (w->ref.closed && w->t.cfg.extension));
	if (w->ref.bad)
		CHECK(w->t.close_code == w->ref.code);
}

static void
read_wire(struct world *w, size_t max)
{
	struct iovec iov;
	enum tunnel_end before = w->t.end;
	size_t n, i, may = tunnel_bypass_in(&w->t);

	if (w->fed == w->queued) {
		if (w->wire_ended)
			tunnel_wire_eof(&w->t);
		return;
	}
	w->ref.must = w->got + w->t.cfg.win_max;
	w->ref.may = w->permitted;
	w->ref.total = w->told;
	w->ref.ended = w->ended;
	n = w->queued - w->fed < max ? w->queued - w->fed : max;
	if (may > 0 && (max & 1)) {
		n = n < may ? n : may;
		w->pipe_in += n;
		tunnel_wire_bypass(&w->t, n);
	} else {
		tunnel_wire_space(&w->t, &iov);
		CHECK(iov.iov_len > 0);
		n = n < iov.iov_len ? n : iov.iov_len;
		memcpy(iov.iov_base, queue + w->fed, n);
		tunnel_wire_read(&w->t, n);
	}
	for (i = 0; i < n; i++)
		reference_byte(&w->ref, queue[w->fed + i]);
	w->fed += n;
	judge(w, before);
	if (before == TUNNEL_GOING && w->t.end == TUNNEL_GOING &&
	    !w->ref.closed)
		CHECK(tunnel_taken(&w->t) == w->ref.len);
}

/*
 * An end may be shown only behind the last byte, if there was an end: eof of
 * another inetws, Close of a plain peer, or its silence behind ours, which was
 * held back; but not in the middle of a message.
 */
static void
shut(struct world *w)
{
	CHECK(w->got == w->ref.len && !w->shut && !w->ref.bad);
	if (w->t.cfg.extension)
		CHECK(w->ref.eof);
	else if (!w->ref.closed) {
		CHECK(w->t.out == FLOW_ENDED && w->t.cfg.hold &&
		    w->close_said);
		CHECK(!w->ref.in_frame && w->ref.message == 0);
		CHECK(w->ref.len == w->ref.len_at_close);
	}
	w->shut = 1;
	tunnel_stream_shut(&w->t);
	CHECK(!(tunnel_wants(&w->t) & TUNNEL_SHUT_STREAM));
}

static void
new_wire(struct world *w)
{
	w->queued = w->fed = 0;
	w->wire_ended = 0;
	w->in_frame = w->head.have = 0;
	w->close_said = w->eof_said = w->pongs = 0;
	reference_new_wire(&w->ref);
}

/* Does one of the things that are wanted; 0 if there is nothing to do. */
static int
act(struct world *w, unsigned int which)
{
	struct tunnel *t = &w->t;
	unsigned int wants = tunnel_wants(t) & which;

	if (wants & TUNNEL_RETURN_STREAM) {
		CHECK(w->got == 0 && w->told == 0);
		tunnel_stream_closed(t);
	} else if (wants & TUNNEL_SHUT_STREAM)
		shut(w);
	else if (wants & (TUNNEL_RESET_STREAM | TUNNEL_CLOSE_STREAM)) {
		if (wants & TUNNEL_CLOSE_STREAM)
			CHECK(w->shut && (!t->cfg.extension ||
			    w->ref.confirmed));
		tunnel_stream_closed(t);
		w->pipe_in = 0;
		CHECK(!(tunnel_wants(t) & (TUNNEL_RESET_STREAM |
		    TUNNEL_CLOSE_STREAM | TUNNEL_READ_STREAM |
		    TUNNEL_WRITE_STREAM)));
	} else if (wants & TUNNEL_FINISH_WIRE) {
		CHECK(w->close_said);
		tunnel_wire_finished(t);
		CHECK(!(tunnel_wants(t) & (TUNNEL_FINISH_WIRE |
		    TUNNEL_WRITE_WIRE)));
	} else if (wants & TUNNEL_CLOSE_WIRE) {
		tunnel_wire_closed(t);
		w->pipe_out = 0;
		CHECK(!(tunnel_wants(t) & (TUNNEL_CLOSE_WIRE |
		    TUNNEL_READ_WIRE | TUNNEL_WRITE_WIRE)));
	} else if (wants & TUNNEL_WRITE_STREAM)
		write_stream(w, SIZE_MAX);
	else if (wants & TUNNEL_WRITE_WIRE)
		write_wire(w, SIZE_MAX);
	else if ((wants & TUNNEL_READ_WIRE) &&
	    (w->fed < w->queued || w->wire_ended))
		read_wire(w, w->chunk + (w->queued - w->fed) / 64);
	else
		return 0;
	return 1;
}

static void
act_all(struct world *w, unsigned int which)
{
	int rounds = 0;

	while (act(w, which))
		CHECK(++rounds < ROUNDS);
}

/* What is kept outside the ring goes into it. */
static void
restore(struct world *w)
{
	struct iovec iov[2];
	size_t kept = tunnel_bypass_kept(&w->t), i;
	uint64_t at = w->pipe_end - kept;
	int k = tunnel_bypass_places(&w->t, iov), j;

	CHECK(total(iov, k) == kept);
	for (j = 0; j < k; j++)
		for (i = 0; i < iov[j].iov_len; i++)
			((uint8_t *)iov[j].iov_base)[i] = pattern(at++);
	tunnel_bypass_restored(&w->t);
	w->pipe_out = 0;
}

/* A new wire, from a position that the peer could be at, or not. */
static void
resume(struct world *w)
{
	static struct tunnel before;
	struct tunnel *t = &w->t;
	int how = next(w);
	uint64_t at = w->ref.acked + next2(w) % (w->pos - w->ref.acked + 1);

	if (w->ref.bad || !tunnel_begun(t) ||
	    (!(tunnel_wants(t) & TUNNEL_LOST) &&
	    (t->end != TUNNEL_GOING || t->link == LINK_GONE)))
		return;
	if (how % 8 == 0 || t->session != SESSION_KEPT) {
		/* Behind a reset of our stream acknowledgements are ignored. */
		at = (how & 8) || t->end != TUNNEL_GOING ?
		    w->pos + 1 + how : w->ref.acked - 1;
		before = *t;
		CHECK(tunnel_resume(t, at) == -1);
		CHECK(memcmp(&before, t, sizeof(before)) == 0);
		return;
	}
	CHECK(tunnel_may_resume(t, at));
	restore(w);
	CHECK(tunnel_resume(t, at) == 0);
	if (t->end == TUNNEL_GOING)
		CHECK(tunnel_taken(t) == w->ref.len);
	w->pos = w->ref.sent = at;
	new_wire(w);
}

static void
pass_time(struct world *w, int64_t ms)
{
	w->now += ms;
	tunnel_now(&w->t, w->now);
	tunnel_tick(&w->t);
}

/* When nothing is left to do, nothing may be due. */
static void
rest(struct world *w, unsigned int which)
{
	int rounds = 0;

	do {
		CHECK(rounds++ < 4);
		pass_time(w, 0);
		act_all(w, which);
		if (tunnel_wants(&w->t) & ~which & TUNNEL_WRITE_WIRE)
			write_wire(w, 0);
	} while (tunnel_deadline(&w->t) <= w->now);
}

static void
told_from_outside(struct world *w, unsigned int what)
{
	struct tunnel *t = &w->t;

	if (what == 0)
		tunnel_stop(t, 1001, TUNNEL_STOPPED, "stopped");
	else if (what == 1)
		tunnel_doubt(t, "told");
	else if (what == 2)
		tunnel_wire_moved(t);
	else if (what == 3)
		tunnel_abandon(t);
}

static void
event(struct world *w)
{
	struct tunnel *t = &w->t;
	unsigned int wants = tunnel_wants(t);

	if (wants & TUNNEL_NEW_PATH)
		CHECK(t->cfg.client && t->session == SESSION_KEPT &&
		    t->link == LINK_UP);
	switch (next(w) % 22) {
	case 0: bring_raw(w); break;
	case 1: bring_small(w); break;
	case 2: bring_big(w); break;
	case 3: bring_line(w); break;
	case 4: bring_close(w); break;
	case 5: case 6:
		if (wants & TUNNEL_READ_STREAM)
			read_stream(w, 1 + next2(w));
		break;
	case 7:
		if (wants & TUNNEL_READ_STREAM) {
			w->ended = 1;
			tunnel_stream_eof(t);
		}
		break;
	case 8:
		if (t->stream_gone || !tunnel_has_stream(t))
			break;
		else if (next(w) % 4 == 0)
			tunnel_stream_failed(t);
		else if (w->left % 4 == 0)
			tunnel_stream_write_closed(t);
		else if (w->left % 4 == 1)
			tunnel_stream_refused(t);
		break;
	case 9:
		if (wants & TUNNEL_WRITE_STREAM)
			write_stream(w, next2(w));
		break;
	case 10: case 11:
		if (wants & TUNNEL_WRITE_WIRE)
			write_wire(w, next2(w));
		break;
	case 12: case 13:
		if (wants & TUNNEL_READ_WIRE)
			read_wire(w, 1 + next2(w));
		break;
	case 14: pass_time(w, next(w)); break;
	case 15: act(w, NOT_READS); break;
	case 16: act_all(w, NOT_READS | TUNNEL_READ_WIRE); break;
	case 17: rest(w, NOT_READS); break;
	case 18:
		if (next(w) % 2 == 0) {
			resume(w);
		} else if (t->link != LINK_GONE)
			w->wire_ended = 1;
		break;
	case 20:
		if (t->cfg.role == TUNNEL_ASKS && tunnel_waits(t))
			tunnel_open(t, "192.0.2.1:7");
		break;
	case 21:
		if (!(wants & TUNNEL_GET_STREAM))
			break;
		CHECK(w->ref.open && strcmp(t->addr, w->ref.addr) == 0);
		if (next(w) % 4 == 0)
			tunnel_fail(t, "sorry");
		else {
			w->ref.okayed = 1;
			tunnel_ok(t);
		}
		break;
	case 19:
		if (t->link == LINK_UP && next(w) % 4 == 0) {
			w->wire_ended = 1;
			tunnel_wire_failed(t);
		} else
			told_from_outside(w, next(w) % 16);
		break;
	}
}

/*
 * The last of it.  Either all goes well, or a peer that reads nothing has to
 * be got rid of; it may go on to exchange.
 */
static void
finish(struct world *w, int stuck, int talks)
{
	struct tunnel *t = &w->t;
	unsigned int which = ~TUNNEL_READ_STREAM;
	int64_t d;
	int i;

	if (stuck) {
		which &= ~(TUNNEL_WRITE_WIRE | TUNNEL_READ_WIRE);
		tunnel_stop(t, 1001, TUNNEL_STOPPED, "stopped");
	} else {
		act_all(w, which);
		if (t->end == TUNNEL_GOING && t->link != LINK_GONE)
			CHECK(w->fed == w->queued && (w->got == w->ref.len ||
			    t->sink == SINK_REFUSED || !tunnel_has_stream(t)));
		if (tunnel_wants(t) & TUNNEL_GET_STREAM)
			tunnel_fail(t, "sorry");
		if ((t->out == FLOW_OPEN || t->out == FLOW_DISCARDING) &&
		    tunnel_flows(t)) {
			w->ended = 1;
			tunnel_stream_eof(t);
		}
		w->wire_ended = 1;
	}
	for (i = 0; i < 60 && !(tunnel_wants(t) & TUNNEL_DONE); i++) {
		if (stuck && talks) {
			bring_frame(w, 0x82, (const uint8_t *)"talk", 4);
			while ((tunnel_wants(t) & TUNNEL_READ_WIRE) &&
			    w->fed < w->queued)
				read_wire(w, QUEUE_MAX);
		}
		rest(w, which);
		if (tunnel_wants(t) & TUNNEL_LOST)
			tunnel_expire(t);
		d = tunnel_deadline(t);
		if (d == TUNNEL_NEVER)
			continue;
		d -= w->now;
		pass_time(w, stuck && talks && d > 400 ? 400 : d);
	}
	CHECK(tunnel_wants(t) & TUNNEL_DONE);
	CHECK(t->end != TUNNEL_GOING);
	if (t->end == TUNNEL_ENDED)
		CHECK(t->opening == OPENING_WAITING || (w->shut &&
		    (!t->cfg.extension || w->ref.confirmed)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	static struct world w;
	struct tunnel_config cfg = { 0 };
	unsigned int a, b;

	memset(&w, 0, sizeof(w));
	draw = 0;
	w.in = in;
	w.left = size;
	w.ref.payload = payload;
	a = next(&w);
	b = next(&w);
	w.ref.client = cfg.client = a & 1;
	w.ref.ext = cfg.extension = (a & 6) != 0;
	w.ref.session = cfg.session = (a & 4) != 0;
	cfg.hold = (a & 8) != 0;
	cfg.discard = (b & 32) == 0;
	cfg.ping_interval = a & 16 ? 100 : 0;
	cfg.ping_timeout = a & 32 ? (a & 64 ? 300 : 6000) : 0;
	cfg.idle_timeout = a & 64 ? 1000 : 0;
	cfg.linger = b & 1 ? 500 : 0;
	if (cfg.extension && b >= 128)
		cfg.role = b & 32 ? TUNNEL_ASKS : TUNNEL_SERVES;
	w.ref.asks = cfg.role == TUNNEL_ASKS;
	w.ref.serves = cfg.role == TUNNEL_SERVES;
	cfg.win = 64 + next(&w) * (b & 2 ? 1000 : 7);
	cfg.win_max = cfg.win + (b & 2 ? next(&w) * 700 : 0);
	cfg.peer_win = 64 + next(&w) * (b & 4 ? 1000 : 7);
	cfg.out_size = 64 + next(&w) * 600;
	cfg.in_size = TUNNEL_SLACK + (cfg.session ? cfg.win_max : 0);
	cfg.out = malloc(cfg.out_size);
	cfg.in = malloc(cfg.in_size);
	cfg.mask_buffer = cfg.client && cfg.session ? malloc(TUNNEL_MASK_BUFFER) : NULL;
	cfg.random = fake_random;
	w.chunk = b & 8 ? 1 + next(&w) : QUEUE_MAX;
	w.now = 1000;
	tunnel_begin(&w.t, &cfg, w.now);
	w.permitted = cfg.win;
	w.ref.limit = cfg.peer_win;
	while (w.left > 0)
		event(&w);
	finish(&w, b & 16, b & 64);
	free(cfg.out);
	free(cfg.in);
	free(cfg.mask_buffer);
	return 0;
}
