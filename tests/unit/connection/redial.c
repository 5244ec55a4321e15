/* SPDX-License-Identifier: ISC */
/*
 * The search for a new path: when it begins and ends, what is asked over a path
 * that is up, and what an answer changes.
 *
 * If it fails: a session is not resumed although the network is back, or a
 * websocket is given up that still works; a server is asked without a pause.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "connection/internal.h"
#include "connection/notice.h"
#include "connection/path_table.h"
#include "connection/paths.h"
#include "handshake/redial.h"
#include "os/clock.h"
#include "os/log.h"
#include "done.h"
#include "seen.h"
#include "tap.h"
#include "today.h"

/* What the parts around it answer, and what they were asked. */
static struct script {
	int lost, over, ask, step, status, resume, holds, path_holds;
	int path_of;
	unsigned int changes;
	int64_t unheard, path_time, answer_time;
	enum paths_event event[4];
	struct attempt *which;
	struct extension theirs;
	int has_extension;
	const struct http_head *head;
	uint32_t retry_after;

	int64_t first;
	const union net_end *known;
	struct extension offer;
	const char *doubt;
} said;

static void
scripted_want(struct paths *p, const union net_end *known, int64_t first)
{
	did("want");
	p->next_at = first;
	said.first = first;
	said.known = known;
}

static enum paths_event
scripted_path(struct attempt **which)
{
	enum paths_event e = said.event[0];

	memmove(said.event, said.event + 1,
	    sizeof(said.event) - sizeof(said.event[0]));
	*which = said.which;
	return e;
}

static int
scripted_ask(const struct extension *offer, struct error *why)
{
	did("ask");
	said.offer = *offer;
	if (said.ask == -1)
		error_set(why, 1, "cannot ask");
	return said.ask;
}

static int
scripted_step(struct websocket *w, int *status, struct error *why)
{
	w->io = IO_CLOSED;
	w->has_extension = said.has_extension;
	w->theirs = said.theirs;
	w->retry_after = said.retry_after;
	w->head = said.head;
	*status = said.status;
	error_set(why, EXIT_LOST, "refused with %d", said.status);
	return said.step;
}

static void
scripted_cancel(int *status)
{
	did("cancel");
	*status = said.status;
}

static void
scripted_attempt_cancel(struct attempt *a, int error)
{
	did("cancel-attempt");
	error_set(&a->why, 1, "%s", strerror(error));
}

static void
scripted_open(struct net_changes *n)
{
	did("open");
	n->route = 4;
}

static unsigned int
scripted_changes(void)
{
	unsigned int what = said.changes;

	said.changes = 0;
	return what;
}

/* A try is answered again after 700 ms. */
static int64_t
scripted_next(unsigned int *tries, uint32_t retry_after, int64_t now)
{
	++*tries;
	return now + 700 + retry_after;
}

#define tunnel_lost(t)			said.lost
#define tunnel_over(t)			said.over
#define tunnel_taken(t)			(uint64_t)4321
#define tunnel_abandon(t)		did("abandon")
#define tunnel_doubt(t, why)		(did("doubt"), said.doubt = (why))
#define paths_want(p, o, trust, known, first) \
	scripted_want(p, known, first)
#define paths_end(p)			did("paths-end")
#define paths_renew(p)			did("renew")
#define paths_step(p, until, which)	scripted_path(which)
#define paths_poll(p, fds)		1
#define paths_time(p)			said.path_time
#define attempt_end(a)			did("attempt-end")
#define attempt_cancel			scripted_attempt_cancel
#define redial_ask(w, a, o, trust, offer, why)	scripted_ask(offer, why)
#define redial_step(status) \
	scripted_step(&search.asked, status, &search.why)
