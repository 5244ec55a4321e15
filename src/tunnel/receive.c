/* SPDX-License-Identifier: ISC */
/*
 * The way in: bytes of the wire are read into one linear buffer, taken apart
 * and unmasked where they lie.  What is payload becomes a run, a piece of
 * that buffer which the stream has yet to take.
 */
#include <string.h>

#include "tunnel/bypass.h"
#include "tunnel/internal.h"

#define ROOM_MIN	65536	/* bytes worth reading into */
#define SMALL		4096	/* bytes cheaper moved than listed */

static size_t
unparsed(const struct tunnel *t)
{
	return t->in_end - t->in_pos;
}

void
tunnel_in_begin(struct tunnel *t)
{
	t->in_limit = t->in_credit = t->cfg.session ? t->cfg.win : UINT64_MAX;
}

/* How much of the buffer may be used: no more than needed is touched. */
static size_t
in_cap(const struct tunnel *t)
{
	return t->cfg.session ? t->in_credit + TUNNEL_SLACK : t->cfg.in_size;
}

/*
 * compact() makes room at the end of the buffer by moving down what is in it.
 * With a session that is always possible, since credit limits what waits for
 * the stream, and its wire is never left unread; otherwise it is done only
 * when little has to be moved.
 */
int
tunnel_in_room(const struct tunnel *t)
{
	return t->cfg.session ||
	    in_cap(t) >= t->in_end + t->bypassed + ROOM_MIN ||
	    t->pending + unparsed(t) <= SMALL;
}

/* Nothing has begun that did not come to its end. */
int
tunnel_in_between(const struct tunnel *t)
{
	return !t->in_frame && t->message == 0 && unparsed(t) == 0;
}

/* Moves all runs, as one, and what is unparsed to the beginning. */
static void
compact(struct tunnel *t)
{
	uint8_t *in = t->cfg.in;
	size_t n = 0;
	unsigned int i;

	for (i = 0; i < t->nruns; i++) {
		memmove(in + n, in + t->run[i].off, t->run[i].len);
		n += t->run[i].len;
	}
	if (t->nruns > 0) {
		t->nruns = 1;
		t->run[0].off = 0;
		t->run[0].len = n;
	}
	memmove(in + n, in + t->in_pos, unparsed(t));
	t->in_end = n + unparsed(t);
	t->in_pos = n;
}

void
tunnel_wire_space(struct tunnel *t, struct iovec *iov)
{
	if (in_cap(t) - t->in_end < ROOM_MIN)
		compact(t);
	iov->iov_base = t->cfg.in + t->in_end;
	iov->iov_len = in_cap(t) - t->in_end;
}

/* Adds payload that begins at in_pos to what the stream is to get. */
static void
add_run(struct tunnel *t, size_t n)
{
	struct tunnel_run *last = t->nruns > 0 ? &t->run[t->nruns - 1] : NULL;
	uint8_t *in = t->cfg.in;

	if (last != NULL && (n <= SMALL || t->nruns == TUNNEL_RUNS)) {
		if (last->off + last->len != t->in_pos)
			memmove(in + last->off + last->len, in + t->in_pos, n);
		last->len += n;
	} else {
		t->run[t->nruns].off = t->in_pos;
		t->run[t->nruns++].len = n;
	}
	t->pending += n;
}

static void
count(struct tunnel *t, size_t n)
{
	t->frame_left -= n;
	t->frame_phase += n;
	t->in_taken += n;
	t->data_at = t->taken_at = t->now;
}

/* How much of the peer's credit is left. */
static uint64_t
credit(const struct tunnel *t)
{
	return t->in_limit - t->in_taken;
}

/* Takes what is there of a data frame's payload. */
static int
take_data(struct tunnel *t)
{
	size_t n = min(unparsed(t), t->frame_left);
	uint8_t *p = t->cfg.in + t->in_pos;

	if (n == 0)
		return 0;
	if (tunnel_failed(t)) {
		t->in_pos += n;
		t->frame_left -= n;
		return 0;
	}
	if (n > credit(t))
		return tunnel_in_fault(t, CLOSE_PROTOCOL, "more data than permitted");
	if (t->frame.masked)
		frame_mask(p, p, n, t->frame.key, t->frame_phase);
	if (t->message == FRAME_TEXT && utf8_feed(&t->utf8, p, n) == -1)
		return tunnel_in_fault(t, CLOSE_BAD_TEXT, "text is not UTF-8");
	if (t->in != FLOW_OPEN)
		return tunnel_in_fault(t, CLOSE_PROTOCOL, "data after eof");
	if (t->sink != SINK_REFUSED)
		add_run(t, n);
	t->in_pos += n;
	count(t, n);
	return 0;
}

