/* SPDX-License-Identifier: ISC */
/*
 * How a tunnel goes on and ends.  Every public function tells of one event;
 * tunnel_update() then draws the conclusions, so that no conclusion depends
 * on the order in which its causes came.
 */
#include <string.h>

#include "tunnel/internal.h"

void
tunnel_begin(struct tunnel *t, const struct tunnel_config *cfg, int64_t now)
{
	memset(t, 0, sizeof(*t));
	t->cfg = *cfg;
	t->now = now;
	t->received_at = t->sent_at = t->ping_at = t->data_at = now;
	t->rtt = t->rtt_least = -1;
	t->raised_at = t->pinged_at = now;
	if (cfg->session)
		t->session = SESSION_KEPT;
	if (cfg->role != TUNNEL_JOINED)
		t->opening = OPENING_WAITING;
	tunnel_in_begin(t);
	tunnel_out_begin(t);
}

void
tunnel_set_close(struct tunnel *t, unsigned int code)
{
	t->close_code = code;
	t->closed_at = t->now;
	t->closed_taken = t->in_taken;
}

/*
 * Does the stream still get the bytes that came before this end?  It does if
 * the peer, or the path to it, has ended; then it is reset.
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
	tunnel_set_end(t, end);
	t->why = why;
	tunnel_set_close(t, code);
	tunnel_set_out(t, FLOW_RESET);
	tunnel_set_in(t, FLOW_RESET);
	if (!keeps_arrived(end) || t->sink != SINK_OPEN || !tunnel_flows(t))
		tunnel_in_drop(t);
}

/* Is all delivered in both directions, and known to be? */
int
tunnel_complete(const struct tunnel *t)
{
	return t->in == FLOW_ENDED && t->out == FLOW_ENDED;
}

/*
 * The wire has ended without the peer's Close.  A session waits for another
 * wire.  Any other tunnel ends: well if everything has arrived.
 */
void
tunnel_lose(struct tunnel *t, enum tunnel_end end, const char *why)
{
	int done = tunnel_plain_done(t);

	tunnel_set_wire(t, WIRE_LOST);
	tunnel_set_silence(t, SILENCE_NONE);
	if (t->link == LINK_UP)
		tunnel_set_link(t, LINK_DROPPED);
	if (t->session == SESSION_KEPT && !tunnel_begun(t))
		tunnel_set_session(t, SESSION_OVER);
	if (t->session == SESSION_KEPT) {
		tunnel_learn_idle(t);
		t->why = why;
	} else if (t->end != TUNNEL_GOING || tunnel_complete(t))
		return;
	else if (done)
		tunnel_plain_ended(t);
	else
		tunnel_fault(t, end, CLOSE_NONE, why);
}

/*
 * Does the peer's Close end only this wire, since its process goes away and
 * the session is to go on over another one?
 */
static int
leaving(const struct tunnel *t)
{
	return t->session == SESSION_KEPT && tunnel_begun(t) &&
	    t->end == TUNNEL_GOING && (t->peer_code == CLOSE_GOING_AWAY ||
	    t->peer_code == CLOSE_RESTART) && tunnel_close_is_in(t);
}

/* The peer's Close, from another inetws. */
static void
closed_by_inetws(struct tunnel *t)
{
	if (leaving(t) || (tunnel_waits(t) && (t->peer_code == CLOSE_NORMAL ||
	    t->peer_code == CLOSE_GOING_AWAY)))
		tunnel_set_close(t, t->peer_code);
	else if (tunnel_complete(t) && t->final_sent)
		tunnel_set_close(t, CLOSE_NORMAL);
	else if (t->peer_code != CLOSE_NORMAL)
		tunnel_fault(t, TUNNEL_PEER_CLOSED, t->peer_code, NULL);
	else if (t->cfg.role == TUNNEL_ASKS && t->opening == OPENING_TOLD)
		/* its Close and our "open" crossed on the wire */
		tunnel_lose(t, TUNNEL_WIRE_LOST,
		    "the peer closed the websocket when it was to be used");
	else
		tunnel_fault(t, TUNNEL_PEER_FAULT, CLOSE_PROTOCOL,
		    "Close before the end of both directions");
}

void
tunnel_close_received(struct tunnel *t)
{
	tunnel_set_wire(t, t->wire == WIRE_CLOSE_SENT ? WIRE_CLOSED :
	    WIRE_CLOSE_RECEIVED);
	if (t->cfg.extension && !tunnel_failed(t))
		closed_by_inetws(t);
	else if (!tunnel_failed(t))
		tunnel_plain_closed(t);
}

