/* SPDX-License-Identifier: ISC */
/*
 * Children in their handshake, and those that answer --metrics: how many there
 * may be, and which of them end; by a scripted clock.
 *
 * If it fails: a few slow clients keep all others out, or a good one is
 * killed.
 */
#include <sys/socket.h>

#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "stats/page.h"
#include "tap.h"

static int64_t ticks = 100000;
static int is_through[16];		/* by slot */
static pid_t killed;

static int64_t
scripted_clock(void)
{
	return ticks;
}

static int
scripted_established(int slot, int pid)
{
	return is_through[slot];
}

static int
scripted_kill(pid_t pid, int signo)
{
	killed = signo == SIGKILL ? pid : -1;
	return 0;
}

/* Which was killed since the last time, or 0. */
static pid_t
last_killed(void)
{
	pid_t pid = killed;

	killed = 0;
	return pid;
}

#define clock_ms		scripted_clock
#define stats_is_established	scripted_established
#define kill			scripted_kill
#include "supervisor/handshake_limit.c"
#include "supervisor/metrics/listener.c"

/* --- handshakes --- */

static void
begin(struct handshake_limit *h, unsigned int n)
{
	unsigned int i;

	memset(is_through, 0, sizeof(is_through));
	memset(h, 0, sizeof(*h));
	is(handshake_limit_grow(h, 8), 0, "room for eight");
	for (i = 0; i < n; i++)
		handshake_limit_begun(h, i, 500 + (pid_t)i, (int)i);
}

static void
test_limit(void)
{
	struct options o = { .limits.handshakes = 3,
	    .timeouts = { .connect = 1000, .handshake = 2000 } };
	struct handshake_limit h;
	unsigned int i;

	begin(&h, 2);
	is(handshake_limit_allows(&h, &o), 1, "two of three");
	handshake_limit_begun(&h, 2, 502, 2);
	is(handshake_limit_allows(&h, &o), 0, "three of three");
	o.limits.handshakes = 0;
	is(handshake_limit_allows(&h, &o), 1, "0 is no limit");
	o.limits.handshakes = 3;
	is_through[1] = 1;
	is(handshake_limit_allows(&h, &o), 1, "one is through");
	is(h.n, 2, "and does not count any more");
	handshake_limit_ended(&h, 1);
	is(h.n, 2, "nor once more when it ends");
	handshake_limit_begun(&h, 5, 505, 5);
	is(handshake_limit_allows(&h, &o), 0, "three again");
	handshake_limit_ended(&h, 0);
	is(handshake_limit_allows(&h, &o), 1, "one has ended");
	handshake_limit_begun(&h, 6, 506, 6);
	is(handshake_limit_grow(&h, 8), 0, "no more room is needed");
	is(handshake_limit_grow(&h, 16), 0, "more room");
	handshake_limit_begun(&h, 15, 515, 15);
	is(h.n, 4, "all are kept");
	for (i = 0; i < 16; i++)
		handshake_limit_ended(&h, i);
	is(h.n, 0, "and all are found");
	handshake_limit_end(&h);
	is(h.room, 0, "nothing is left");
}

/* Who has no slot counts until it ends, and may be established. */
static void
test_without_slot(void)
{
	struct options o = { .limits.handshakes = 2,
	    .timeouts = { .connect = 1000, .handshake = 2000 } };
	struct handshake_limit h;

	begin(&h, 2);
	is_through[0] = is_through[1] = -1;
	ticks += 1000000;
	is(handshake_limit_allows(&h, &o), 0, "two of two, at any time");
	is(last_killed(), 0, "they are left alone");
	handshake_limit_ended(&h, 1);
	is(handshake_limit_allows(&h, &o), 1, "one has ended");
	handshake_limit_end(&h);
}

/* Three times both timeouts, and five seconds. */
static void
test_stuck(void)
{
	struct options o = { .limits.handshakes = 1,
	    .timeouts = { .connect = 1000, .handshake = 2000 } };
	struct handshake_limit h;

	begin(&h, 1);
	ticks += 3 * 3000 + 5000 - 1;
	is(handshake_limit_allows(&h, &o), 0, "within its timeouts");
	is(last_killed(), 0, "it lives");
	ticks++;
	o.timeouts.connect = 0;
	is(handshake_limit_allows(&h, &o), 0, "one timeout is off");
	o.timeouts.connect = 1000;
	o.timeouts.handshake = 0;
	is(handshake_limit_allows(&h, &o), 0, "or the other");
	is(last_killed(), 0, "it lives");
	o.timeouts.handshake = 2000;
	is(handshake_limit_allows(&h, &o), 1, "beyond them");
	is(last_killed(), 500, "it is killed");
	handshake_limit_end(&h);
}

