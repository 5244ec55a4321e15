/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <signal.h>

#include "connection/record.h"
#include "connection/relay_internal.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/signals.h"
#include "tunnel/bypass.h"
#include "tunnel/closing.h"

#define BURST		64	/* rounds of work before looking around */
#define HANGUP_STOP_MS	2000	/* from HUP to the end */
#define STOP_MS		1000	/* for the end of a tunnel that is stopped */
#define STOP_AGAIN_MS	100	/* ... if asked twice */
#define BATCH		262144	/* bytes moved to the stream at once */
#define LONG_FRAME	32768	/* bytes worth moving */
#define READ_MASKED	131072	/* at once, of what will be masked: a frame */
#define READ_MAX	524288	/* at once: more leave the caches again before
				 * they are written */

static int
would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/*
 * Looks at what a read returned: bytes, 0 at the end, -1 if it failed, -2 if
 * there was nothing.
 */
static ssize_t
received(struct relay *r, unsigned int bit, ssize_t n)
{
	if (n == -1 && would_block()) {
		r->ready &= ~bit;
		return -2;
	}
	if (n > 0)
		r->touched += n;
	return n;
}

/*
 * Reads once.  A short read of a plain descriptor means that it is empty: one
 * system call less to find out.
 */
static ssize_t
read_once(struct relay *r, struct io *io, unsigned int bit,
    struct iovec *iov, int n, size_t most)
{
	size_t room = 0;
	ssize_t got;
	int i;

	for (i = 0; i < n; i++) {
		if (iov[i].iov_len > most - room)
			iov[i].iov_len = most - room;
		room += iov[i].iov_len;
	}
	got = received(r, bit, io_readv(io, iov, n));
	if (got > 0 && (size_t)got < room && io->tls == NULL)
		r->ready &= ~bit;
	return got;
}

/* Looks at what a write of so many bytes returned: bytes, or -1. */
static ssize_t
written(struct relay *r, unsigned int bit, ssize_t n, size_t all)
{
	if (n == -1 && would_block())
		n = 0;
	if (n != -1 && (size_t)n < all)
		r->ready &= ~bit;
	return n;
}

static size_t
length(const struct iovec *iov, int n)
{
	size_t all = 0;

	while (n-- > 0)
		all += iov[n].iov_len;
	return all;
}

static void
read_stream(struct relay *r)
{
	struct tunnel *t = &r->tunnel;
	struct iovec iov[2];
	size_t bypass = tunnel_bypass_out(t);
	ssize_t n;

	if (r->out.held > 0) {
		relay_pass_on(r, bypass);
		return;
	}
	if (relay_bypasses(r, bypass)) {
		n = received(r, STREAM_R, splice_from(&r->out, r->stream.rfd,
		    bypass));
		if (r->out.refused)
			return;		/* the next round copies */
	} else {
		bypass = 0;
		n = read_once(r, &r->stream, STREAM_R, iov,
		    tunnel_stream_space(t, iov),
		    t->cfg.client ? READ_MASKED : READ_MAX);
	}
	if (n > 0) {
		splice_saw(&r->out, n);
		if (bypass > 0)
			relay_pass_on(r, bypass);
		else
			tunnel_stream_read(t, n);
	} else if (n == 0)
		relay_stream_ended(r);
	else if (n == -1)
		relay_read_failed(r);
}

static void
write_stream(struct relay *r)
{
	struct iovec iov[TUNNEL_RUNS];
	ssize_t n;
	int k;

	if (r->in.held > 0) {
		k = (int)r->in.held;
		n = written(r, STREAM_W, splice_to(&r->in, r->stream.wfd,
		    k, 0), k);
	} else {
		k = tunnel_stream_data(&r->tunnel, iov);
		n = written(r, STREAM_W, io_writev(&r->stream, iov, k),
		    length(iov, k));
	}
	if (n == -1)
		relay_write_failed(r);
	else
		tunnel_stream_wrote(&r->tunnel, n);
}

/*
 * While long frames come that need no unmasking, only their headers are read
 * here; the next one is likely to be as long as the last.
 */
static ssize_t
copy_websocket(struct relay *r)
{
	struct tunnel *t = &r->tunnel;
	struct iovec iov;
	size_t missing;
	ssize_t n;

	tunnel_wire_space(t, &iov);
	if (r->in.bulk && !r->in.refused) {
		missing = tunnel_wire_missing(t, r->head_size);
		if (missing > 0)
			iov.iov_len = missing;
	}
	n = read_once(r, &r->websocket, WEBSOCKET_R, &iov, 1, READ_MAX);
	if (n > 0)
		tunnel_wire_read(t, n);
	if (n > 0 && t->wire == WIRE_CLOSED && t->cfg.client)
		r->ready |= WEBSOCKET_R;	/* its end came with Close */
	if (n > 0 && t->frame.opcode <= FRAME_BINARY && t->message != 0) {
		r->in.bulk = t->frame.length >= LONG_FRAME;
		r->head_size = frame_head_size(t->frame.length, 0);
	}
	return n;
}

