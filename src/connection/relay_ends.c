/* SPDX-License-Identifier: ISC */
/*
 * The two ends: those it begins with, others that take their place, and what
 * they have taken of what was written.
 */
#include <errno.h>
#include <string.h>

#include "connection/relay_internal.h"
#include "net/socket.h"
#include "os/clock.h"
#include "tunnel/closing.h"

#define LOOK_FIRST	10	/* ms to the second look at a queue, doubled */
#define LOOK_MAX	500
#define EXIT_MS		100	/* from a program's end of file to its exit */

/* Bytes that came with a handshake are the first ones of the websocket. */
static void
feed(struct relay *r, const char *early, size_t len)
{
	struct iovec iov;

	if (len == 0)
		return;
	tunnel_wire_space(&r->tunnel, &iov);
	memcpy(iov.iov_base, early, len);
	tunnel_wire_read(&r->tunnel, len);
}

/*
 * What can be done with a new end: poll(2) shall say whether there is anything
 * to read, which it does not know of what TLS has read already.  What a visitor
 * sent is there, mostly, as the handshake has taken its time.
 */
static unsigned int
fresh(const struct relay *r, const struct io *io, unsigned int rbit,
    unsigned int wbit)
{
	int visitor = rbit == STREAM_R && r->tunnel.cfg.client &&
	    io->rfd == io->wfd;

	return io->tls != NULL || visitor ? rbit | wbit : wbit;
}

void
relay_begin(struct relay *r, const struct tunnel_config *cfg,
    struct io stream, struct io websocket, const char *early, size_t early_len)
{
	tunnel_begin(&r->tunnel, cfg, clock_ms());
	r->websocket = websocket;
	r->control = -1;
	r->nwatched = 0;
	r->program = NULL;
	r->ready = fresh(r, &websocket, WEBSOCKET_R, WEBSOCKET_W);
	r->told_opened = cfg->role == TUNNEL_JOINED;
	r->error = r->hung_up = r->told_lost = r->told_doubt = 0;
	r->refused_at = 0;
	r->ping = (struct relay_ping){ .state = PONG_NOT_DUE };
	r->to_websocket = r->to_stream = (struct relay_queue){
	    .look_at = CLOCK_NEVER };
	r->to_reset = (struct relay_queue){ .look_at = CLOCK_NEVER };
	r->reset_by = CLOCK_NEVER;
	r->stop_at = CLOCK_NEVER;
	r->out = r->in = r->kept = SPLICE_CLOSED;
	r->null = -1;
	r->touched = 0;
	relay_stream(r, stream);
	feed(r, early, early_len);
}

/* What comes to a server has to be unmasked, and a client masks. */
static void
find_ways(struct relay *r)
{
	int client = r->tunnel.cfg.client;

	r->out.refused = client || !io_moves_from(&r->stream) ||
	    !io_moves_to(&r->websocket);
	r->in.refused = !client || !io_moves_from(&r->websocket) ||
	    !io_moves_to(&r->stream);
}

void
relay_stream(struct relay *r, struct io stream)
{
	r->stream = stream;
	r->ready |= fresh(r, &stream, STREAM_R, STREAM_W);
	find_ways(r);
}

void
relay_catch_up(struct relay *r)
{
	tunnel_now(&r->tunnel, clock_ms());
	r->ready |= WEBSOCKET_R;
}

void
relay_stream_failed(struct relay *r)
{
	if (r->error == 0)
		r->error = errno;
	tunnel_stream_failed(&r->tunnel);
}

static void
input_refused(struct relay *r)
{
	if (r->error == 0)
		r->error = errno;
	tunnel_stream_refused(&r->tunnel);
}

/*
 * EPIPE: the other end reads nothing more, but what it has written is there.
 * ECONNRESET of a Unix socket is the same, with something unread.  If it has
 * closed a TCP connection, its FIN has come before; any other error of one is a
 * reset without it.
 */
void
relay_write_failed(struct relay *r)
{
	if (errno == EPIPE ||
	    (errno == ECONNRESET && net_is_unix(r->stream.wfd)))
		input_refused(r);
	else
		relay_stream_failed(r);
}

/*
 * The system closes what a killed program had open, as if it were done; its
 * exit status follows at once.  One that goes on without its output is.
 */
void
relay_stream_ended(struct relay *r)
{
	if (r->program != NULL &&
	    program_killed(r->program, clock_ms() + EXIT_MS))
		tunnel_stream_failed(&r->tunnel);
	else
		tunnel_stream_eof(&r->tunnel);
}

/*
 * The other end of a Unix socket was closed without having read all; what it
 * wrote before was read first.  A program may do so.
 */
void
relay_read_failed(struct relay *r)
{
	if (errno != ECONNRESET || !net_is_unix(r->stream.rfd)) {
		relay_stream_failed(r);
		return;
	}
	if (r->program == NULL || r->program->pid == 0)
		input_refused(r);
	relay_stream_ended(r);
}

/*
 * The stream has an error, and is not read now.  A Unix socket whose other end
 * was closed still has what that wrote, and a TCP connection if FIN came before
 * the reset: then the error is EPIPE.
 */
void
relay_stream_error(struct relay *r)
{
	int error;

	if (net_is_unix(r->stream.rfd))
		return;
	error = net_error(r->stream.rfd);
	if (r->error == 0)
		r->error = error;
	if (error == EPIPE)
		tunnel_stream_refused(&r->tunnel);
	else
		tunnel_stream_failed(&r->tunnel);
}

void
relay_drop_refused(struct relay *r)
{
	if (r->tunnel.sink == SINK_REFUSED && r->in.held > 0)
		splice_close(&r->in);
}

struct io
relay_return(struct relay *r)
{
	struct io stream = r->stream;

	r->stream = IO_CLOSED;
	tunnel_stream_closed(&r->tunnel);
	return stream;
}