#define redial_end()			did("redial-end")
#define redial_cancel(status)		scripted_cancel(status)
#define redial_poll(p)			2
#define redial_time()			said.answer_time
#define redial_holds()			said.holds
#define redial_unheard_since()		said.unheard
#define notice_trusted(c)		did("trusted")
#define notice_plan(c, at)		did("plan")
#define net_path_of(p, fd)		said.path_of
#define net_path_holds(p)		said.path_holds
#define net_changes_open(n)		scripted_open(n)
#define net_changes_take(n)		scripted_changes()
#define path_table_up(p)		did("table-up")
#define path_table_lost()		did("table-lost")
#define connection_resume(c, w) \
	(did("resume"), said.resume)
#define answers_next(tries, after, now, until) \
	scripted_next(tries, after, now)
#include "connection/redial.c"

static struct connection c;
static struct options o;
static struct attempt attempt;

/* A dialler, whose websocket is lost or not. */
static void
begin(int lost)
{
	memset(&c, 0, sizeof(c));
	memset(&said, 0, sizeof(said));
	was_done();
	memset(&attempt, 0, sizeof(attempt));
	memset(&search, 0, sizeof(search));
	c.o = &o;
	c.client = 1;
	c.relay.tunnel.session = SESSION_KEPT;
	c.way.local.sa.sa_family = AF_UNSPEC;
	c.give_up = today + 50000;
	c.changes.route = c.changes.clock = -1;
	strlcpy(c.ours.id, "mine", sizeof(c.ours.id));
	strlcpy(c.ours.session, "0123", sizeof(c.ours.session));
	said.lost = lost;
	said.which = &attempt;
	said.path_time = said.answer_time = said.unheard = CLOCK_NEVER;
	seen();
}

static void
begin_search(int lost)
{
	begin(lost);
	connection_search(&c, today + 50);
	was_done();
}

/* It has a path, and asks. */
static void
begin_asked(void)
{
	begin_search(1);
	said.event[0] = PATHS_UP;
	connection_redial(&c);
	was_done();
	said.event[0] = PATHS_NOTHING;
}

static void
test_search(void)
{
	begin(1);
	is(connection_redial_time(&c), CLOCK_NEVER, "no search");
	connection_search_end(&c);
	is_str(was_done(), "", "nothing ends");
	connection_search(&c, today + 50);
	ok(said.first == today + 50 && said.known == NULL,
	    "a path is looked for, by name");
	is_str(was_done(), "want", "once");
	connection_search(&c, today);
	is_str(was_done(), "", "one search at a time");
	said.path_time = today + 7;
	is(connection_redial_time(&c), today + 7, "when it goes on");
	said.answer_time = today;
	is(connection_redial_time(&c), today + 7, "no answer is waited for");
	connection_search_end(&c);
	is_str(was_done(), "paths-end", "it ends");
	c.way.local.sa.sa_family = AF_INET;
	connection_search(&c, today);
	ok(said.known == &c.way.remote, "with the address of before");
	c.elsewhere = 1;
	c.redial = REDIAL_NONE;
	connection_search(&c, today + 100);
	ok(said.known == NULL, "but not with that of another host");
	c.elsewhere = 0;
	is(c.redial, REDIAL_TRYING, "again");
}

static void
test_doubt(void)
{
	begin(0);
	connection_doubted(&c);
	is(c.doubted_at, today, "in doubt from now on");
	is_str(was_done(), "plan want", "a path is looked for");
	ok(was_seen("event=websocket-doubted id=mine"), "it is logged");
	said.lost = 1;
	connection_trusted(&c);
	is(c.redial, REDIAL_TRYING, "one that is lost says nothing");
	said.lost = 0;
	connection_trusted(&c);
	is_str(was_done(), "trusted paths-end", "it speaks: no search");
	is(c.doubted_at, 0, "nor doubt");
	connection_trusted(&c);
	is_str(was_done(), "", "no more to do");

	connection_doubted(&c);
	said.event[0] = PATHS_UP;
	was_done();
	connection_redial(&c);
	is_str(was_done(), "abandon", "a path is up: the old one is given up");
	is(connection_redial_time(&c), 0, "at once");
	said.event[0] = PATHS_FAILED;
	connection_redial(&c);
	is_str(was_done(), "abandon", "no other is looked for");
	said.lost = 1;
	connection_redial(&c);
	ok(strncmp(was_done(), "paths-end ask", 13) == 0 && c.path == NULL,
	    "when it has gone, the new one is asked");

	begin_search(0);
	c.path = &attempt;
	connection_search_end(&c);
	is_str(was_done(), "attempt-end paths-end", "a path of no use");
	ok(c.path == NULL, "is closed");
}