/* Not all are looked at for each connection, but in turn. */
static void
test_turn(void)
{
	struct options o = { .limits.handshakes = 100 };
	struct handshake_limit h = { 0 };
	unsigned int i;

	memset(is_through, 0, sizeof(is_through));
	is(handshake_limit_grow(&h, 100), 0, "room for a hundred");
	for (i = 0; i < 100; i++)
		handshake_limit_begun(&h, i, 1000 + (pid_t)i, i == 99);
	is_through[1] = 1;
	is(handshake_limit_allows(&h, &o), 0, "sixty-four are looked at");
	is(handshake_limit_allows(&h, &o), 1, "then the others");
	is(h.n, 99, "of which one is through");
	handshake_limit_end(&h);
}

/* --- metrics --- */

static void
test_children(void)
{
	static struct metrics_listener m;	/* large */
	unsigned int i;

	for (i = 0; i < METRICS_CHILDREN; i++)
		metrics_listener_forked(&m, 100 + (pid_t)i, 1000 + i);
	is(metrics_listener_ended(&m, 99), 0, "not one of them");
	is(metrics_listener_ended(&m, 116), 0, "nor this");
	is(metrics_listener_ended(&m, 103), 1, "one of them");
	is(metrics_listener_ended(&m, 103), 0, "but once");
	is(m.nchildren, METRICS_CHILDREN - 1, "one less");
	ok(m.child[2].pid == 102 && m.child[3].pid == 104 &&
	    m.child[14].pid == 115, "the others keep their order");
	is(metrics_listener_tend(&m, 0, 0), CLOCK_NEVER,
	    "without a listener there is nothing to do");
}

static int
dial(const struct metrics_listener *m, unsigned int i)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (getsockname(m->fd[i], (struct sockaddr *)&at, &len) == -1 ||
	    connect(fd, (struct sockaddr *)&at, len) == -1)
		return -1;
	return fd;
}

static int
is_watched(const struct event_set *events)
{
	uint32_t tags[EVENT_BATCH];

	return event_take(events, tags) > 0 &&
	    tags[0] == watch_tag(WATCH_METRICS, 0, 0);
}

static void
test_listener(void)
{
	static const struct addr word = { .kind = ADDR_TCP,
	    .host = "127.0.0.1", .mode = -1 };
	static struct metrics_listener m;
	static struct inherited given;
	struct options o = { .observe.metrics = NULL };
	struct event_set events;
	struct error why;
	int fd, visitor, i;

	is(event_open(&events), 0, "(open)");
	is(metrics_listener_begin(&m, &o, &given, &events, &why), 0, "none");
	is(m.n, 0, "is wanted");
	o.observe.metrics = &word;
	is(metrics_listener_begin(&m, &o, &given, &events, &why), 0, "one");
	is(m.n, 1, "is there");
	errno = 0;
	is(metrics_listener_accept(&m, 1), -1, "there is no other");
	is(errno, EAGAIN, "nobody came");
	is(metrics_listener_tend(&m, 0, 1000), CLOCK_NEVER, "nothing to do");
	visitor = dial(&m, 0);
	ok(is_watched(&events), "one comes");
	is(metrics_listener_tend(&m, 1, 1000), CLOCK_NEVER, "a pause");
	ok(!is_watched(&events), "it waits");
	is(metrics_listener_tend(&m, 0, 1000), CLOCK_NEVER, "no pause");
	ok(is_watched(&events), "it is seen again");
	fd = metrics_listener_accept(&m, 0);
	ok(fd >= 0, "and accepted");
	close(fd);
	for (i = 0; i < METRICS_CHILDREN; i++)
		metrics_listener_forked(&m, 100 + i, 1000 + 10 * i);
	is(metrics_listener_tend(&m, 0, 1199), 1200, "full for 200 ms");
	is(metrics_listener_tend(&m, 0, 1200), 1400, "then looked at again");
	is(last_killed(), 0, "as nobody waits, none has to go");
	fd = dial(&m, 0);
	ok(!is_watched(&events), "one waits");
	errno = 0;
	is(metrics_listener_accept(&m, 0), -1, "there is no room");
	is(errno, EAGAIN, "it says so");
	is(metrics_listener_tend(&m, 0, 1199), 1200, "the oldest has its time");
	is(last_killed(), 0, "lives");
	is(metrics_listener_tend(&m, 0, 1200), 1400, "it had it");
	is(last_killed(), 100, "and goes");
	is(metrics_listener_ended(&m, 100), 1, "it is gone");
	is(metrics_listener_tend(&m, 0, 1210), CLOCK_NEVER, "room again");
	ok(is_watched(&events), "who waited is seen");
	event_close(&events);
	is(metrics_listener_tend(&m, 1, 1210), -1, "what cannot be watched");
	metrics_listener_end(&m);
	is(last_killed(), 115, "the end: all go");
	is(m.n, 0, "and no listener is left");
	close(fd);
	close(visitor);
}

int
main(void)
{
	test_limit();
	test_without_slot();
	test_stuck();
	test_turn();
	test_children();
	test_listener();
	return done_testing();
}