/* May Close be sent because all is done? */
static int
close_now(const struct tunnel *t)
{
	if (t->end != TUNNEL_GOING)
		return 0;
	if (t->cfg.extension)
		return tunnel_complete(t) && !t->final_due && !t->eof_due;
	return tunnel_out_sent(t) && (!t->cfg.hold ||
	    t->in != FLOW_OPEN || t->now >= tunnel_hold_until(t));
}

/*
 * May we end our direction of the wire?  Our Close is out, and the peer's is
 * in, will not come, or is not waited for (RFC 6455 7.1.7).  The server ends
 * first (7.1.1).
 */
static int
may_finish(const struct tunnel *t)
{
	if (!tunnel_close_sent(t) || t->head_len > 0 || t->payload_left > 0)
		return 0;
	return t->wire_eof || t->in_dead ||
	    (t->wire == WIRE_CLOSED && !t->cfg.client);
}

void
tunnel_break(struct tunnel *t)
{
	tunnel_in_drop(t);
	if (t->end != TUNNEL_GOING)
		return;
	tunnel_fault(t, TUNNEL_STREAM_RESET,
	    t->cfg.extension ? CLOSE_NORMAL : CLOSE_INTERNAL, NULL);
	t->rst_due = t->cfg.extension && !tunnel_close_sent(t);
}

/*
 * The stream has not taken all.  That ends the tunnel, but not before the peer
 * has got what the stream still sends.
 */
static void
refuse(struct tunnel *t)
{
	tunnel_in_drop(t);
	if (t->cfg.one_way)
		tunnel_break(t);
	else if (t->end == TUNNEL_GOING)
		tunnel_set_sink(t, SINK_REFUSED);
}

/*
 * Has the peer got all that a stream sent which has not taken all?  Another
 * inetws says so.  A plain peer gets all that was written before our Close; one
 * that has sent its own gets nothing more.
 */
static int
refused_all(const struct tunnel *t)
{
	return t->sink == SINK_REFUSED && t->end == TUNNEL_GOING &&
	    (t->out == FLOW_ENDED || t->out == FLOW_DISCARDING ||
	    (!t->cfg.extension && tunnel_out_sent(t)));
}

/*
 * A peer that goes away gets its Close back (RFC 6455 5.5.1), unless the wire
 * does not take it at once.
 */
static void
leave(struct tunnel *t)
{
	if (t->wire_eof || t->link != LINK_UP || t->wire_blocked ||
	    (t->wire == WIRE_CLOSED && t->head_len == 0))
		tunnel_lose(t, TUNNEL_WIRE_LOST, "the peer went away");
}

/* Was the wire closed before a stream came for it?  That is a good end. */
static int
unused(const struct tunnel *t)
{
	return t->opening == OPENING_WAITING && t->close_code != 0;
}

void
tunnel_close_when_done(struct tunnel *t)
{
	if (t->close_code != 0 || !close_now(t))
		return;
	tunnel_set_close(t, CLOSE_NORMAL);
	if (!t->cfg.extension)
		tunnel_set_out(t, FLOW_ENDED);
}

void
tunnel_update(struct tunnel *t)
{
	if (leaving(t))
		leave(t);
	if (t->sink == SINK_CLOSED && t->pending > 0)
		refuse(t);
	if (refused_all(t))
		tunnel_break(t);
	tunnel_close_when_done(t);
	if (t->link == LINK_UP && t->wire_finished && t->wire_eof)
		tunnel_set_link(t, LINK_DROPPED);
	if (t->end == TUNNEL_GOING && !tunnel_lost(t) && !leaving(t) &&
	    (t->in == FLOW_ENDED || unused(t)) &&
	    (!t->cfg.extension || tunnel_complete(t) || unused(t)) &&
	    (t->wire == WIRE_CLOSED || t->link != LINK_UP))
		tunnel_set_end(t, TUNNEL_ENDED);
}

void
tunnel_now(struct tunnel *t, int64_t now)
{
	t->now = now;
	tunnel_note_unread(t);
}

int
tunnel_reads_wire(const struct tunnel *t)
{
	return t->link == LINK_UP && !t->wire_eof &&
	    (tunnel_close_is_in(t) || tunnel_failed(t) || tunnel_in_room(t));
}

/*
 * What to do with the stream of a tunnel that ended badly.  If the wire proved
 * to be dead before the peer got anything of the stream, another tunnel can
 * serve it; otherwise, or if the end has nothing to do with the wire, it is
 * reset.
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

/*
 * Has the stream ended so that it may be closed?  Until another inetws has
 * confirmed the end of its direction it may still have to be reset.
 */