/* Close (RFC 6455 5.5.1): what does the peer tell of the end? */
static int
take_close(struct tunnel *t, const uint8_t *p, size_t len)
{
	struct utf8 u;
	unsigned int code = CLOSE_NONE;

	if (len == 1)
		return tunnel_in_fault(t, CLOSE_PROTOCOL, "Close with one byte");
	if (len >= 2) {
		code = p[0] << 8 | p[1];
		if (!frame_close_valid(code))
			return tunnel_in_fault(t, CLOSE_PROTOCOL, "Close code not valid");
		utf8_begin(&u);
		if (utf8_feed(&u, p + 2, len - 2) == -1 || !utf8_complete(&u))
			return tunnel_in_fault(t, CLOSE_BAD_TEXT,
			    "Close reason is not UTF-8");
		t->peer_reason_len = len - 2;
		memcpy(t->peer_reason, p + 2, len - 2);
	}
	t->peer_code = code;
	tunnel_close_received(t);
	return -1;		/* nothing behind it counts */
}

static void
take_pong(struct tunnel *t, const uint8_t *p, size_t len)
{
	t->answered = 1;
	if (len == 4 && memcmp(p, &t->ping_seq, 4) == 0) {
		t->rtt = t->now - t->ping_at;
		if (t->rtt_least == -1 || t->rtt < t->rtt_least)
			t->rtt_least = t->rtt;
		t->pongs++;
		t->pong_seq = t->ping_seq;
		t->round_trips++;
		tunnel_count_round_trip(t);
	}
}

/*
 * Frames that are looked at whole: control frames, and between two inetws
 * text messages.  1: taken, 0: not all there yet, -1: nothing more to parse.
 */
static int
take_small(struct tunnel *t)
{
	uint8_t *p = t->cfg.in + t->in_pos;
	size_t len = t->frame_left;
	int r = 0;

	if (unparsed(t) < len)
		return 0;
	if (t->frame.masked)
		frame_mask(p, p, len, t->frame.key, 0);
	t->in_pos += len;
	t->frame_left = 0;
	switch (t->frame.opcode) {
	case FRAME_TEXT:
		r = tunnel_line_received(t, p, len);
		break;
	case FRAME_CLOSE:
		r = take_close(t, p, len);
		break;
	case FRAME_PING:
		memcpy(t->pong, p, len);	/* only the last needs one */
		t->pong_len = (uint8_t)len;
		t->pong_due = 1;
		break;
	case FRAME_PONG:
		take_pong(t, p, len);
		break;
	}
	return r == -1 ? -1 : 1;
}

/* After a reset lines are ignored, whatever they hold. */
static int
is_small(const struct tunnel *t)
{
	return t->frame.opcode >= FRAME_CLOSE || (t->cfg.extension &&
	    t->frame.opcode == FRAME_TEXT && !tunnel_failed(t));
}

/* The rules that depend on who speaks and what came before (5.1, 5.4). */
static int
check_frame(struct tunnel *t)
{
	const struct frame *f = &t->frame;

	if (f->masked == t->cfg.client)
		return tunnel_in_fault(t, CLOSE_PROTOCOL, f->masked ?
		    "masked frame from a server" :
		    "unmasked frame from a client");
	if (f->opcode >= FRAME_CLOSE)
		return 0;
	if ((f->opcode == FRAME_CONT) != (t->message != 0))
		return tunnel_in_fault(t, CLOSE_PROTOCOL, t->message != 0 ?
		    "new message inside another" :
		    "continuation of nothing");
	if (is_small(t)) {
		if (!f->fin || f->length > FRAME_CONTROL_MAX)
			return tunnel_in_fault(t, CLOSE_PROTOCOL,
			    "control line too long or in fragments");
		return 0;
	}
	if (f->length > 0 && !tunnel_peer_flows(t) && !tunnel_failed(t))
		return tunnel_in_fault(t, CLOSE_PROTOCOL, "data out of place");
	if (f->opcode != FRAME_CONT) {
		t->message = f->opcode;
		utf8_begin(&t->utf8);
	}
	return 0;
}

/* 1: a header was taken, 0: not all there yet, -1: fault. */
static int
take_header(struct tunnel *t)
{
	const char *why;
	ssize_t n;

	n = frame_decode(&t->frame, t->cfg.in + t->in_pos, unparsed(t), &why);
	if (n < 0)
		return tunnel_in_fault(t, CLOSE_PROTOCOL, why);
	if (n == 0)
		return 0;
	if (check_frame(t) == -1)
		return -1;
	t->in_pos += (size_t)n;
	t->frame_left = t->frame.length;
	t->frame_phase = 0;
	t->in_frame = 1;
	return 1;
}