static void
test_ask(void)
{
	begin_search(1);
	said.event[0] = PATHS_UP;
	connection_redial(&c);
	is_str(was_done(), "paths-end ask", "a path: asked over");
	ok(said.offer.flags == EXT_RESUME && said.offer.has_at &&
	    said.offer.at == 4321 && said.offer.attempt == 1 &&
	    strcmp(said.offer.session, "0123") == 0,
	    "for this session, from here on");
	is(c.redial, REDIAL_ASKED, "its answer is waited for");
	said.path_time = today + 9;
	said.answer_time = today + 4;
	is(connection_redial_time(&c), today + 4, "for a time");
	said.path_time = today + 2;
	is(connection_redial_time(&c), today + 2, "paths go on");
	said.event[0] = PATHS_UP;
	connection_redial(&c);
	is_str(was_done(), "redial-end paths-end ask", "over another path");
	is(said.offer.attempt, 2, "is another attempt");
	connection_search_end(&c);
	is_str(was_done(), "redial-end paths-end", "all ends");

	begin_search(1);
	said.event[0] = PATHS_UP;
	said.ask = -1;
	connection_redial(&c);
	is(c.redial, REDIAL_TRYING, "it cannot be asked");
	is(search.paths.next_at, today + PATHS_EVERY, "another path, later");
	ok(was_seen("why=\"cannot ask\""), "logged");
}

static void
test_paths_fail(void)
{
	begin_search(1);
	attempt.why.status = EXIT_LOST;
	strlcpy(attempt.why.text, "no route", sizeof(attempt.why.text));
	said.event[0] = said.event[1] = PATHS_FAILED;
	connection_redial(&c);
	is(c.answers.seen, 1 << ANSWER_NONE, "two paths come to nothing");
	is(c.answers.tries, 2, "each");
	is(search.paths.next_at, today + 50, "others go on as before");
	is_str(c.last_try, "no route", "why is kept");
	ok(!was_seen("level=info"), "not worth a line");
	attempt.refused = REFUSED_BY_PROXY;
	attempt.retry_after = 20;
	said.event[0] = PATHS_FAILED;
	connection_redial(&c);
	is(c.answers.last, ANSWER_PROXY, "a proxy refuses");
	is(search.paths.next_at, today + 720, "it is given time");
	is(c.tries, 1, "as an answer");
	ok(was_seen("level=info event=redial-failed"), "which is worth a line");
	said.event[0] = PATHS_FAILED;
	connection_redial(&c);
	ok(was_seen("level=debug event=redial-failed"), "the first time");

	begin_search(1);
	c.give_up = today + 2500;
	attempt.why.status = EXIT_DENIED;
	said.event[0] = PATHS_FAILED;
	connection_redial(&c);
	ok(was_seen("level=info event=redial-failed"),
	    "so is a certificate that is refused");
	begin_search(1);
	c.give_up = today + 2500;
	attempt.why.status = EXIT_LOST;
	said.event[0] = PATHS_FAILED;
	connection_redial(&c);
	ok(was_seen("left=2.5"), "and how much time is left");
	c.give_up = today - 1;
	said.event[0] = PATHS_FAILED;
	connection_redial(&c);
	ok(was_seen("left=0"), "or none");
	c.give_up = CLOCK_NEVER;
	said.event[0] = PATHS_FAILED;
	connection_redial(&c);
	ok(!was_seen("left="), "or all");
	begin_search(1);
	c.give_up = today;
	attempt.refused = REFUSED_BY_PROXY;
	said.event[0] = PATHS_FAILED;
	connection_redial(&c);
	ok(was_seen("level=debug"), "at the end it is told by another line");
}

