/* SPDX-License-Identifier: ISC */
/*
 * A session whose websocket is lost, until it has another one; and the
 * accepting side of that, which answers a redial.
 */
#include <stdio.h>
#include <string.h>

#include "connection/failure_lines.h"
#include "connection/handoff.h"
#include "connection/internal.h"
#include "connection/notice.h"
#include "connection/path_table.h"
#include "connection/record.h"
#include "connection/waiting.h"
#include "os/clock.h"
#include "os/log.h"

#define OF_USE	3000	/* ms for which a websocket was open */
#define ENDING	1000	/* ms for what is left, when its place is needed */

/*
 * Was the lost websocket of use?  If it moved something, or was open for OF_USE,
 * all begins anew: the pauses between tries, the time of --resume, the answers.
 * If not, the try that led to it has failed like others: something on the path
 * lets the 101 through, and no more.
 */
static void
count(struct connection *c, const char *why)
{
	uint64_t progress = tunnel_progress(&c->relay.tunnel);
	int64_t now = clock_ms();

	if (progress > c->progress || c->resumes == 0 ||
	    now - c->resumed_at >= OF_USE) {
		c->tries = 0;
		c->stuck_at = now;
		memset(&c->answers, 0, sizeof(c->answers));
		c->answers_logged = 0;
		c->last_try[0] = '\0';
	} else {
		c->tries++;
		answers_add(&c->answers, ANSWER_OF_NO_USE, now);
		snprintf(c->last_try, sizeof(c->last_try),
		    "a websocket that moved nothing: %s", why);
	}
	c->progress = progress;
}

/* One that was in doubt has been of no use since then. */
static void
lost(struct connection *c, const char *why)
{
	count(c, why);
	c->lost_at = c->doubted_at != 0 ? c->doubted_at : clock_ms();
	record_lost(c);
	log_event(LOG_L_INFO, "websocket-lost", "peer",
	    connection_field(c->peer), "id", c->ours.id, "why", why, NULL);
}

/* What was lost, for how long, and what the last attempt came to. */
static void
explain(struct connection *c, const char *early)
{
	struct tunnel *t = &c->relay.tunnel;
	int is_first = (c->answers.seen & 1u << ANSWER_OF_NO_USE) == 0;
	char lasted[32];

	str_ms(lasted, sizeof(lasted), clock_ms() - (early != NULL ||
	    is_first ? c->lost_at : c->stuck_at));
	if (early != NULL)
		snprintf(c->why, sizeof(c->why), "%s, after %s without a "
		    "redial: %s", t->why, lasted, early);
	else if (c->client)
		snprintf(c->why, sizeof(c->why), "%s, for %s no new websocket%s: "
		    "%s%s%s", t->why, lasted, is_first ? "" : " of use",
		    answers_tell(&c->answers), c->last_try[0] != '\0' ?
		    "; the last try: " : "", c->last_try);
	else
		snprintf(c->why, sizeof(c->why), "%s, for %s no redial came%s",
		    t->why, lasted, is_first ? "" : " that was of use");
	t->why = c->why;
}

static void
expire(struct connection *c, const char *early)
{
	connection_search_late(c);
	explain(c, early);
	tunnel_expire(&c->relay.tunnel);
	c->give_up = c->notice_at = CLOCK_NEVER;
	c->doubted_at = 0;
	connection_search_end(c);
}

/* Before --resume is over, for others. */
static void
end_early(struct connection *c, const char *why)
{
	record_gave_way();
	expire(c, why);
}

/* The path ends websockets that are idle. */
static void
tell_pings(struct connection *c)
{
	struct tunnel *t = &c->relay.tunnel;
	struct log_line l;

	if (!t->ping_adapted)
		return;
	t->ping_adapted = 0;
	log_begin(&l, LOG_L_INFO, "ping-interval");
	log_str(&l, "peer", connection_field(c->peer));
	log_str(&l, "id", c->ours.id);
	log_seconds(&l, "interval", t->cfg.ping_interval);
	log_seconds(&l, "idle", t->idle_death);
	log_str(&l, "why", "the path ends idle websockets");
	log_end(&l);
}

void
connection_lost(struct connection *c)
{
	const struct tunnel *t = &c->relay.tunnel;
	int64_t now = clock_ms();
	int64_t patience = c->o->timeouts.resume;

	/*
	 * All is delivered; only the peer's Close is missing.  A dialler
	 * redials for --linger only; an acceptor waits for --resume, as its
	 * dialler may notice the loss late.
	 */
	if (tunnel_over(t) && (c->client || t->end != TUNNEL_GOING) &&
	    c->o->timeouts.linger > 0 && c->o->timeouts.linger < patience)
		patience = c->o->timeouts.linger;
	lost(c, t->why);
	c->give_up = c->stuck_at + patience;
	tell_pings(c);
	notice_plan(c, c->lost_at);
	connection_show(c, "lost");
	connection_path_lost(c);
	if (c->client)
		connection_search(c, now + answers_pause(c->tries));
	else if (waiting_start(c->owner, now) == -1)
		end_early(c, "too many sessions of this user or address wait");
}

