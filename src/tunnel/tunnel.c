/* SPDX-License-Identifier: ISC */
/*
 * How a tunnel goes on and ends.  Every public function tells of one event;
 * tunnel_update() then draws the conclusions, so that no conclusion depends
 * on the order in which its causes came.
 */
#include <string.h>

#include "tunnel/internal.h"

static const char *const end_names[] = {
	[TUNNEL_GOING] = "going",
	[TUNNEL_ENDED] = "ended",
	[TUNNEL_STREAM_RESET] = "stream-reset",
	[TUNNEL_PEER_RESET] = "peer-reset",
	[TUNNEL_PEER_CLOSED] = "peer-closed",
	[TUNNEL_WIRE_LOST] = "websocket-lost",
	[TUNNEL_PING_TIMEOUT] = "ping-timeout",
	[TUNNEL_PEER_FAULT] = "peer-fault",
	[TUNNEL_IDLE] = "idle-timeout",
	[TUNNEL_STOPPED] = "stopped",
};

const char *
tunnel_end_name(enum tunnel_end end)
{
	return end_names[end];
}

void
tunnel_begin(struct tunnel *t, const struct tunnel_config *cfg, int64_t now)
{
	memset(t, 0, sizeof(*t));
	t->cfg = *cfg;
	t->now = now;
	t->received_at = t->sent_at = t->ping_at = t->data_at = now;
	t->rtt = -1;
}

/* From here on, closing has so much time and no more. */
static void
set_close(struct tunnel *t, unsigned int code)
{
	t->close_code = code;
	t->closed_at = t->now;
}

/*
 * Where it is the peer or the way to it that has ended, what came before that
 * is still worth having: the stream gets it before its reset.
 */
static int
keeps_arrived(enum tunnel_end end)
{
	return end == TUNNEL_PEER_CLOSED || end == TUNNEL_WIRE_LOST ||
	    end == TUNNEL_PING_TIMEOUT;
}

void
tunnel_fault(struct tunnel *t, enum tunnel_end end, unsigned int code,
    const char *why)
{
	if (t->end != TUNNEL_GOING)
		return;
	t->end = end;
	t->why = why;
	set_close(t, code);
	t->out_ended = 1;
	if (!keeps_arrived(end) || t->write_closed || !tunnel_flows(t))
		tunnel_in_drop(t);
}

/* What the stream still sends is dropped. */
static void
discard(struct tunnel *t)
{
	t->out_discard = 1;
	if (!t->cfg.discard)
		t->out_ended = 1;
}

/*
 * The wire ended without a Close of the peer's.  A session waits for another
 * one.  After our own Close that is no harm where we know that all was sent:
 * the extension tells, and a plain peer was given the time.
 */
void
tunnel_lose(struct tunnel *t, enum tunnel_end end, const char *why)
{
	t->wire_dead = 1;
	if (t->cfg.session && tunnel_begun(t) &&
	    (t->end == TUNNEL_GOING || t->end == TUNNEL_STREAM_RESET)) {
		t->lost = 1;
		t->why = why;
	} else if (t->close_rcvd || t->end != TUNNEL_GOING) {
		return;
	} else if (t->complete && (t->cfg.extension || t->cfg.hold) &&
	    tunnel_in_between(t)) {
		t->in_ended = 1;
		discard(t);
	} else
		tunnel_fault(t, end, CLOSE_NONE, why);
}

/* Are both directions known to be complete, between two inetws? */
static int
all_sent(const struct tunnel *t)
{
	if (!t->in_ended || !t->out_ended || t->payload_left > 0 ||
	    t->out_sent != t->out_head)
		return 0;
	return !t->cfg.session || t->out_kept == t->out_head;
}

/* The peer's Close, from another inetws. */
static void
closed_by_inetws(struct tunnel *t)
{
	if (t->cfg.session && tunnel_begun(t) && (t->peer_code == CLOSE_GOING_AWAY ||
	    t->peer_code == CLOSE_RESTART)) {
		t->leaving = 1;
		set_close(t, t->peer_code);
	} else if (t->peer_code != CLOSE_NORMAL)
		tunnel_fault(t, TUNNEL_PEER_CLOSED, t->peer_code, NULL);
	else if (all_sent(t) || tunnel_waits(t))
		set_close(t, CLOSE_NORMAL);
	else if (t->cfg.role == TUNNEL_ASKS && !t->okayed) {
		t->close_rcvd = 0;		/* it met our open */
		tunnel_lose(t, TUNNEL_WIRE_LOST,
		    "the peer closed the websocket when it was to be used");
	} else
		tunnel_fault(t, TUNNEL_PEER_FAULT, CLOSE_PROTOCOL,
		    "Close before the end of both directions");
}

/*
 * The peer's Close, from a plain peer: it will send nothing more and wants
 * nothing more.  What our stream still sends is read, so that closing it does
 * not destroy what was delivered, and thrown away.
 */