static void
test_answer(void)
{
	begin_asked();
	said.step = 1;
	said.has_extension = 1;
	connection_redial(&c);
	is_str(was_done(), "resume paths-end", "the session goes on");
	is(c.redial, REDIAL_NONE, "no search");

	begin_asked();
	said.step = 1;
	said.has_extension = 1;
	said.resume = -1;
	connection_redial(&c);
	is(c.answers.last, ANSWER_NOT_KEPT, "from what is not kept");
	is(c.redial, REDIAL_TRYING, "it is not resumed");
	is(c.give_up, today, "and cannot be any more");
	ok(was_seen("a position that is not kept"), "it is logged");

	begin_asked();
	said.step = 1;
	connection_redial(&c);
	is_str(was_done(), "", "a peer without sessions: not resumed");
	is(c.answers.last, ANSWER_OTHER, "another answer");
	is(c.tries, 1, "of which there is one");
	is(c.give_up, today + 50000, "it is no end");
	begin_asked();
	said.step = 1;
	said.over = 1;
	connection_redial(&c);
	is(c.give_up, today, "when all was delivered it is");

	begin_asked();
	said.step = -1;
	said.status = 503;
	said.retry_after = 9;
	search.paths.next_at = CLOCK_NEVER;
	connection_redial(&c);
	is(c.answers.last, ANSWER_OTHER, "503");
	is(search.paths.next_at, today + 709, "as it says");
	is(c.redial, REDIAL_TRYING, "another path");
	begin_asked();
	said.step = -1;
	search.paths.next_at = CLOCK_NEVER;
	connection_redial(&c);
	is(c.answers.last, ANSWER_NONE, "the path is lost");
	is(search.paths.next_at, today + PATHS_EVERY, "another one then");
	is(c.tries, 0, "and no pause");
	begin_asked();
	said.step = -1;
	search.paths.next_at = today + 3;
	connection_redial(&c);
	is(search.paths.next_at, today + 3, "or sooner");
}

static int64_t
next_path(int64_t since, int64_t rtt)
{
	begin_asked();
	search.paths.next_at = 1;
	c.relay.tunnel.rtt_most = rtt;
	said.unheard = since;
	connection_redial(&c);
	return search.paths.next_at;
}

static void
test_unheard(void)
{
	is(next_path(today, 10), today + 3000, "unheard for three seconds");
	is(next_path(today - 20, 750), today + 2980, "since it was sent");
	is(next_path(today, 751), today + 3004, "or four round trips");
	is(next_path(CLOCK_NEVER, 0), CLOCK_NEVER, "received: no other path");
	is(next_path(0, 0), 1, "nothing was sent");
	said.unheard = today;
	connection_redial(&c);
	search.paths.next_at = 5;
	connection_redial(&c);
	is(search.paths.next_at, 5, "the same request: as planned");
	said.unheard = today + 1;
	search.paths.hurry = 1;
	connection_redial(&c);
	is(search.paths.next_at, 5, "after a change of the network, too");
	search.paths.hurry = 0;
	connection_redial(&c);
	is(search.paths.next_at, today + 3001, "then anew");
}

static void
test_late(void)
{
	begin(1);
	connection_search_late(&c);
	is_str(was_done(), "", "no search: nothing is late");
	begin_asked();
	said.status = 0;
	connection_search_late(&c);
	is_str(was_done(), "cancel", "the request is");
	ok(c.redial == REDIAL_TRYING && c.answers.tries == 1 &&
	    c.answers.last == ANSWER_NONE, "it has no answer");
	begin_search(1);
	connection_search_late(&c);
	is_str(was_done(), "", "no attempt is under way");
	search.paths.n = 1;
	search.paths.at[0] = &attempt;
	connection_search_late(&c);
	is_str(was_done(), "cancel-attempt", "the oldest one is late");
	is_str(c.last_try, strerror(ETIMEDOUT), "which is the reason");
	connection_search_late(&c);
	is_str(was_done(), "", "unless there is a better one");
}

