/* SPDX-License-Identifier: ISC */
/*
 * The dialling side of a session looks for a new path: when its websocket is
 * lost, or in doubt and still up.  Only when a path is there the old websocket
 * is given up and the request sent.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection/internal.h"
#include "connection/notice.h"
#include "connection/path_table.h"
#include "connection/paths.h"
#include "handshake/redial.h"
#include "os/clock.h"
#include "os/log.h"

#define LOOK_PAUSE	100	/* ms, from a look at the network to the next, */
#define LOOK_PAUSE_MAX	2000	/* ... and the longest */
#define PATIENCE	3000	/* ms, or four round trips, until a path
				 * must have taken the request */

_Static_assert(PATHS_POLL_MAX + REDIAL_POLL_MAX + 2 <= RELAY_WATCH_MAX,
    "all can be watched");

/* What is big is set when it is used; a process has one tunnel. */
static struct {
	struct paths paths;
	struct websocket asked;		/* while REDIAL_ASKED */
	int64_t unheard_since;		/* of redial.h, as last seen */
	struct extension offer;
	struct error why;
} search;

static void
set_state(struct connection *c, enum redial_state to)
{
	static const char *const names[] = {
		[REDIAL_NONE] = "none", [REDIAL_TRYING] = "trying",
		[REDIAL_ASKED] = "asked"
	};

	if (c->o->log.verbose >= 2 && c->redial != to)
		log_event(LOG_L_DEBUG, "state", "id", c->ours.id, "what",
		    "redial", "from", names[c->redial], "to", names[to], NULL);
	c->redial = to;
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/*
 * Where the last websocket went.  If it was redirected there, that host, or its
 * proxy, must not get what is for the URL's.
 */
static const union net_end *
known(const struct connection *c)
{
	return c->way.local.sa.sa_family == AF_UNSPEC || c->elsewhere ? NULL :
	    &c->way.remote;
}

void
connection_search(struct connection *c, int64_t first)
{
	if (c->redial != REDIAL_NONE)
		return;
	search.paths.n = 0;
	paths_want(&search.paths, c->o, c->trust, known(c), first);
	set_state(c, REDIAL_TRYING);
}

void
connection_search_end(struct connection *c)
{
	if (c->redial == REDIAL_NONE)
		return;
	if (c->redial == REDIAL_ASKED)
		redial_end();
	if (c->path != NULL)
		attempt_end(c->path);
	c->path = NULL;
	paths_end(&search.paths);
	set_state(c, REDIAL_NONE);
}

/* The old websocket has spoken. */
void
connection_trusted(struct connection *c)
{
	if (c->redial != REDIAL_TRYING || tunnel_lost(&c->relay.tunnel))
		return;
	log_event(LOG_L_DEBUG, "websocket-trusted", "id", c->ours.id, NULL);
	notice_trusted(c);
	c->doubted_at = 0;
	connection_search_end(c);
}

void
connection_doubted(struct connection *c)
{
	log_event(LOG_L_DEBUG, "websocket-doubted", "id", c->ours.id, "why",
	    c->relay.tunnel.doubt, NULL);
	c->doubted_at = clock_ms();
	notice_plan(c, c->doubted_at);
	connection_search(c, clock_ms());
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

/*
 * The first answer that does not help is worth a line; what is answered after
 * that, and that there is no path, is not, and the last one is told at the end.
 */
static void
log_failed(struct connection *c, enum answer answer, const struct error *why)
{
	int is_answer = answer != ANSWER_NONE || why->status == EXIT_DENIED;
	int64_t now = clock_ms();
	struct log_line l;

	log_begin(&l, is_answer && !c->answers_logged &&
	    c->give_up > now ? LOG_L_INFO : LOG_L_DEBUG,
	    "redial-failed");
	c->answers_logged |= is_answer;
	log_str(&l, "peer", connection_field(c->peer));
	log_str(&l, "id", c->ours.id);
	log_why(&l, "why", why->text);
	if (c->give_up != CLOCK_NEVER)
		log_seconds(&l, "left", c->give_up > now ? c->give_up - now :
		    0);
	log_end(&l);
}

/*
 * A redial has come to this.  Without an answer the next connection begins when
 * it would have anyway; an answer makes the pause longer each time.
 */
static void
failed(struct connection *c, enum answer answer, uint32_t retry_after,
    int is_answer, const struct error *why)
{
	int64_t now = clock_ms();

	strlcpy(c->last_try, why->text, sizeof(c->last_try));
	if (answers_add(&c->answers, answer, now))
		c->give_up = now;
	else if (is_answer)
		search.paths.next_at = answers_next(&c->tries, retry_after,
		    now, c->give_up);
	log_failed(c, answer, why);
}

/* No more time: what was under way comes to nothing. */
void
connection_search_late(struct connection *c)
{
	struct attempt *a = search.paths.n > 0 ? search.paths.at[0] : NULL;
	int status;

	if (c->redial == REDIAL_ASKED) {
		redial_cancel(&status);
		set_state(c, REDIAL_TRYING);
		failed(c, answer_of_status(status, 0, 0), 0, 0, &search.why);
	} else if (c->redial == REDIAL_TRYING && a != NULL &&
	    c->last_try[0] == '\0') {
		attempt_cancel(a, ETIMEDOUT);
		failed(c, ANSWER_NONE, 0, 0, &a->why);
	}
}

/*
 * A path that has taken the request has all of --handshake-timeout for the
 * answer.  If it has not, for too long, another path is looked for, while the
 * request goes on.
 */
static void
look_for_delay(const struct connection *c)
{
	int64_t since = redial_unheard_since();
	int64_t patience = 4 * c->relay.tunnel.rtt_most;

	if (since == search.unheard_since || search.paths.hurry)
		return;
	search.unheard_since = since;
	search.paths.next_at = since == CLOCK_NEVER ? since : since +
	    (patience > PATIENCE ? patience : PATIENCE);
}

/*
 * Asks over a path that is up, with our position: whatever the old websocket
 * may still bring would come too late.  The connection of the request before
 * this one, if that had no answer, is closed.
 */
static void
ask(struct connection *c, struct attempt *a)
{
	struct extension *offer = &search.offer;

	if (c->redial == REDIAL_ASKED)
		redial_end();
	set_state(c, REDIAL_TRYING);
	paths_end(&search.paths);
	*offer = c->ours;
	offer->flags = EXT_RESUME;
	offer->attempt = ++c->attempt;
	offer->at = tunnel_taken(&c->relay.tunnel);
	offer->has_at = 1;
	if (redial_ask(&search.asked, a, c->o, c->trust, offer,
	    &search.why) == 0) {
		set_state(c, REDIAL_ASKED);
		search.unheard_since = 0;
		return;
	}
	search.paths.next_at = clock_ms() + PATHS_EVERY;
	failed(c, ANSWER_NONE, 0, 0, &search.why);
}

/* 101: is it from who keeps the session? */
static void
answered(struct connection *c)
{
	struct websocket *w = &search.asked;
	int over = tunnel_over(&c->relay.tunnel);

	if (w->has_extension && connection_resume(c, w) == 0) {
		set_state(c, REDIAL_NONE);
		paths_end(&search.paths);
		return;
	}
	set_state(c, REDIAL_TRYING);
	websocket_bye(w, w->has_extension ? CLOSE_PROTOCOL : CLOSE_NORMAL,
	    clock_ms());
	error_set(&search.why, EXIT_LOST, w->has_extension ?
	    "resumed from a position that is not kept" :
	    "answered by a peer that knows no sessions");
	failed(c, w->has_extension ? ANSWER_NOT_KEPT :
	    answer_of_status(101, 0, over), 0, 1, &search.why);
}

static void
look_for_answer(struct connection *c)
{
	struct websocket *w = &search.asked;
	int status, r = redial_step(&status);

	if (r == 1)
		answered(c);
	if (r == 0)
		look_for_delay(c);
	if (r != -1)
		return;
	set_state(c, REDIAL_TRYING);
	search.paths.next_at = earlier(search.paths.next_at, clock_ms() +
	    PATHS_EVERY);
	failed(c, answer_of_status(status, is_same_instance(c, w),
	    tunnel_over(&c->relay.tunnel)), w->retry_after, status != 0,
	    &search.why);
}

static void
look_for_path(struct connection *c)
{
	struct attempt *a;

	for (;;)
		switch (paths_step(&search.paths, c->give_up, &a)) {
		case PATHS_NOTHING:
			return;
		case PATHS_FAILED:
			failed(c, a->refused == REFUSED_BY_PROXY ?
			    ANSWER_PROXY : ANSWER_NONE, a->retry_after,
			    a->refused != REFUSED_NOT, &a->why);
			break;
		case PATHS_UP:
			if (!tunnel_lost(&c->relay.tunnel))
				c->path = a;
			else
				ask(c, a);
			return;
		}
}

void
connection_redial(struct connection *c)
{
	struct attempt *a = c->path;

	if (a != NULL && tunnel_lost(&c->relay.tunnel)) {
		c->path = NULL;
		ask(c, a);
	}
	if (c->redial == REDIAL_ASKED)
		look_for_answer(c);
	if (c->redial != REDIAL_NONE && c->path == NULL)
		look_for_path(c);
	if (c->path != NULL)
		tunnel_abandon(&c->relay.tunnel);
}

/* --- changes of the network --- */

static int
has_path(const struct connection *c)
{
	return c->client && c->relay.tunnel.session == SESSION_KEPT;
}

void
connection_path_up(struct connection *c)
{
	if (has_path(c) && net_path_of(&c->way,
	    c->relay.websocket.rfd) == 0)
		path_table_up(&c->way);
	else
		c->way.local.sa.sa_family = AF_UNSPEC;
}

void
connection_path_lost(struct connection *c)
{
	if (has_path(c))
		path_table_lost();
}

/* Another path, once up, would end the request that waits for its answer. */
void
connection_network_changed(struct connection *c)
{
	if (c->redial == REDIAL_NONE)
		tunnel_doubt(&c->relay.tunnel, "the network has changed");
	else if (c->redial == REDIAL_TRYING ? c->path == NULL :
	    !redial_holds())
		paths_renew(&search.paths);
}

/* Does it concern this tunnel? */
static int
concerns(const struct connection *c, unsigned int what)
{
	return (what & NET_WOKEN) || (c->redial == REDIAL_NONE ?
	    c->way.local.sa.sa_family != AF_UNSPEC &&
	    !net_path_holds(&c->way) : (what & NET_APPEARED) != 0);
}

/*
 * One change is several messages, and thousands of such processes may look at
 * each: the next look has to wait, longer each time while changes that do not
 * concern this tunnel follow each other.
 */
static void
look(struct connection *c, unsigned int what)
{
	int64_t now = clock_ms(), pause = 2 * c->look.pause;

	if (what == 0 || !has_path(c))
		return;
	if (now - c->look.last > LOOK_PAUSE_MAX + LOOK_PAUSE)
		pause = 0;
	if (concerns(c, what)) {
		pause = 0;
		connection_network_changed(c);
	}
	c->look.last = now;
	c->look.pause = pause < LOOK_PAUSE ? LOOK_PAUSE :
	    earlier(pause, LOOK_PAUSE_MAX);
	c->look.next = now + c->look.pause;
}

void
connection_look_at_network(struct connection *c)
{
	if (c->look.next == 0)
		look(c, net_changes_take(&c->changes));
}

/* What the supervisor saw last, it may not have told any more. */
void
connection_left(struct connection *c)
{
	if (!has_path(c) || c->changes.route != -1 || c->changes.clock != -1)
		return;
	net_changes_open(&c->changes);
	look(c, NET_CHANGED | NET_APPEARED);
}

static unsigned int
watch_network(const struct connection *c, struct pollfd *p)
{
	unsigned int n = 0;

	if (c->look.next != 0)
		return 0;
	if (c->changes.route != -1)
		p[n++] = (struct pollfd){ .fd = c->changes.route,
		    .events = POLLIN };
	if (c->changes.clock != -1)
		p[n++] = (struct pollfd){ .fd = c->changes.clock,
		    .events = POLLIN };
	return n;
}

unsigned int
connection_redial_poll(const struct connection *c, struct pollfd *p)
{
	unsigned int n = watch_network(c, p);

	if (c->redial == REDIAL_NONE)
		return n;
	n += paths_poll(&search.paths, p + n);
	if (c->redial == REDIAL_ASKED)
		n += redial_poll(p + n);
	return n;
}

int64_t
connection_redial_time(const struct connection *c)
{
	int64_t t = c->look.next != 0 ? c->look.next : CLOCK_NEVER;

	if (c->redial == REDIAL_NONE)
		return t;
	if (c->path != NULL)
		return 0;
	t = earlier(t, paths_time(&search.paths));
	return c->redial == REDIAL_ASKED ? earlier(t, redial_time()) : t;
}