static void
read_websocket(struct relay *r)
{
	struct tunnel *t = &r->tunnel;
	size_t bypass = tunnel_bypass_in(t);
	ssize_t n;

	if (bypass > 0 && !io_pending(&r->websocket) &&
	    splice_ready(&r->in, r->stream.wfd)) {
		n = received(r, WEBSOCKET_R, splice_from(&r->in,
		    r->websocket.rfd, bypass));
		if (r->in.refused)
			return;
		if (n > 0)
			tunnel_wire_bypass(t, n);
		else if (n == -2 && r->in.held > 0)
			n = copy_websocket(r);	/* that pipe may be full */
	} else
		n = copy_websocket(r);
	relay_forget(r);
	if (n == 0)
		tunnel_wire_eof(t);
	else if (n == -1)
		tunnel_wire_failed(t);
}

/* The last Close is sent with the end of the connection, which comes next. */
static void
write_websocket(struct relay *r)
{
	struct tunnel *t = &r->tunnel;
	struct iovec iov[3];
	ssize_t n;
	int k;

	record_progress(t);		/* what the peer sees has been counted */
	k = tunnel_wire_data(t, iov);
	if (k > 0)
		n = written(r, WEBSOCKET_W, (t->payload_left > 0 &&
		    t->payload_bypass) || (t->wire == WIRE_CLOSED &&
		    !t->cfg.client) ?
		    io_writev_more(&r->websocket, iov, k) :
		    io_writev(&r->websocket, iov, k), length(iov, k));
	else
		n = written(r, WEBSOCKET_W, splice_to(&r->out,
		    r->websocket.wfd, t->payload_left, tunnel_wire_more(t)),
		    t->payload_left);
	if (n == -1)
		relay_websocket_refused(r);
	else
		tunnel_wire_wrote(t, n);
}

/* What the peer has ended is closed at once, which ends our direction too. */
static void
finish_websocket(struct relay *r)
{
	if ((r->tunnel.wire_eof && r->websocket.tls == NULL) ||
	    io_finish(&r->websocket) == 0)
		tunnel_wire_finished(&r->tunnel);
	else if (would_block())
		r->ready &= ~WEBSOCKET_W;
	else
		tunnel_wire_failed(&r->tunnel);
}

/*
 * A server that does not end its direction behind both Closes, in time or
 * because it goes away and a session is to go on elsewhere, gets close_notify all
 * the same: nothing was cut short.
 */
static void
close_websocket(struct relay *r)
{
	struct tunnel *t = &r->tunnel;

	if (tunnel_closes_passed(t) && !t->wire_finished && !t->wire_blocked)
		(void)!io_finish(&r->websocket);
	io_close(&r->websocket);
	tunnel_wire_closed(t);
}

/* A socket that has no other end any more is told of by reading. */
static void
finish_stream(struct relay *r)
{
	if (io_finish(&r->stream) == -1 && fd_not_stored(errno))
		relay_stream_failed(r);
	else
		tunnel_stream_shut(&r->tunnel);
}

/* Does the pipe to the stream get more at once? */
static int
is_filling(const struct relay *r)
{
	return r->in.held > 0 && r->in.held < BATCH && r->in.bulk &&
	    (r->ready & WEBSOCKET_R) &&
	    (tunnel_wants(&r->tunnel) & TUNNEL_READ_WIRE);
}

/*
 * Does each thing that is wanted and not known to block once, what was read
 * on one side being written on the other at once.  Returns whether it did
 * anything.
 */