static void
test_changed(void)
{
	begin(0);
	connection_network_changed(&c);
	is_str(was_done(), "doubt", "a websocket is in doubt");
	begin_search(1);
	connection_network_changed(&c);
	is_str(was_done(), "renew", "a search begins anew");
	c.path = &attempt;
	connection_network_changed(&c);
	is_str(was_done(), "", "but a path that is up stays");
	begin_asked();
	said.holds = 1;
	connection_network_changed(&c);
	is_str(was_done(), "", "so does a request");
	said.holds = 0;
	connection_network_changed(&c);
	is_str(was_done(), "renew", "unless its address is gone");
}

/* What is done when the system says so, after whatever pause. */
static const char *
look_now(unsigned int what, sa_family_t family, int holds)
{
	c.look.next = 0;
	said.changes = what;
	said.path_holds = holds;
	c.way.local.sa.sa_family = family;
	connection_look_at_network(&c);
	return was_done();
}

static void
test_look(void)
{
	begin(0);
	is_str(look_now(0, AF_INET, 0), "", "nothing has changed");
	is_str(look_now(NET_WOKEN, AF_INET, 1), "doubt", "it has slept");
	is_str(look_now(NET_APPEARED, AF_INET, 1), "", "another network");
	is_str(look_now(NET_APPEARED, AF_INET, 0), "doubt", "its own is gone");
	is_str(look_now(NET_APPEARED, AF_UNSPEC, 0), "", "it is not known");
	c.client = 0;
	is_str(look_now(NET_WOKEN, AF_INET, 0), "", "one that cannot dial");
	c.client = 1;
	c.relay.tunnel.session = SESSION_NONE;
	is_str(look_now(NET_WOKEN, AF_INET, 0), "", "one without a session");
	begin_search(1);
	is_str(look_now(NET_APPEARED, AF_UNSPEC, 0), "renew", "a new network");
	is_str(look_now(NET_WOKEN, AF_UNSPEC, 0), "renew", "it has slept");
	is_str(look_now(8, AF_INET, 0), "", "one that is gone");
}

/* The pause after a look that comes so long after the last one. */
static int64_t
pause_after(int64_t ms, int holds)
{
	today += ms;
	look_now(NET_CHANGED, AF_INET, holds);
	return connection_redial_time(&c) - today;
}

static void
test_pause(void)
{
	static const int64_t longer[] = { 200, 400, 800, 1600, 2000, 2000 };
	struct pollfd p[RELAY_WATCH_MAX];
	int64_t pause;
	size_t i;

	begin(0);
	c.changes.route = 4;
	is(pause = pause_after(0, 1), 100, "a change of others: a pause");
	is(connection_redial_poll(&c, p), 0, "in which nothing is watched");
	said.changes = NET_WOKEN;
	connection_look_at_network(&c);
	is_str(was_done(), "", "nor looked at");
	is(said.changes, NET_WOKEN, "and nothing is lost");
	for (i = 0; i < sizeof(longer) / sizeof(longer[0]); i++)
		is(pause = pause_after(pause, 1), longer[i], "the next");
	is(pause_after(pause, 0), 100, "it concerns this one: a short one");
	for (i = 0, pause = 100; i < 5; i++)
		pause = pause_after(pause, 1);
	is(pause, 2000, "(long again)");
	is(pause_after(2100, 1), 2000, "others follow");
	is(pause_after(2101, 1), 100, "they had stopped");
	begin_search(1);
	said.path_time = today + 150;
	c.changes.route = 4;
	look_now(NET_APPEARED, AF_INET, 0);
	is(connection_redial_time(&c), today + 100, "during a search");
	said.path_time = today + 50;
	is(connection_redial_time(&c), today + 50, "whichever is first");
}

/* What is done when the supervisor has ended. */
static const char *
leave(int holds)
{
	said.path_holds = holds;
	c.way.local.sa.sa_family = AF_INET;
	connection_left(&c);
	return was_done();
}