void
relay_end_stream(struct relay *r, unsigned int wants)
{
	if (wants & TUNNEL_RESET_STREAM) {
		if (r->program != NULL)
			program_hangup(r->program);
		io_reset(&r->stream);
	} else
		io_end(&r->stream);
	splice_close(&r->in);	/* what may be left in it is lost */
	tunnel_stream_closed(&r->tunnel);
}

int
relay_resume(struct relay *r, struct io websocket, uint64_t at,
    const char *early, size_t early_len)
{
	tunnel_now(&r->tunnel, clock_ms());
	if (!tunnel_may_resume(&r->tunnel, at))
		return -1;
	if (relay_restore(r) == -1) {
		tunnel_stop(&r->tunnel, CLOSE_INTERNAL, TUNNEL_WIRE_LOST,
		    "what was sent could not be read again");
		return -1;
	}
	tunnel_resume(&r->tunnel, at);
	io_close(&r->websocket);
	r->websocket = websocket;
	r->told_lost = r->told_doubt = 0;
	r->refused_at = 0;
	r->ping = (struct relay_ping){ .state = PONG_NOT_DUE };
	r->ready |= fresh(r, &websocket, WEBSOCKET_R, WEBSOCKET_W);
	find_ways(r);
	feed(r, early, early_len);
	return 0;
}

/* Has the next hop taken some since the last look? */
static int
look_at_taken(struct relay_taken *k, int fd)
{
	uint64_t before = k->acknowledged;

	k->acknowledged = net_acknowledged(fd);
	return k->acknowledged > before;
}

/*
 * The same, for an end of the tunnel that waits for it.  While something is left of
 * what was written when the wait began, it is looked at again, soon at first.
 */
static int
has_moved(struct relay_queue *q, int fd, enum tunnel_wait why, int64_t now)
{
	struct relay_taken *k = &q->taken;
	int moved, first = why != q->why;

	if (why == q->why && now < q->look_at)
		return 0;
	q->why = why;
	moved = look_at_taken(k, fd);
	if (first)
		k->all = net_written(fd);
	q->left = why != WAIT_NONE && k->acknowledged < k->all &&
	    net_unacknowledged(fd);
	q->delay = first ? LOOK_FIRST : q->delay < LOOK_MAX ?
	    2 * q->delay : LOOK_MAX;
	q->look_at = q->left ? now + q->delay : CLOCK_NEVER;
	return !first && moved;
}

/*
 * Is it the network that is slow?  While it takes what was sent before the Ping,
 * and the Ping, the peer cannot have answered.
 */
static void
look_at_ping(struct relay *r)
{
	struct tunnel *t = &r->tunnel;
	struct relay_ping *p = &r->ping;
	enum tunnel_pong state = tunnel_pong_due(t);
	int fd = r->websocket.wfd, was_left;

	if (state != PONG_NOT_DUE) {
		was_left = p->taken.acknowledged < p->taken.all;
		if (look_at_taken(&p->taken, fd) && was_left)
			tunnel_wire_moved(t);
		if (state == PONG_UNASKED || state != p->state ||
		    t->pinged_at != p->at)
			p->taken.all = net_written(fd);
	}
	p->state = state;
	p->at = t->pinged_at;
}

void
relay_websocket_refused(struct relay *r)
{
	r->refused_at = r->tunnel.now;
	r->ready |= WEBSOCKET_R;
	r->in.refused = 1;
}

int64_t
relay_refused_until(const struct relay *r)
{
	const struct tunnel *t = &r->tunnel;
	int64_t since = t->delivered_at > r->refused_at ? t->delivered_at :
	    r->refused_at;

	return r->refused_at == 0 || t->link != LINK_UP ? CLOCK_NEVER :
	    since + tunnel_linger(t);
}

int
relay_is_used_up(const struct relay *r)
{
	const struct tunnel *t = &r->tunnel;

	if (r->refused_at == 0 || t->link != LINK_UP)
		return 0;
	return t->wire_eof || t->now >= relay_refused_until(r) ||
	    ((tunnel_wants(t) & TUNNEL_READ_WIRE) &&
	    !(r->ready & WEBSOCKET_R));
}

/*
 * A reset that comes behind the end of file tells that the peer's stream has
 * not taken all; what that has sent is whole, and a reset would destroy what the
 * network has not yet taken of it.
 */
int
relay_holds_reset(struct relay *r, unsigned int wants)
{
	const struct tunnel *t = &r->tunnel;

	if (!(wants & TUNNEL_RESET_STREAM) || t->end != TUNNEL_PEER_RESET ||
	    t->shown_at == 0)
		return 0;
	if (has_moved(&r->to_reset, r->stream.wfd, WAIT_STREAM, t->now) ||
	    r->reset_by == CLOCK_NEVER)
		r->reset_by = t->now + tunnel_linger(t);
	if (r->to_reset.left && t->now < r->reset_by && t->hurry_until == 0)
		return 1;
	r->to_reset.look_at = CLOCK_NEVER;
	return 0;
}

int64_t
relay_look_at_queues(struct relay *r)
{
	struct tunnel *t = &r->tunnel;
	struct relay_queue *w = &r->to_websocket, *s = &r->to_stream;
	int64_t when;
	int moved;

	look_at_ping(r);
	moved = has_moved(w, r->websocket.wfd, tunnel_waits_for_wire(t),
	    t->now);
	tunnel_wire_left(t, moved, w->left);
	if (has_moved(s, r->stream.wfd, tunnel_waits_for_stream(t), t->now))
		tunnel_stream_moved(t);
	when = w->look_at < s->look_at ? w->look_at : s->look_at;
	return r->to_reset.look_at < when ? r->to_reset.look_at : when;
}