int
connection_resume(struct connection *c, const struct websocket *w)
{
	uint64_t sent = tunnel_sent(&c->relay.tunnel);
	struct log_line l;

	if (relay_resume(&c->relay, w->io, w->theirs.at, w->early,
	    w->early_len) == -1)
		return -1;
	waiting_stop();
	c->elsewhere = w->elsewhere;
	connection_path_up(c);
	c->resumes++;
	c->resumed_at = clock_ms();
	record_resumed(c);
	c->give_up = CLOCK_NEVER;
	c->doubted_at = 0;
	log_begin(&l, LOG_L_INFO, "resumed");
	if (c->peer[0] != '\0')
		log_str(&l, "peer", c->peer);
	log_str(&l, "id", c->ours.id);
	log_seconds(&l, "after", clock_ms() - c->lost_at);
	log_num(&l, "resent", (int64_t)(sent - w->theirs.at));
	log_end(&l);
	notice_resumed(c);
	connection_show(c, "open");
	return 0;
}

/* Is it from who began the session? */
static int
is_owner(const struct connection *c, const struct handoff_request *v,
    const struct websocket *w)
{
	return strcmp(v->user, c->user) == 0 &&
	    strcmp(v->subject, c->subject) == 0 &&
	    strcmp(w->theirs.id, c->theirs.id) == 0;
}

/* A redial that does not get this session. */
static void
log_refused(const struct connection *c, const struct handoff_request *v,
    const struct error *why)
{
	if (failure_lines_ask_for(v->via, why))
		log_event(LOG_L_WARN, "failed", "mode", mode_name(c->o->mode),
		    "peer", connection_field(v->via), "user",
		    connection_field(v->user), "subject",
		    connection_field(v->subject), "why", why->text, NULL);
}

/*
 * A connection is handed over that asks for this session.  The numbers it
 * brings tell whether it may have it: an attempt is good once only, and its
 * position must be one that is still kept.  Who is not its owner is answered as
 * if there were no such session; the owner's attempt that came before is no end
 * of the session, so it is answered without the field that says so.  No refusal,
 * here or in websocket_adopt(), keeps the tunnel waiting; a process of our user
 * that connects and sends nothing does, for a second (handoff_accept).
 */
void
connection_handoff(struct connection *c)
{
	struct tunnel *t = &c->relay.tunnel;
	struct upgrade_request request;
	struct extension answer = c->ours;
	struct handoff_request v;
	struct websocket w;
	struct error why;
	int loss_is_known = (tunnel_wants(t) & TUNNEL_LOST) != 0;

	if (handoff_accept(c->handoff, &v) == -1 || handoff_confirm(&v) == -1)
		return;
	if (websocket_adopt(&w, c->o, io_of(v.fd), v.bytes, v.len, &request,
	    &why) == -1) {
		log_refused(c, &v, &why);
		return;
	}
	if (!is_owner(c, &v, &w)) {
		websocket_refuse_now(&w, 410, handoff_instance_field(),
		    NO_SESSION);
		error_set(&why, EXIT_PROTOCOL, "refused with 410: it is not the "
		    "one that began the session");
		log_refused(c, &v, &why);
		return;
	}
	if (w.theirs.attempt <= c->attempt) {
		websocket_refuse_now(&w, 410, "", NO_SESSION);
		return;
	}
	c->attempt = w.theirs.attempt;
	answer.flags = EXT_RESUME;
	answer.at = tunnel_taken(t);
	answer.has_at = 1;
	if (!tunnel_may_resume(t, w.theirs.at)) {
		websocket_refuse_now(&w, 410, handoff_instance_field(),
		    NO_SESSION);
		tunnel_stop(t, CLOSE_PROTOCOL, TUNNEL_PEER_FAULT,
		    "resumed from a position that is not kept");
		return;
	}
	if (websocket_answer(&w, &request, &answer, clock_after(
	    c->o->timeouts.handshake), &why) == -1)
		return;
	if (!loss_is_known)
		lost(c, "the peer dialled again");
	if (v.via[0] != '\0')
		strlcpy(c->via, v.via, sizeof(c->via));
	connection_resume(c, &w);
}

void
connection_time(struct connection *c)
{
	int64_t now = clock_ms();

	if (now >= c->notice_at && now < c->give_up)
		notice_lost(c);
	if (now >= c->give_up)
		expire(c, NULL);
	else
		connection_redial(c);
	if (now >= c->look.next)
		c->look.next = 0;
}

/*
 * To a dialler it means that the network has changed, or that the supervisor has
 * ended, which would tell it so; to an acceptor that waits for "open", that the
 * options have changed; to another one, that the place of its session is needed
 * for another connection.  A session that has its websocket again, or has not
 * waited long, stays.
 */
void
connection_hint(struct connection *c)
{
	if (c->client && path_table_is_left())
		connection_left(c);
	else if (c->client)
		connection_network_changed(c);
	else if (c->give_up != CLOCK_NEVER &&
	    clock_ms() - c->lost_at >= WAITING_MIN) {
		waiting_give_way();
		c->end_by = clock_ms() + ENDING;
		end_early(c, "its place was needed for another connection");
	} else
		connection_renewed(c);
}