static void
test_left(void)
{
	begin(0);
	is_str(leave(1), "open", "it watches the network itself");
	is_str(leave(0), "", "which it begins once");
	begin(0);
	is_str(leave(0), "open doubt", "the path is gone that nobody told of");
	begin_search(1);
	is_str(leave(0), "open renew", "a search begins anew");
	begin(0);
	c.changes.clock = 5;
	is_str(leave(0), "", "one that watches the clock only");
	begin(0);
	c.relay.tunnel.session = SESSION_NONE;
	is_str(leave(0), "", "one without a session");
	is(c.changes.route, -1, "opens nothing");
}

static void
test_way(void)
{
	begin(0);
	c.way.local.sa.sa_family = AF_INET;
	connection_path_up(&c);
	is_str(was_done(), "table-up", "the supervisor knows the path");
	said.path_of = -1;
	connection_path_up(&c);
	ok(c.way.local.sa.sa_family == AF_UNSPEC && was_done()[0] == '\0',
	    "one that has no address");
	connection_path_lost(&c);
	is_str(was_done(), "table-lost", "it is lost");
	c.client = 0;
	said.path_of = 0;
	c.way.local.sa.sa_family = AF_INET;
	connection_path_lost(&c);
	connection_path_up(&c);
	is_str(was_done(), "", "who cannot dial has none");
	is(c.way.local.sa.sa_family, AF_UNSPEC, "and keeps none");
}

static void
test_poll(void)
{
	struct pollfd p[RELAY_WATCH_MAX];

	begin(0);
	is(connection_redial_poll(&c, p), 0, "nothing to watch");
	c.changes.clock = 5;
	is(connection_redial_poll(&c, p), 1, "sleep");
	ok(p[0].fd == 5 && p[0].events == POLLIN, "by this");
	c.changes.route = 4;
	is(connection_redial_poll(&c, p), 2, "and networks");
	ok(p[0].fd == 4 && p[1].fd == 5 && p[0].events == POLLIN,
	    "by these");
	connection_search(&c, today);
	is(connection_redial_poll(&c, p), 3, "paths");
	said.lost = 1;
	said.event[0] = PATHS_UP;
	connection_redial(&c);
	is(connection_redial_poll(&c, p), 5, "and an answer");
}

static void
test_states(void)
{
	begin(0);
	o.log.verbose = 2;
	connection_search(&c, today);
	ok(was_seen("event=state id=mine what=redial from=none to=trying"),
	    "with -v -v each state");
	o.log.verbose = 1;
	connection_search_end(&c);
	ok(!was_seen("event=state"), "with -v none");
	o.log.verbose = 0;
}

/* What is left after 410 that names another instance than ours, or not. */
static int64_t
left_after(const char *ours, const char *theirs)
{
	static struct http_head head;
	static char text[200];
	struct http_parser_state h;
	char why[100];
	int status;

	snprintf(text, sizeof(text), "HTTP/1.1 410 Gone\r\n%s%s\r\n",
	    theirs[0] != '\0' ? "Inetws-Instance: " : "X: y", theirs);
	strlcat(text, "\r\n", sizeof(text));
	http_begin(&h, 1);
	if (http_parse(&h, text, strlen(text), &head, &status, why,
	    sizeof(why)) <= 0)
		abort();
	begin_asked();
	strlcpy(c.theirs.instance, ours, sizeof(c.theirs.instance));
	said.head = &head;
	said.step = -1;
	said.status = 410;
	connection_redial(&c);
	return c.give_up - today;
}

static void
test_gone(void)
{
	is(left_after("abc", "abc"), 0, "where it was it is no more: the end");
	is(left_after("abc", "abd"), 50000, "elsewhere it never was");
	is(left_after("abc", ""), 50000, "who says not where knows nothing");
	is(left_after("", ""), 50000, "nor if it was not known");
}

int
main(void)
{
	seen_begin();
	log_open(LOG_TO_STDERR, LOG_L_DEBUG, NULL);
	test_search();
	test_doubt();
	test_ask();
	test_paths_fail();
	test_answer();
	test_unheard();
	test_late();
	test_changed();
	test_look();
	test_pause();
	test_left();
	test_way();
	test_poll();
	test_states();
	test_gone();
	return done_testing();
}
