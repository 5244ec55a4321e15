/* SPDX-License-Identifier: ISC */
/*
 * What a tunnel waits for, and how long.
 */
#include "tunnel/closing.h"
#include "tunnel/internal.h"

#define CLOSING_MAX	10000	/* ms for closing if --linger is off */
#define PING_LEAST	2000	/* ms: the least interval of Pings we choose */
#define FINISHED_MAX	2000	/* ms for the peer to end a wire that is over */
#define REFUSED_MAX	300000	/* ms in which nothing moves */

static int64_t
later(int64_t when, int64_t delay)
{
	return delay == 0 ? TUNNEL_NEVER : when + delay;
}

int64_t
tunnel_linger(const struct tunnel *t)
{
	return t->cfg.linger > 0 ? t->cfg.linger : CLOSING_MAX;
}

/* Is the wire left unread because the stream takes nothing? */
static int
is_stalled(const struct tunnel *t)
{
	return t->link == LINK_UP && !t->wire_eof && !tunnel_reads_wire(t);
}

/* Time in which the wire was not read is no silence of the peer. */
void
tunnel_note_unread(struct tunnel *t)
{
	if (!tunnel_reads_wire(t))
		t->received_at = t->now;
	if (is_stalled(t))
		t->unread_at = t->now;
}

/*
 * Since when has the peer had the chance to send data and has sent none?  It
 * had none while we did not read, and it cannot answer what the network has
 * not yet taken from us.
 */
static int64_t
without_data_since(const struct tunnel *t)
{
	return latest(latest(t->taken_at, t->unread_at), t->moved_at);
}

/*
 * A plain peer knows no half-close: at our stream's end Close is held back
 * until it has ended too, or has sent no data for the linger time.
 */
int64_t
tunnel_hold_until(const struct tunnel *t)
{
	int64_t delay = t->sink != SINK_OPEN ? tunnel_linger(t) : t->cfg.linger;

	if (t->cfg.extension || !t->cfg.hold || t->in != FLOW_OPEN ||
	    t->close_code != 0 || !tunnel_out_sent(t) || is_stalled(t))
		return TUNNEL_NEVER;
	return later(latest(without_data_since(t), t->ended_at), delay);
}

int64_t
tunnel_ping_time(const struct tunnel *t)
{
	if (t->link != LINK_UP || tunnel_close_sent(t))
		return TUNNEL_NEVER;
	return later(latest(t->ping_at, earlier(t->received_at, t->sent_at)),
	    t->cfg.ping_interval);
}

/*
 * Silence means death only if the peer is known to answer, if the wire is
 * read, and if a plain peer was not itself stuck on what we sent.
 */
static int64_t
silence_until(const struct tunnel *t)
{
	if (!tunnel_reads_wire(t) || tunnel_close_sent(t) ||
	    !(t->answered || t->cfg.extension) ||
	    (t->wire_blocked && !t->cfg.extension))
		return TUNNEL_NEVER;
	return later(t->received_at, t->cfg.ping_timeout);
}

/*
 * Once Close is due, wire_until() limits the time instead.  But that one does
 * not count while bytes that came before wait for a stream that takes nothing,
 * with the wire unread or gone: then idleness counts on.
 */
static int64_t
idle_until(const struct tunnel *t)
{
	if (t->end != TUNNEL_GOING || tunnel_lost(t) || !tunnel_flows(t) ||
	    (t->close_code != 0 && !is_stalled(t) &&
	    !(t->link == LINK_GONE && t->pending > 0)))
		return TUNNEL_NEVER;
	return later(t->data_at, t->cfg.idle_timeout);
}

/*
 * Our stream has ended and takes nothing more: how long another inetws that has
 * got all of it gets to end too.  With a plain peer tunnel_hold_until() does the
 * same.
 */
static int64_t
sink_closed_until(const struct tunnel *t)
{
	if (!t->cfg.extension || t->sink != SINK_CLOSED || t->out != FLOW_ENDED ||
	    t->in != FLOW_OPEN || t->end != TUNNEL_GOING || tunnel_lost(t))
		return TUNNEL_NEVER;
	return latest(t->sink_closed_at, t->ended_at) + tunnel_linger(t);
}

/*
 * A stream that takes no more has its output delivered.  But the peer's stream
 * may take no more either, which nothing tells: then each would wait for the
 * other.
 */
static int64_t
refused_until(const struct tunnel *t)
{
	if (!t->cfg.extension || t->sink != SINK_REFUSED ||
	    t->end != TUNNEL_GOING || t->link != LINK_UP)
		return TUNNEL_NEVER;
	return latest(latest(t->data_at, t->acked_at), t->ended_at) +
	    latest(t->cfg.linger, REFUSED_MAX);
}

/* A peer that still sends data in closing gets its time again and again. */
static int64_t
linger_until(const struct tunnel *t)
{
	return (tunnel_failed(t) ? t->closed_at :
	    latest(t->closed_at, without_data_since(t))) + tunnel_linger(t);
}

void
tunnel_hurry(struct tunnel *t, int64_t ms)
{
	if (t->hurry_until == 0 || t->now + ms < t->hurry_until)
		t->hurry_until = t->now + ms;
}

static int64_t
hurried(const struct tunnel *t, int64_t when)
{
	return t->hurry_until == 0 ? when : earlier(when, t->hurry_until);
}