static void
closed_by_plain_peer(struct tunnel *t)
{
	if (t->peer_code == CLOSE_NONE || t->peer_code == CLOSE_NORMAL ||
	    t->peer_code == CLOSE_GOING_AWAY) {
		t->in_ended = 1;
		discard(t);
		if (t->close_code == 0)
			set_close(t, t->peer_code);
	} else
		tunnel_fault(t, TUNNEL_PEER_CLOSED, t->peer_code, NULL);
}

/* May Close be sent because all is sent? */
static int
close_now(const struct tunnel *t)
{
	if (t->cfg.extension)
		return t->eof_sent && t->head_len == 0 && t->in_shut &&
		    all_sent(t) &&
		    (!t->cfg.session || t->in_acked == t->in_taken);
	return tunnel_out_sent(t) && (!t->cfg.hold || t->in_ended ||
	    t->now >= tunnel_hold_until(t));
}

/*
 * Our Close is out, and the peer's is in, will not come, or is not waited for
 * (RFC 6455 7.1.7).
 */
static int
closed(const struct tunnel *t)
{
	return t->close_sent && t->head_len == 0 && t->payload_left == 0 &&
	    (t->close_rcvd || t->wire_eof || t->end == TUNNEL_PEER_FAULT);
}

void
tunnel_break(struct tunnel *t)
{
	tunnel_in_drop(t);
	if (t->end != TUNNEL_GOING)
		return;
	tunnel_fault(t, TUNNEL_STREAM_RESET,
	    t->cfg.extension ? CLOSE_NORMAL : CLOSE_INTERNAL, NULL);
	t->rst_due = t->cfg.extension && !t->close_sent;
}

/*
 * A peer that goes away gets its Close back (RFC 6455 5.5.1), unless the wire
 * does not take it at once.
 */
static void
leave(struct tunnel *t)
{
	if (t->wire_eof || t->wire_dead || t->wire_blocked ||
	    (t->close_sent && t->head_len == 0)) {
		t->leaving = t->close_rcvd = 0;
		tunnel_lose(t, TUNNEL_WIRE_LOST, "the peer went away");
	}
}

void
tunnel_update(struct tunnel *t)
{
	if (t->close_rcvd == 1) {
		t->close_rcvd = 2;	/* looked at */
		if (!tunnel_failed(t)) {
			if (t->cfg.extension)
				closed_by_inetws(t);
			else
				closed_by_plain_peer(t);
		}
	}
	if (t->leaving)
		leave(t);
	if (t->write_closed && t->pending > 0)
		tunnel_break(t);
	if (t->close_code == 0 && close_now(t)) {
		set_close(t, CLOSE_NORMAL);
		t->complete = 1;
	}
	if (t->wire_finished && t->wire_eof)
		t->wire_dead = 1;
	if (t->end == TUNNEL_GOING && !t->lost && !t->leaving &&
	    (t->in_shut || (t->close_code != 0 && !t->opened &&
	    t->cfg.role != TUNNEL_JOINED)) &&
	    ((t->close_sent && t->close_rcvd) || t->wire_dead))
		t->end = TUNNEL_ENDED;
}

void
tunnel_now(struct tunnel *t, int64_t now)
{
	t->now = now;
}

int
tunnel_reads_wire(const struct tunnel *t)
{
	return tunnel_wire_up(t) && !t->wire_eof &&
	    (t->close_rcvd || tunnel_failed(t) || tunnel_in_room(t));
}

/*
 * A stream that came, and was not used, before the wire was found to be no
 * good may go on elsewhere; unless the end has nothing to do with the wire.
 */
static unsigned int
end_of_failed(const struct tunnel *t)
{
	if (t->cfg.role == TUNNEL_ASKS && !tunnel_begun(t) &&
	    t->end != TUNNEL_PEER_RESET && t->end != TUNNEL_STREAM_RESET &&
	    t->end != TUNNEL_STOPPED)
		return TUNNEL_RETURN_STREAM;
	return TUNNEL_RESET_STREAM;
}

static unsigned int
target_wants(const struct tunnel *t)
{
	unsigned int w = 0;

	if (!tunnel_has_stream(t))
		return t->opened && t->end == TUNNEL_GOING ?
		    TUNNEL_GET_STREAM : 0;
	if (t->stream_gone)
		return 0;
	if (tunnel_failed(t))
		return t->pending > 0 ? TUNNEL_WRITE_STREAM : end_of_failed(t);
	if (!tunnel_flows(t))
		return 0;
	if (t->in_shut && t->out_ended)
		return TUNNEL_CLOSE_STREAM;
	if (!t->out_ended && tunnel_out_room(t))
		w |= TUNNEL_READ_STREAM;
	if (t->pending > 0)
		w |= TUNNEL_WRITE_STREAM;
	else if (t->in_ended && !t->in_shut)
		w |= TUNNEL_SHUT_STREAM;
	return w;
}

