/* SPDX-License-Identifier: ISC */
/*
 * The dialling side of a session does not wait for --ping-timeout to learn
 * that its wire is dead.  When something should have come and has not, it
 * sends a Ping; when no Pong comes either, it wants a new path.
 */
#include "tunnel/internal.h"

#define QUIET		1500	/* ms without a byte until a Ping is sent */
/* How long its Pong may take: the longer of the two. */
#define PATIENCE	3000	/* ms */
#define ROUND_TRIPS	4	/* of the largest round trip measured lately */

/* The accepting side cannot dial; and pings may be off. */
static int
watches(const struct tunnel *t)
{
	return t->cfg.client && t->session == SESSION_KEPT &&
	    t->cfg.ping_interval > 0 && t->cfg.ping_timeout > 0 &&
	    t->end == TUNNEL_GOING && t->link == LINK_UP &&
	    t->wire == WIRE_OPEN && tunnel_begun(t);
}

/* Have bytes or the end been sent, which the peer has not acknowledged? */
static int
is_unacknowledged(const struct tunnel *t)
{
	return t->out_sent - t->payload_left > t->out_kept ||
	    (t->eof_sent && t->out == FLOW_DRAINING);
}

void
tunnel_await_ack(struct tunnel *t)
{
	if (!is_unacknowledged(t))
		t->unacked_at = t->now;
}

/*
 * When a Ping is sent into the silence.  Data that came since the last Ping
 * are a reason for one more, as are bytes of ours that wait for their
 * acknowledgement; an idle wire is left to --ping-interval.
 */
static int64_t
quiet_until(const struct tunnel *t)
{
	if (!watches(t) || t->silence != SILENCE_NONE)
		return TUNNEL_NEVER;
	if (t->taken_at >= t->pinged_at)
		return t->received_at + QUIET;
	if (is_unacknowledged(t))
		return latest(t->received_at, t->unacked_at) + QUIET;
	return TUNNEL_NEVER;
}

static int64_t
pong_until(const struct tunnel *t)
{
	if (!watches(t) || t->silence != SILENCE_PINGED)
		return TUNNEL_NEVER;
	return latest(t->pinged_at, t->moved_at) +
	    latest(PATIENCE, ROUND_TRIPS * t->rtt_most);
}

int64_t
tunnel_doubt_time(const struct tunnel *t)
{
	return earlier(quiet_until(t), pong_until(t));
}

/* For whatever reason the Ping is sent, its Pong is waited for. */
void
tunnel_pinged(struct tunnel *t)
{
	if (!watches(t) || t->silence != SILENCE_NONE)
		return;
	tunnel_set_silence(t, SILENCE_PINGED);
	t->pinged_at = t->now;
}

/* The largest round trip; an old one loses an eighth with each new one. */
void
tunnel_count_round_trip(struct tunnel *t)
{
	if (t->rtt > t->rtt_most)
		t->rtt_most = t->rtt;
	else
		t->rtt_most -= (t->rtt_most - t->rtt) / 8;
}

void
tunnel_doubt_tick(struct tunnel *t)
{
	if (t->now >= quiet_until(t)) {
		tunnel_pinged(t);
		t->ping_due = 1;
	} else if (t->now >= pong_until(t)) {
		t->doubt = "no answer to a Ping";
		tunnel_set_silence(t, SILENCE_DOUBTED);
	}
}

/* A tunnel that has ended meanwhile needs no other path. */
unsigned int
tunnel_doubt_wants(const struct tunnel *t)
{
	return t->silence == SILENCE_DOUBTED && watches(t) ?
	    TUNNEL_NEW_PATH : 0;
}

void
tunnel_bytes_received(struct tunnel *t)
{
	t->received_at = t->now;
	tunnel_set_silence(t, SILENCE_NONE);
}

void
tunnel_wire_moved(struct tunnel *t)
{
	t->moved_at = t->now;
}

enum tunnel_pong
tunnel_pong_due(const struct tunnel *t)
{
	if (t->silence != SILENCE_PINGED)
		return PONG_NOT_DUE;
	return t->ping_due || t->head_len > 0 ? PONG_UNASKED : PONG_DUE;
}

/*
 * A wire that only waits for a stream holds no data: it is given up at once,
 * for another one.
 */
void
tunnel_doubt(struct tunnel *t, const char *why)
{
	if (t->cfg.client && tunnel_waits(t)) {
		tunnel_lose(t, TUNNEL_WIRE_LOST, why);
		tunnel_update(t);
		return;
	}
	if (!watches(t) || t->silence == SILENCE_DOUBTED)
		return;
	t->doubt = why;
	t->pinged_at = t->now;
	t->ping_due = 1;
	tunnel_set_silence(t, SILENCE_DOUBTED);
}

void
tunnel_abandon(struct tunnel *t)
{
	if (tunnel_doubt_wants(t) == 0)
		return;
	tunnel_lose(t, TUNNEL_PING_TIMEOUT, t->doubt);
	tunnel_update(t);
}
