/* SPDX-License-Identifier: ISC */
/*
 * A tunnel that we stop, or that goes on over a new wire, and what its end
 * means for the exit status.
 */
#include "base/error.h"
#include "tunnel/internal.h"

int
tunnel_lost(const struct tunnel *t)
{
	return t->wire == WIRE_LOST && t->session == SESSION_KEPT;
}

int
tunnel_closes_passed(const struct tunnel *t)
{
	return t->wire == WIRE_CLOSED || (t->wire == WIRE_LOST &&
	    t->peer_code != 0 && t->close_code != 0 && !t->wire_eof);
}

int
tunnel_over(const struct tunnel *t)
{
	return t->end == TUNNEL_GOING ? tunnel_complete(t) :
	    t->end == TUNNEL_STREAM_RESET;
}

/* The reason in our Close when we stop the tunnel. */
static const char *
reason_of(const struct tunnel *t, enum tunnel_end end)
{
	if (end == TUNNEL_STOPPED)
		return t->cfg.client ? "client stopped" : "server stopped";
	return end == TUNNEL_IDLE ? "idle timeout" : NULL;
}

void
tunnel_stop(struct tunnel *t, unsigned int code, enum tunnel_end end,
    const char *why)
{
	if (t->cfg.extension && tunnel_over(t)) {
		if (tunnel_lost(t))
			tunnel_expire(t);
		return;
	}
	if (t->end == TUNNEL_GOING) {
		t->rst_due = t->cfg.extension && !tunnel_waits(t) &&
		    !tunnel_close_sent(t);
		t->close_reason = reason_of(t, end);
	}
	tunnel_in_drop(t);
	tunnel_fault(t, end, code, why);
	tunnel_update(t);
}

uint64_t
tunnel_taken(const struct tunnel *t)
{
	return t->in_taken;
}

uint64_t
tunnel_progress(const struct tunnel *t)
{
	return t->in_taken + max(t->out_kept, t->out_arrived) +
	    (t->in != FLOW_OPEN) + (t->out == FLOW_ENDED);
}

uint64_t
tunnel_sent(const struct tunnel *t)
{
	return t->out_sent - t->payload_left;
}

uint32_t
tunnel_window_out(const struct tunnel *t)
{
	return (uint32_t)(t->out_limit - t->out_kept);
}

uint32_t
tunnel_window_in(const struct tunnel *t)
{
	return (uint32_t)t->in_credit;
}

int
tunnel_may_resume(const struct tunnel *t, uint64_t at)
{
	return t->session == SESSION_KEPT && tunnel_begun(t) &&
	    at >= t->out_kept && at <= tunnel_sent(t);
}

/* Time without a wire counts for nothing that waits for the peer. */
static void
skip_lost_time(struct tunnel *t, int64_t *at)
{
	*at = t->now - latest(t->lost_at - *at, 0);
}

int
tunnel_resume(struct tunnel *t, uint64_t at)
{
	if (!tunnel_may_resume(t, at))
		return -1;
	tunnel_out_rewind(t, at);
	t->out_arrived = at;
	tunnel_in_restart(t);
	/* The old wire, which may still be up, is lost; the new one is open. */
	tunnel_set_wire(t, WIRE_LOST);
	tunnel_set_wire(t, WIRE_OPEN);
	tunnel_set_link(t, LINK_UP);
	t->wire_eof = t->wire_finished = t->wire_blocked = 0;
	t->why = NULL;
	t->peer_code = 0;
	t->peer_reason_len = 0;
	t->closed_at = t->now;
	if (t->end == TUNNEL_GOING)
		t->close_code = 0;
	t->received_at = t->sent_at = t->ping_at = t->now;
	t->pinged_at = t->unacked_at = t->now;
	t->rtt_most = 0;
	skip_lost_time(t, &t->data_at);
	skip_lost_time(t, &t->ended_at);
	skip_lost_time(t, &t->sink_closed_at);
	tunnel_update(t);
	return 0;
}

int
tunnel_status(enum tunnel_end end)
{
	switch (end) {
	case TUNNEL_GOING:
	case TUNNEL_ENDED:
		return EXIT_ENDED;
	case TUNNEL_PEER_FAULT:
		return EXIT_PROTOCOL;
	default:
		return EXIT_LOST;
	}
}

void
tunnel_end_complete(struct tunnel *t)
{
	if (t->end == TUNNEL_GOING)
		tunnel_set_end(t, TUNNEL_ENDED);
	if (t->close_code == 0) {
		t->close_code = CLOSE_NORMAL;
		t->closed_at = t->now;
	}
}

void
tunnel_expire(struct tunnel *t)
{
	tunnel_set_session(t, SESSION_OVER);
	if (t->end == TUNNEL_GOING && tunnel_complete(t))
		tunnel_set_end(t, TUNNEL_ENDED);
	else
		tunnel_fault(t, TUNNEL_WIRE_LOST, CLOSE_NONE, t->why);
	tunnel_update(t);
}
