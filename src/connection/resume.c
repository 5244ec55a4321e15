/* SPDX-License-Identifier: ISC */
/*
 * A session whose websocket is lost: dials again, or answers a redial.
 */
#include <stdio.h>
#include <string.h>

#include "connection/handoff.h"
#include "connection/internal.h"
#include "connection/record.h"
#include "os/backoff.h"
#include "os/clock.h"
#include "os/log.h"

#define ANSWERS_GONE_MAX 5	/* 410s until a session is given up */
#define ANSWERS_DENIED_MAX 5	/* 401 or 403, over DENIED_MS at least */
#define DENIED_MS	30000
#define BACKOFF_MAX	5000	/* ms */

static void
lost(struct connection *c, const char *why)
{
	c->lost_at = clock_ms();
	record_lost();
	log_event(LOG_L_INFO, "websocket-lost", "peer",
	    connection_field(c->peer), "id", c->ours.id, "why", why, NULL);
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
	if (t->received)
		c->tries = 0;
	c->answers_gone = c->answers_denied = 0;
	c->last_try[0] = '\0';
	c->give_up = now + patience;
	c->next_try = !c->client ? CLOCK_NEVER :
	    now + (c->tries == 0 ? 0 : backoff_ms(c->tries, BACKOFF_MAX));
	lost(c, t->why);
	connection_show(c, "lost");
}

/*
 * Goes on over a new websocket, from the peer's position: 0, or -1 if that is
 * not kept.
 */
static int
resume(struct connection *c, const struct websocket *w)
{
	uint64_t sent = tunnel_sent(&c->relay.tunnel);
	struct log_line l;

	if (relay_resume(&c->relay, w->io, w->theirs.at, w->early,
	    w->early_len) == -1)
		return -1;
	c->resumes++;
	record_resumed(c);
	c->give_up = c->next_try = CLOCK_NEVER;
	log_begin(&l, LOG_L_INFO, "resumed");
	if (c->peer[0] != '\0')
		log_str(&l, "peer", c->peer);
	log_str(&l, "id", c->ours.id);
	log_seconds(&l, "after", clock_ms() - c->lost_at);
	log_num(&l, "resent", sent - w->theirs.at);
	log_end(&l);
	connection_show(c, "open");
	return 0;
}

/*
 * Is a refused redial the last one?  A plain peer's 101 counts as a 410: it
 * comes from a backend that does not keep the session.  401 and 403 are
 * tolerated for DENIED_MS, all other statuses until --resume is over.  A 101
 * that answers for the session and fails it is final.
 */
static int
final(struct connection *c, int http_status)
{
	int64_t now = clock_ms();

	if (http_status == 410) {
		c->answers_denied = 0;
		return tunnel_over(&c->relay.tunnel) ||
		    ++c->answers_gone >= ANSWERS_GONE_MAX;
	}
	c->answers_gone = 0;
	if (http_status == 401 || http_status == 403) {
		if (c->answers_denied++ == 0)
			c->denied_at = now;
		return c->answers_denied >= ANSWERS_DENIED_MAX &&
		    now - c->denied_at >= DENIED_MS;
	}
	c->answers_denied = 0;
	return http_status == 101;
}

/* A timeout, 0 being none, that is over at a time, if that is sooner. */
static int64_t
at_most(int64_t timeout, int64_t until)
{
	int64_t left = until - clock_ms();

	if (left < 1)
		left = 1;
	return timeout == 0 || timeout > left ? left : timeout;
}

/* Does the answer come from where the session was given? */
static int
is_same_instance(const struct connection *c, const struct websocket *w)
{
	struct slice value;

	return c->theirs.instance[0] != '\0' && w->head != NULL &&
	    http_field(w->head, "Inetws-Instance", &value) == 1 &&
	    slice_is(value, c->theirs.instance);
}

/* Dials with our position.  0, or -1 with the HTTP status that it came to. */
static int
dial_again(struct connection *c, int *status, struct error *why)
{
	struct extension offer = c->ours;
	struct options o = *c->o;
	struct websocket w;

	o.timeouts.connect = at_most(o.timeouts.connect, c->give_up);
	o.timeouts.handshake = at_most(o.timeouts.handshake, c->give_up);
	*status = 0;
	offer.flags = EXT_RESUME;
	offer.attempt = ++c->attempt;
	offer.at = tunnel_taken(&c->relay.tunnel);
	offer.has_at = 1;
	if (websocket_dial(&w, &o, c->trust, &offer, status, why) == -1) {
		if (*status == 410 && is_same_instance(c, &w))
			c->answers_gone = ANSWERS_GONE_MAX;
		return -1;
	}
	if (w.has_extension && resume(c, &w) == 0)
		return 0;
	if (!w.has_extension)
		*status = 410;
	io_close(&w.io);
	return error_set(why, EXIT_LOST, w.has_extension ?
	    "resumed from a position that is not kept" :
	    "answered by a peer that knows no sessions");
}

/* The stream waits meanwhile: what it sends stays in the kernel. */
static void
redial(struct connection *c)
{
	struct error why;
	int status;

	c->tries++;
	if (dial_again(c, &status, &why) == 0)
		return;
	strlcpy(c->last_try, why.text, sizeof(c->last_try));
	log_event(LOG_L_DEBUG, "redial-failed", "id", c->ours.id,
	    "why", why.text, NULL);
	if (final(c, status))
		c->give_up = clock_ms();
	else
		c->next_try = clock_ms() + backoff_ms(c->tries, BACKOFF_MAX);
}

/* Is it from who began the session, and newer than what came before? */
static int
is_owner(const struct connection *c, const struct handoff_request *v,
    const struct websocket *w)
{
	return strcmp(v->user, c->user) == 0 &&
	    strcmp(v->subject, c->subject) == 0 &&
	    strcmp(w->theirs.id, c->theirs.id) == 0 &&
	    w->theirs.attempt > c->attempt;
}

/*
 * A connection is handed over that asks for this session.  The numbers it
 * brings tell whether it may have it: an attempt is good once only, and its
 * position must be one that is still kept.  All refusals are the same, and
 * none keeps the tunnel waiting.
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
	int in_time = (tunnel_wants(t) & TUNNEL_LOST) != 0;

	if (handoff_accept(c->handoff, &v) == -1)
		return;
	handoff_confirm(&v);
	if (websocket_adopt(&w, c->o, io_of(v.fd), v.bytes, v.len, &request,
	    &why) == -1)
		return;
	if (!is_owner(c, &v, &w)) {
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
	if (!in_time)
		lost(c, "the peer dialled again");
	strlcpy(c->via, v.via, sizeof(c->via));
	resume(c, &w);
}

/* What was lost, for how long, and what the last attempt came to. */
static void
explain(struct connection *c)
{
	struct tunnel *t = &c->relay.tunnel;
	char lasted[32];

	str_ms(lasted, sizeof(lasted), clock_ms() - c->lost_at);
	if (c->last_try[0] != '\0')
		snprintf(c->why, sizeof(c->why), "%s, for %s no new websocket; "
		    "the last try: %s", t->why, lasted, c->last_try);
	else
		snprintf(c->why, sizeof(c->why), "%s, for %s no redial came",
		    t->why, lasted);
	t->why = c->why;
}

void
connection_time(struct connection *c)
{
	if (clock_ms() >= c->give_up) {
		explain(c);
		tunnel_expire(&c->relay.tunnel);
		c->give_up = c->next_try = CLOCK_NEVER;
	} else
		redial(c);
}