/* When the closing handshake has taken too long. */
static int64_t
wire_until(const struct tunnel *t)
{
	if (t->close_code == 0 || t->link != LINK_UP || is_stalled(t))
		return TUNNEL_NEVER;
	if (t->wire_finished || (t->wire == WIRE_CLOSED && t->head_len == 0))
		return hurried(t, t->closed_at + FINISHED_MAX);
	return hurried(t, linger_until(t));
}

/*
 * Until when the stream is kept open in closing.  Either all is delivered to
 * it, and what it still sends is discarded, since closing it while it sends
 * would destroy bytes on their way to it; or the tunnel has failed, and the
 * stream has yet to take what came before.
 */
static int64_t
stream_until(const struct tunnel *t)
{
	if (t->close_code == 0 || tunnel_lost(t))
		return TUNNEL_NEVER;
	if (t->out == FLOW_DISCARDING && t->in == FLOW_ENDED)
		return hurried(t, latest(latest(t->closed_at, t->shown_at),
		    t->stream_moved_at) + tunnel_linger(t));
	if (tunnel_failed(t) && t->pending > 0)
		return hurried(t, linger_until(t));
	return TUNNEL_NEVER;
}

enum tunnel_wait
tunnel_waits_for_wire(const struct tunnel *t)
{
	if (t->cfg.extension || t->link != LINK_UP || tunnel_failed(t) ||
	    tunnel_close_is_in(t))
		return WAIT_NONE;
	if (t->close_code == 0)
		return tunnel_hold_until(t) != TUNNEL_NEVER ? WAIT_HELD :
		    WAIT_NONE;
	return tunnel_close_sent(t) && t->head_len == 0 ? WAIT_ANSWER :
	    WAIT_CLOSE;
}

void
tunnel_wire_left(struct tunnel *t, int moved, int left)
{
	if (moved)
		t->moved_at = t->now;
	t->wire_left = left != 0;
}

enum tunnel_wait
tunnel_waits_for_stream(const struct tunnel *t)
{
	return stream_until(t) != TUNNEL_NEVER && !tunnel_failed(t) ?
	    WAIT_STREAM : WAIT_NONE;
}

void
tunnel_stream_moved(struct tunnel *t)
{
	t->stream_moved_at = t->now;
}

int64_t
tunnel_deadline(const struct tunnel *t)
{
	int64_t d = TUNNEL_NEVER;

	if (t->link == LINK_UP && t->head_len == 0 && t->payload_left == 0) {
		d = earlier(d, tunnel_ping_time(t));
		d = earlier(d, tunnel_ack_time(t));
		if (t->out == FLOW_OPEN)
			d = earlier(d, tunnel_final_time(t));
	}
	d = earlier(d, silence_until(t));
	d = earlier(d, tunnel_doubt_time(t));
	d = earlier(d, idle_until(t));
	d = earlier(d, tunnel_answer_until(t));
	d = earlier(d, tunnel_hold_until(t));
	d = earlier(d, sink_closed_until(t));
	d = earlier(d, refused_until(t));
	d = earlier(d, wire_until(t));
	return earlier(d, stream_until(t));
}

/*
 * Idle for too long.  If everything is confirmed, only the closing handshake
 * is missing, on a wire that takes nothing: the tunnel has ended well.
 */
static void
end_idle(struct tunnel *t)
{
	if (t->cfg.extension && tunnel_complete(t))
		tunnel_set_link(t, LINK_DROPPED);
	else
		tunnel_stop(t, CLOSE_POLICY, TUNNEL_IDLE, NULL);
}

/*
 * Something on the path may count the time without a byte and end the wire
 * then.  It has done so if two wires ended, without a Close, after the same
 * time: Pings come sooner from then on.
 */
void
tunnel_learn_idle(struct tunnel *t)
{
	int64_t age = t->now - latest(t->received_at, t->sent_at);
	int64_t before = t->idle_death, interval;

	if (!t->cfg.ping_adapts || !t->wire_eof || t->peer_code != 0 ||
	    age <= PING_LEAST)
		return;
	t->idle_death = age;
	interval = latest(earlier(age, before) * 3 / 4, PING_LEAST);
	if (before == 0 || latest(age, before) - earlier(age, before) >
	    latest(age, before) / 10 || interval >= t->cfg.ping_interval)
		return;
	t->cfg.ping_interval = interval;
	t->ping_adapted = 1;
}

void
tunnel_tick(struct tunnel *t)
{
	tunnel_note_unread(t);
	if (t->now >= silence_until(t))
		tunnel_lose(t, TUNNEL_PING_TIMEOUT, "the peer fell silent");
	tunnel_doubt_tick(t);
	if (t->now >= idle_until(t))
		end_idle(t);
	if (t->now >= tunnel_answer_until(t))
		tunnel_stop(t, CLOSE_INTERNAL, TUNNEL_PING_TIMEOUT,
		    "no answer to open");
	if (t->now >= sink_closed_until(t) || t->now >= refused_until(t))
		tunnel_break(t);
	if (t->now >= stream_until(t)) {
		if (t->out == FLOW_DISCARDING)
			tunnel_set_out(t, FLOW_ENDED);
		if (tunnel_failed(t))
			tunnel_in_drop(t);
	}
	if (t->now >= wire_until(t)) {
		if (!tunnel_close_is_in(t))
			tunnel_lose(t, TUNNEL_WIRE_LOST, "no answer to Close");
		tunnel_set_link(t, LINK_DROPPED);
	}
	tunnel_update(t);
}