unsigned int
tunnel_wants(const struct tunnel *t)
{
	unsigned int w = target_wants(t);

	if (t->wire_dead && !t->wire_gone)
		w |= TUNNEL_CLOSE_WIRE;
	if (tunnel_reads_wire(t))
		w |= TUNNEL_READ_WIRE;
	if (tunnel_out_pending(t))
		w |= TUNNEL_WRITE_WIRE;
	if (tunnel_wire_up(t) && closed(t) && !t->wire_finished)
		w |= TUNNEL_FINISH_WIRE;
	if (t->wire_gone && t->lost)
		w |= TUNNEL_LOST;
	else if (t->wire_gone && t->end != TUNNEL_GOING &&
	    (t->stream_gone || !tunnel_has_stream(t)))
		w |= TUNNEL_DONE;
	return w;
}

void
tunnel_stream_eof(struct tunnel *t)
{
	t->out_ended = 1;
	t->ended_at = t->now;
	tunnel_update(t);
}

void
tunnel_stream_failed(struct tunnel *t)
{
	if (t->end == TUNNEL_ENDED || (t->out_discard && t->in_shut))
		t->out_ended = 1;
	else
		tunnel_break(t);
	tunnel_update(t);
}

void
tunnel_stream_write_closed(struct tunnel *t)
{
	t->write_closed = 1;
	t->write_closed_at = t->now;
	tunnel_update(t);
}

void
tunnel_stream_shut(struct tunnel *t)
{
	t->in_shut = 1;
	tunnel_update(t);
}

void
tunnel_stream_closed(struct tunnel *t)
{
	t->stream_gone = 1;
	tunnel_update(t);
}

void
tunnel_wire_eof(struct tunnel *t)
{
	t->wire_eof = 1;
	if (!t->close_rcvd && !t->wire_finished)
		tunnel_lose(t, TUNNEL_WIRE_LOST, "the websocket ended without Close");
	tunnel_update(t);
}

void
tunnel_wire_failed(struct tunnel *t)
{
	t->wire_eof = 1;
	t->wire_dead = 1;
	if (!t->close_rcvd && !t->wire_finished)
		tunnel_lose(t, TUNNEL_WIRE_LOST, "the websocket was reset");
	tunnel_update(t);
}

void
tunnel_wire_finished(struct tunnel *t)
{
	t->wire_finished = 1;
	t->closed_at = t->now;
	tunnel_update(t);
}

void
tunnel_wire_closed(struct tunnel *t)
{
	t->wire_gone = 1;
	tunnel_update(t);
}

void
tunnel_stop(struct tunnel *t, unsigned int code, enum tunnel_end end,
    const char *why)
{
	if (t->cfg.session && tunnel_over(t)) {
		if (t->lost)
			tunnel_expire(t);
		return;
	}
	t->lost = 0;
	if (tunnel_waits(t))
		code = CLOSE_NORMAL;	/* there is nothing to reset */
	else if (t->end == TUNNEL_GOING)
		t->rst_due = t->cfg.extension && !t->close_sent;
	tunnel_in_drop(t);
	tunnel_fault(t, end, code, why);
	tunnel_update(t);
}

uint64_t
tunnel_taken(const struct tunnel *t)
{
	return t->in_taken;
}

int
tunnel_may_resume(const struct tunnel *t, uint64_t at)
{
	return t->cfg.session && tunnel_begun(t) && at >= t->out_kept &&
	    at <= t->out_sent - t->payload_left &&
	    (t->end == TUNNEL_GOING || t->end == TUNNEL_STREAM_RESET);
}

int
tunnel_resume(struct tunnel *t, uint64_t at)
{
	if (!tunnel_may_resume(t, at))
		return -1;
	tunnel_out_rewind(t, at);
	tunnel_in_restart(t);
	t->lost = t->received = t->leaving = 0;
	t->why = NULL;
	t->closed_at = t->now;
	if (t->end == TUNNEL_GOING)
		t->close_code = 0;
	t->wire_gone = t->wire_dead = t->wire_eof = t->wire_finished = 0;
	t->received_at = t->sent_at = t->ping_at = t->now;
	tunnel_update(t);
	return 0;
}

void
tunnel_expire(struct tunnel *t)
{
	t->lost = 0;
	if (t->end == TUNNEL_GOING && t->complete)
		t->end = TUNNEL_ENDED;
	else
		tunnel_fault(t, TUNNEL_WIRE_LOST, CLOSE_NONE, t->why);
	tunnel_update(t);
}

int
tunnel_over(const struct tunnel *t)
{
	return t->end == TUNNEL_GOING ? t->complete :
	    t->end == TUNNEL_STREAM_RESET;
}