static int
end_data(struct tunnel *t)
{
	if (!t->frame.fin)
		return 1;
	if (t->message == FRAME_TEXT && !tunnel_failed(t) &&
	    !utf8_complete(&t->utf8))
		return tunnel_in_fault(t, CLOSE_BAD_TEXT, "text ends inside a character");
	t->message = 0;
	return 1;
}

/* One step of parsing: 1 if there may be more, 0 or -1 if not. */
static int
step(struct tunnel *t)
{
	int r;

	if (!t->in_frame && (r = take_header(t)) != 1)
		return r;
	if (is_small(t)) {
		if ((r = take_small(t)) != 1)
			return r;
	} else {
		if (take_data(t) == -1)
			return -1;
		if (t->frame_left > 0)
			return 0;
		if ((r = end_data(t)) != 1)
			return r;
	}
	t->in_frame = 0;
	return 1;
}

void
tunnel_in_parse(struct tunnel *t)
{
	int r;

	if (tunnel_close_is_in(t) || t->in_dead) {
		t->in_pos = t->in_end;
	} else {
		while ((r = step(t)) == 1)
			;
		if (r == -1)
			t->in_pos = t->in_end;
	}
	if (t->in_pos == t->in_end && t->nruns == 0)
		t->in_pos = t->in_end = 0;
}

size_t
tunnel_wire_missing(const struct tunnel *t, size_t head)
{
	size_t need = !t->in_frame ? head : is_small(t) ? t->frame_left : 0;

	return t->nruns == 0 ? beyond(need, unparsed(t)) : 0;
}

void
tunnel_wire_read(struct tunnel *t, size_t n)
{
	tunnel_bytes_received(t);
	t->in_end += n;
	tunnel_in_parse(t);
	tunnel_update(t);
}

int
tunnel_stream_data(struct tunnel *t, struct iovec iov[TUNNEL_RUNS])
{
	unsigned int i;

	if (t->bypassed > 0)
		return 0;
	for (i = 0; i < t->nruns; i++) {
		iov[i].iov_base = t->cfg.in + t->run[i].off;
		iov[i].iov_len = t->run[i].len;
	}
	return (int)t->nruns;
}

void
tunnel_stream_wrote(struct tunnel *t, size_t n)
{
	unsigned int i = 0;
	size_t first = min(n, t->bypassed);

	t->in_delivered += n;
	t->delivered_at = t->data_at = t->now;
	t->pending -= n;
	t->bypassed -= first;
	n -= first;
	while (i < t->nruns && n >= t->run[i].len)
		n -= t->run[i++].len;
	if (i < t->nruns) {
		t->run[i].off += n;
		t->run[i].len -= n;
	}
	t->nruns -= i;
	memmove(t->run, t->run + i, t->nruns * sizeof(t->run[0]));
	if (t->in_pos == t->in_end && t->nruns == 0)
		t->in_pos = t->in_end = 0;
	tunnel_update(t);
}

/* Only the payload of a binary frame that is not masked. */
size_t
tunnel_bypass_in(const struct tunnel *t)
{
	size_t room = t->cfg.session ? credit(t) : in_cap(t) - t->bypassed;

	if (!t->in_frame || t->frame.masked || t->message != FRAME_BINARY ||
	    is_small(t) || t->nruns > 0 || t->in != FLOW_OPEN ||
	    t->sink == SINK_REFUSED ||
	    t->wire != WIRE_OPEN)
		return 0;
	return min(t->frame_left, room);
}

void
tunnel_wire_bypass(struct tunnel *t, size_t n)
{
	tunnel_bytes_received(t);
	t->pending += n;
	t->bypassed += n;
	count(t, n);
	if (t->frame_left == 0) {
		end_data(t);
		t->in_frame = 0;
	}
	tunnel_update(t);
}

/* The stream will take nothing more. */
void
tunnel_in_drop(struct tunnel *t)
{
	t->nruns = 0;
	t->pending = 0;
	t->bypassed = 0;
	if (t->in_pos == t->in_end)
		t->in_pos = t->in_end = 0;
}

/* A new wire begins between two frames. */
void
tunnel_in_restart(struct tunnel *t)
{
	t->in_end = t->in_pos;
	t->in_frame = 0;
	t->message = 0;
	t->in_dead = 0;
	if (t->nruns == 0)
		t->in_pos = t->in_end = 0;
}