static int
may_close_stream(const struct tunnel *t)
{
	return t->in == FLOW_ENDED && (t->out == FLOW_ENDED ||
	    (t->out == FLOW_DRAINING && !t->cfg.extension));
}

static unsigned int
stream_wants(const struct tunnel *t)
{
	unsigned int w = 0;

	if (!tunnel_has_stream(t))
		return t->opening == OPENING_TOLD &&
		    t->end == TUNNEL_GOING ? TUNNEL_GET_STREAM : 0;
	if (t->stream_gone)
		return 0;
	if (tunnel_failed(t))
		return t->pending > 0 ? TUNNEL_WRITE_STREAM : end_of_failed(t);
	if (!tunnel_flows(t))
		return 0;
	if (may_close_stream(t))
		return TUNNEL_CLOSE_STREAM;
	if ((t->out == FLOW_OPEN || t->out == FLOW_DISCARDING) &&
	    tunnel_out_room(t))
		w |= TUNNEL_READ_STREAM;
	if (t->pending > 0)
		w |= TUNNEL_WRITE_STREAM;
	else if (t->in == FLOW_DRAINING && t->sink != SINK_REFUSED)
		w |= TUNNEL_SHUT_STREAM;
	return w;
}

unsigned int
tunnel_wants(const struct tunnel *t)
{
	unsigned int w = stream_wants(t);

	if (t->link == LINK_DROPPED)
		w |= TUNNEL_CLOSE_WIRE;
	if (tunnel_reads_wire(t))
		w |= TUNNEL_READ_WIRE;
	if (tunnel_out_pending(t))
		w |= TUNNEL_WRITE_WIRE;
	if (t->link == LINK_UP && may_finish(t) && !t->wire_finished)
		w |= TUNNEL_FINISH_WIRE;
	if (t->link == LINK_GONE && tunnel_lost(t))
		w |= TUNNEL_LOST;
	else if (t->link == LINK_GONE && t->end != TUNNEL_GOING &&
	    (t->stream_gone || !tunnel_has_stream(t)))
		w |= TUNNEL_DONE;
	return w | tunnel_doubt_wants(t);
}

void
tunnel_stream_eof(struct tunnel *t)
{
	if (t->cfg.text && t->out == FLOW_OPEN)
		tunnel_text_eof(t);
	if (t->out == FLOW_OPEN)
		tunnel_set_out(t, FLOW_DRAINING);
	else if (t->out == FLOW_DISCARDING)
		tunnel_set_out(t, FLOW_ENDED);
	t->ended_at = t->now;
	tunnel_update(t);
}

/*
 * An error of the stream does no harm once everything is delivered in both
 * directions, or if only bytes are lost that would be discarded anyway.  Behind
 * its end of file it means only that it has not taken all.
 */
void
tunnel_stream_failed(struct tunnel *t)
{
	if (t->out == FLOW_DISCARDING && t->in == FLOW_ENDED)
		tunnel_set_out(t, FLOW_ENDED);
	else if (t->out == FLOW_DRAINING)
		refuse(t);
	else if (t->end != TUNNEL_ENDED && !tunnel_complete(t))
		tunnel_break(t);
	tunnel_update(t);
}

void
tunnel_stream_write_closed(struct tunnel *t)
{
	if (t->sink == SINK_OPEN)
		tunnel_set_sink(t, SINK_CLOSED);
	tunnel_update(t);
}

void
tunnel_stream_refused(struct tunnel *t)
{
	refuse(t);
	tunnel_update(t);
}

void
tunnel_stream_shut(struct tunnel *t)
{
	tunnel_set_in(t, FLOW_ENDED);
	tunnel_update(t);
}

void
tunnel_stream_closed(struct tunnel *t)
{
	t->stream_gone = 1;
	tunnel_update(t);
}

/*
 * May the wire end now?  After the peer's Close it may, and after we have
 * ended our direction.
 */
static int
end_expected(const struct tunnel *t)
{
	return tunnel_close_is_in(t) || t->wire_finished;
}

void
tunnel_wire_eof(struct tunnel *t)
{
	t->wire_eof = 1;
	if (!end_expected(t))
		tunnel_lose(t, TUNNEL_WIRE_LOST,
		    "the websocket ended without Close");
	tunnel_update(t);
}

void
tunnel_wire_failed(struct tunnel *t)
{
	t->wire_eof = 1;
	tunnel_set_link(t, LINK_DROPPED);
	if (!end_expected(t))
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
	tunnel_set_link(t, LINK_GONE);
	tunnel_update(t);
}

int
tunnel_half_closed(const struct tunnel *t)
{
	return t->out != FLOW_OPEN || t->in != FLOW_OPEN;
}
