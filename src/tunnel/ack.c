/* SPDX-License-Identifier: ISC */
/*
 * Acknowledgements and credit (inetws-protocol(7), SESSIONS), in both
 * directions.
 */
#include "tunnel/internal.h"
#include "ws/control.h"

/* Credit: up to how many bytes it is raised, and for what reason. */
#define RAISE_FREELY	1048576	/* bytes: for none */
#define RAISE_QUICK	4194304	/* bytes: half of it is used in QUICK */
#define QUICK		3	/* ms */
#define PROBES_MIN	3	/* round trips measured before one counts */
#define PROBE_MS	10	/* between the Pings that measure more of them */

/* When delivered bytes are acknowledged. */
#define ACK_MAX		262144	/* so many bytes: at once */
#define ACK_DELAY	200	/* fewer: so many ms after the last delivery */
#define ACK_LITTLE	16384	/* fewer than these: */
#define ACK_SLOW	1000	/* ... so many ms after it */

/* Does the peer still get acknowledgements? */
static int
acknowledges(const struct tunnel *t)
{
	return t->cfg.session && t->end == TUNNEL_GOING &&
	    t->in != FLOW_ENDED && !tunnel_close_sent(t) &&
	    t->link == LINK_UP;
}

static uint64_t
unacknowledged(const struct tunnel *t)
{
	return t->in_delivered - t->in_acked;
}

/* So many bytes are acknowledged at once. */
static uint64_t
ack_size(const struct tunnel *t)
{
	return min(t->in_credit / 4, ACK_MAX);
}

int64_t
tunnel_ack_time(const struct tunnel *t)
{
	uint64_t n = unacknowledged(t);

	if (!acknowledges(t))
		return TUNNEL_NEVER;
	if (t->ack_due)
		return t->now;
	if (n == 0)
		return TUNNEL_NEVER;
	if (n >= ack_size(t))
		return t->now;
	return t->delivered_at + (n < ACK_LITTLE ? ACK_SLOW : ACK_DELAY);
}

/*
 * An acknowledgement that goes out together with data of ours needs no write
 * and no packet of its own, so it need not wait until it is due.
 */
int
tunnel_ack_rides(const struct tunnel *t)
{
	return acknowledges(t) && unacknowledged(t) > 0;
}

/*
 * The acknowledgement of the peer's end.  While our stream is open it often
 * answers that end with data; so the acknowledgement waits ACK_DELAY for them,
 * to go out in the same write.
 */
int64_t
tunnel_final_time(const struct tunnel *t)
{
	if (!t->final_due || t->end != TUNNEL_GOING)
		return TUNNEL_NEVER;
	return t->out == FLOW_OPEN ? t->shown_at + ACK_DELAY : t->now;
}

/*
 * Has the peer used half of its credit so soon that more would help?  When the
 * stream stalls, so many bytes stay in buffers; so beyond RAISE_FREELY there
 * has to be a reason.  A stream that takes half of that within QUICK ms is
 * limited by how often the processes at its ends get a turn: up to RAISE_QUICK
 * keeps all of them busy.  On a long path credit has to last for a round trip,
 * and for some more where lost segments hold up what follows them: it is raised
 * while half of it is used in less than two.
 */
static int
credit_is_small(const struct tunnel *t)
{
	int64_t took = t->now - t->raised_at;

	if (t->pending > 0)
		return 0;		/* the stream is behind */
	return t->in_credit < RAISE_FREELY ||
	    (t->in_credit < RAISE_QUICK && took < QUICK) ||
	    (t->round_trips >= PROBES_MIN && took < 2 * t->rtt_least);
}

/*
 * Is it time to measure a round trip?  Several are measured by Pings, one after
 * the other, and the shortest counts.  The first one is measured with the first
 * acknowledgement that does not wait.
 */
static int
probe_is_due(const struct tunnel *t)
{
	return t->in_credit < t->cfg.win_max &&
	    unacknowledged(t) >= ack_size(t) &&
	    t->pong_seq == t->ping_seq &&
	    (t->round_trips < PROBES_MIN || t->now - t->ping_at >= PROBE_MS);
}

static void
review_credit(struct tunnel *t)
{
	if (probe_is_due(t))
		t->ping_due = 1;
	if (t->in_delivered - t->in_raised < t->in_credit / 2)
		return;
	if (credit_is_small(t))
		t->in_credit = min(2 * t->in_credit, t->cfg.win_max);
	t->in_raised = t->in_delivered;
	t->raised_at = t->now;
}

/* Acknowledges what is delivered, and gives credit, which never falls. */
size_t
tunnel_ack_write(struct tunnel *t, char *line)
{
	review_credit(t);
	t->in_acked = t->in_delivered;
	t->in_limit = t->in_acked + t->in_credit;
	t->ack_due = 0;
	return control_write_ack(line, t->in_acked, t->in_credit);
}

/* Acknowledges all that the peer sent, and that its end was shown. */
size_t
tunnel_final_write(struct tunnel *t, char *line)
{
	t->in_acked = t->in_delivered;
	t->final_due = 0;
	t->final_sent = 1;
	return control_write(line, CONTROL_ACK, t->in_acked);
}

int
tunnel_out_acked(struct tunnel *t, uint64_t n, uint64_t credit)
{
	if (!t->cfg.session || n < t->out_kept ||
	    n > t->out_sent - t->payload_left ||
	    credit > INT64_MAX - n || n + credit < t->out_limit)
		return -1;
	if (n > t->out_kept)
		t->acked_at = t->now;
	t->out_kept = n;
	t->out_limit = n + credit;
	if (t->timed > 0 && n >= t->timed) {
		t->ack_delay = t->now - t->timed_at;
		t->timed = 0;
	}
	tunnel_ring_grow(t);
	return 0;
}

int
tunnel_out_confirmed(struct tunnel *t, uint64_t n)
{
	if (!t->eof_sent || n != t->out_head)
		return -1;
	t->out_kept = n;
	if (t->out == FLOW_DRAINING)
		t->ended_at = t->now;
	tunnel_set_out(t, FLOW_ENDED);
	return 0;
}