static int
work(struct relay *r)
{
	struct tunnel *t = &r->tunnel;
	unsigned int w;
	int did = 0;

	relay_drop_refused(r);
	if ((tunnel_wants(t) & TUNNEL_READ_WIRE) && (r->ready & WEBSOCKET_R) &&
	    (r->in.held < BATCH || !(r->ready & STREAM_W))) {
		read_websocket(r);
		did = 1;
	}
	if (relay_is_used_up(r)) {
		tunnel_wire_failed(t);
		did = 1;
	}
	/* A stream that came later is not touched before RELAY_OPENED. */
	if ((tunnel_wants(t) & TUNNEL_WRITE_STREAM) && (r->ready & STREAM_W) &&
	    r->told_opened && !is_filling(r)) {
		write_stream(r);
		did = 1;
	}
	if ((tunnel_wants(t) & TUNNEL_READ_STREAM) &&
	    ((r->ready & STREAM_R) || r->out.held > 0) && r->told_opened) {
		read_stream(r);
		did = 1;
	}
	if ((tunnel_wants(t) & TUNNEL_WRITE_WIRE) && (r->ready & WEBSOCKET_W) &&
	    r->refused_at == 0) {
		write_websocket(r);
		did = 1;
	}
	w = tunnel_wants(t);
	if ((w & TUNNEL_SHUT_STREAM) && r->told_opened) {
		finish_stream(r);
		did = 1;
	}
	if ((w & (TUNNEL_RESET_STREAM | TUNNEL_CLOSE_STREAM)) &&
	    !relay_holds_reset(r, w)) {
		relay_end_stream(r, w);
		did = 1;
	}
	if ((w & TUNNEL_FINISH_WIRE) && (r->ready & WEBSOCKET_W)) {
		finish_websocket(r);
		did = 1;
	}
	if (w & TUNNEL_CLOSE_WIRE) {
		close_websocket(r);
		did = 1;
	}
	return did;
}

/*
 * ssh(1) closes its pipes to a ProxyCommand and sends HUP at once: what it
 * sent last is still to be read and forwarded.
 */
static void
stop_requested(struct relay *r)
{
	struct tunnel *t = &r->tunnel;

	if (signal_hung_up() && r->stop_at == CLOCK_NEVER) {
		tunnel_stream_write_closed(t);
		r->stop_at = t->now + HANGUP_STOP_MS;
	}
	if (!signal_hung_up() || t->now >= r->stop_at) {
		tunnel_stop(t, CLOSE_GOING_AWAY, TUNNEL_STOPPED,
		    "stopped by a signal");
		tunnel_hurry(t, signal_again() ? STOP_AGAIN_MS : STOP_MS);
	}
}

/* Is a stream that came later on its way, or over? */
static int
opening_over(const struct tunnel *t)
{
	return t->cfg.role == TUNNEL_JOINED || tunnel_flows(t) ||
	    t->stream_gone;
}

/*
 * What the connection is told of the tunnel's wants; RELAY_TIME: nothing.  Of
 * several the first one, and the next at the next call: told_opened and its like
 * are set when that event is returned.
 */
static enum relay_event
report(struct relay *r)
{
	const struct tunnel *t = &r->tunnel;
	unsigned int w = tunnel_wants(t);

	if (w & TUNNEL_RETURN_STREAM)
		return RELAY_RETURN_STREAM;
	if (w & TUNNEL_GET_STREAM)
		return RELAY_GET_STREAM;
	if (opening_over(t) && !r->told_opened) {
		r->told_opened = 1;
		return RELAY_OPENED;
	}
	if (w & TUNNEL_DONE)
		return RELAY_DONE;
	if ((w & TUNNEL_LOST) && !r->told_lost) {
		r->told_lost = 1;
		r->told_doubt = 0;
		return RELAY_LOST;
	}
	if (!r->told_lost && r->told_doubt != ((w & TUNNEL_NEW_PATH) != 0)) {
		r->told_doubt = !r->told_doubt;
		return r->told_doubt ? RELAY_DOUBTED : RELAY_TRUSTED;
	}
	return RELAY_TIME;
}

enum relay_event
relay(struct relay *r, int64_t until)
{
	struct tunnel *t = &r->tunnel;
	enum relay_event event, seen = RELAY_TIME;
	int64_t deadline, look_at;
	int i, busy;

	tunnel_now(t, clock_ms());
	for (;;) {
		for (i = 0; i < BURST && work(r); i++)
			;
		look_at = relay_look_at_queues(r);
		tunnel_tick(t);
		if (signal_terminated())
			stop_requested(r);
		busy = work(r) || i == BURST;
		if ((event = report(r)) != RELAY_TIME)
			return event;
		if (seen != RELAY_TIME)
			return seen;
		if (signal_taken(SIGUSR2))
			return RELAY_HINT;
		if (t->now >= until)
			return RELAY_TIME;
		deadline = tunnel_deadline(t);
		if (look_at < deadline)
			deadline = look_at;
		if (t->now < r->stop_at && r->stop_at < deadline)
			deadline = r->stop_at;
		if (relay_refused_until(r) < deadline)
			deadline = relay_refused_until(r);
		seen = relay_wait(r, deadline < until ? deadline : until,
		    busy);
	}
}
