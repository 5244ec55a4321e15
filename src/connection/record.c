/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "connection/record.h"
#include "os/clock.h"
#include "stats/page.h"

static void
observe(struct report_histogram *h, const int64_t bounds[REPORT_BUCKETS - 1],
    int64_t ms)
{
	unsigned int i = report_bucket(bounds, ms);

	STATS_ADD(h->bucket[i], 1);
	STATS_ADD(h->sum, ms > 0 ? ms : 0);
}

#define TEXT(to, from)	strlcpy(to, from, sizeof(to))

void
record_peers(const struct connection *c)
{
	struct stats_slot *s = stats_mine;

	stats_begin_change();
	TEXT(s->mode, mode_name(c->o->mode));
	TEXT(s->peer, c->peer);
	TEXT(s->via, c->via);
	str_escape(s->user, sizeof(s->user), c->user, strlen(c->user));
	TEXT(s->target, c->target);
	TEXT(s->id, c->ours.id);
	TEXT(s->peer_id, c->theirs.id);
	stats_end_change();
}

void
record_open(const struct connection *c)
{
	record_peers(c);
	observe(&stats_mine->counts.handshake, report_handshake_ms,
	    clock_ms() - c->started);
	record_progress(&c->relay.tunnel);
}

static enum report_state
state_of(const struct tunnel *t)
{
	if (tunnel_lost(t))
		return STATE_LOST;
	if (!tunnel_flows(t))
		return STATE_PARKED;
	return tunnel_half_closed(t) ? STATE_HALF_CLOSED : STATE_OPEN;
}

void
record_progress(const struct tunnel *t)
{
	struct stats_slot *s = stats_mine;
	uint64_t in = t->in_delivered, out = t->out_head;

	STATS_SET(s->counts.up, s->up_before + (t->cfg.client ? out : in));
	STATS_SET(s->counts.down,
	    s->down_before + (t->cfg.client ? in : out));
	STATS_SET(s->data_at, t->data_at);
	stats_set_state(state_of(t));
	if (t->cfg.session) {
		STATS_SET(*(t->cfg.client ? &s->window_up : &s->window_down),
		    tunnel_window_out(t));
		STATS_SET(*(t->cfg.client ? &s->window_down : &s->window_up),
		    tunnel_window_in(t));
	}
	if (s->pongs != t->pongs) {
		STATS_SET(s->pongs, t->pongs);
		STATS_SET(s->rtt, t->rtt);
		observe(&s->counts.rtt, report_rtt_ms, t->rtt);
	}
	stats_flush();
}

void
record_lost(const struct connection *c)
{
	stats_lost(c->lost_at);
}

void
record_gave_way(void)
{
	STATS_ADD(stats_mine->counts.gave_way, 1);
}

void
record_resumed(const struct connection *c)
{
	stats_resumed(clock_ms() - c->lost_at);
	STATS_SET(stats_mine->resumes, c->resumes);
	record_peers(c);
}

void
record_end(const struct connection *c)
{
	const struct tunnel *t = &c->relay.tunnel;

	record_progress(t);
	observe(&stats_mine->counts.duration, report_duration_ms,
	    clock_ms() - c->started);
	STATS_ADD(stats_mine->counts.code[report_code(t->peer_code)], 1);
	stats_release(t->end);
}

void
record_probe(void)
{
	stats_release(RESULT_PROBE);
}

void
record_failed(int exit_status)
{
	stats_release(report_failure(exit_status));
}

void
record_handed_over(void)
{
	stats_release(RESULT_HANDED_OVER);
}
