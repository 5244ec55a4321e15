/* SPDX-License-Identifier: ISC */
/*
 * What a tunnel waits for, and how long.
 */
#include "tunnel/internal.h"

#define CLOSING_MAX	10000	/* ms, where --linger is off */
#define FINISHED_MAX	2000	/* ms between our end of the wire and theirs */

static int64_t
later(int64_t when, int64_t delay)
{
	return delay == 0 ? TUNNEL_NEVER : when + delay;
}

/*
 * A plain peer knows no half-close: at our stream's end Close is held back
 * until it has ended too, or has been silent for the linger time.
 */
int64_t
tunnel_hold_until(const struct tunnel *t)
{
	if (t->cfg.extension || !t->cfg.hold || t->in_ended ||
	    t->close_code != 0 || !tunnel_out_sent(t))
		return TUNNEL_NEVER;
	return later(t->taken_at > t->ended_at ? t->taken_at : t->ended_at,
	    t->cfg.linger);
}

int64_t
tunnel_ping_time(const struct tunnel *t)
{
	int64_t quiet = t->received_at < t->sent_at ? t->received_at : t->sent_at;

	if (!tunnel_wire_up(t) || t->close_sent)
		return TUNNEL_NEVER;
	return later(t->ping_at > quiet ? t->ping_at : quiet,
	    t->cfg.ping_interval);
}

/*
 * Silence means death only if the peer is known to answer, if the wire is
 * read, and if a plain peer was not itself stuck on what we sent.
 */
static int64_t
silence_until(const struct tunnel *t)
{
	if (!tunnel_reads_wire(t) || t->close_sent ||
	    !(t->answered || t->cfg.extension) ||
	    (t->wire_blocked && !t->cfg.extension))
		return TUNNEL_NEVER;
	return later(t->received_at, t->cfg.ping_timeout);
}

/*
 * Closing has a time of its own, but what came before it may wait, with the
 * wire gone, for a stream that takes nothing.
 */
static int64_t
idle_until(const struct tunnel *t)
{
	if (t->end != TUNNEL_GOING || t->lost || !tunnel_flows(t) ||
	    (t->close_code != 0 && !(t->wire_gone && t->pending > 0)))
		return TUNNEL_NEVER;
	return later(t->data_at, t->cfg.idle_timeout);
}

/* A stream closed in both directions waits for the peer so long. */
static int64_t
write_closed_until(const struct tunnel *t)
{
	if (!t->write_closed || !t->out_ended || t->in_ended ||
	    t->end != TUNNEL_GOING)
		return TUNNEL_NEVER;
	return (t->write_closed_at > t->ended_at ? t->write_closed_at : t->ended_at) +
	    (t->cfg.linger > 0 ? t->cfg.linger : CLOSING_MAX);
}

/* When the closing handshake, or an unwanted stream, has taken too long. */
static int64_t
closing_until(const struct tunnel *t)
{
	int64_t from = t->closed_at;

	if (t->close_code == 0 || t->lost || (t->wire_gone && t->out_ended &&
	    !(tunnel_failed(t) && t->pending > 0)))
		return TUNNEL_NEVER;
	if (t->wire_finished && !t->wire_gone)
		return t->closed_at + FINISHED_MAX;
	/* While a peer still sends something of use, it may go on. */
	if (!tunnel_failed(t) && t->taken_at > from)
		from = t->taken_at;
	return from + (t->cfg.linger > 0 ? t->cfg.linger : CLOSING_MAX);
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t
tunnel_deadline(const struct tunnel *t)
{
	int64_t d = TUNNEL_NEVER;

	if (tunnel_wire_up(t) && t->head_len == 0 && t->payload_left == 0) {
		d = earlier(d, tunnel_ping_time(t));
		d = earlier(d, tunnel_ack_time(t));
	}
	d = earlier(d, silence_until(t));
	d = earlier(d, idle_until(t));
	d = earlier(d, tunnel_answer_until(t));
	d = earlier(d, tunnel_hold_until(t));
	d = earlier(d, write_closed_until(t));
	return earlier(d, closing_until(t));
}

void
tunnel_tick(struct tunnel *t)
{
	if (!tunnel_reads_wire(t))
		t->received_at = t->now;
	if (t->now >= silence_until(t))
		tunnel_lose(t, TUNNEL_PING_TIMEOUT, "nothing came from the peer in time");
	if (t->now >= idle_until(t))
		tunnel_fault(t, TUNNEL_IDLE, CLOSE_POLICY, NULL);
	if (t->now >= tunnel_answer_until(t))
		tunnel_stop(t, CLOSE_INTERNAL, TUNNEL_PING_TIMEOUT,
		    "no answer to open");
	if (t->now >= write_closed_until(t))
		tunnel_break(t);
	if (t->now >= closing_until(t) && t->leaving)
		t->wire_dead = 1;
	else if (t->now >= closing_until(t)) {
		if (!t->wire_finished || t->wire_gone) {
			t->out_ended = 1;	/* the stream's time is up */
			if (tunnel_failed(t))
				tunnel_in_drop(t);
		}
		if (!t->wire_dead && !t->close_rcvd)
			tunnel_lose(t, TUNNEL_WIRE_LOST, "no answer to Close");
		t->wire_dead = 1;
	}
	tunnel_update(t);
}
