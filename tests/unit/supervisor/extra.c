/* SPDX-License-Identifier: ISC */
/*
 * Extra children: who gets a place, and which session gives way.
 *
 * If it fails: a full instance refuses what it could serve, ends a session that
 * nobody replaces, or lets a request wait for ever.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "connection/waiting.h"
#include "net/fdpass.h"
#include "supervisor/internal.h"
#include "tap.h"
#include "today.h"

static int asked_pid, nasked, nrefused, nadmitted;
static const char *reason;

static int
scripted_kill(pid_t pid, int signo)
{
	if (signo != SIGUSR2)
		abort();
	asked_pid = pid;
	nasked++;
	return 0;
}

static void
scripted_at_limit(struct supervisor *s, const char *name, unsigned int n)
{
	reason = name;
}

static void
scripted_refused(struct supervisor *s)
{
	nrefused++;
}

static void
scripted_admit(struct supervisor *s, struct child *c)
{
	nadmitted++;
}

#define kill			scripted_kill
#define accept_at_limit		scripted_at_limit
#define accept_count_refused	scripted_refused
#define admit_at_last		scripted_admit
#define pool_end_channel	scripted_end
static void scripted_end(struct supervisor *, struct child *);
#include "supervisor/extra.c"

static struct supervisor sup;
static struct options options;
static struct service service;
static int theirs[10];

static void
scripted_end(struct supervisor *s, struct child *c)
{
	close(c->channel);
	c->channel = -1;
	extra_forget(s, c);
	children_set_state(&s->children, c, CHILD_PLAIN, 0);
}

/* An instance that is full of tunnels, of which none waits yet. */
static void
begin(unsigned int max)
{
	unsigned int i;

	memset(&sup, 0, sizeof(sup));
	memset(&options, 0, sizeof(options));
	memset(&service, 0, sizeof(service));
	sup.o = &options;
	sup.service = &service;
	sup.phase = SERVING;
	sup.fits.connections = max;
	if (children_begin(&sup.children) == -1 ||
	    children_grow(&sup.children, 30) == -1 ||
	    handshake_limit_grow(&sup.handshakes, 30) == -1)
		abort();
	for (i = 0; i < 30; i++)
		waiting_clear(i);
	for (i = 0; i < max; i++)
		children_add(&sup.children, 100 + i, 0, -1, 0);
	nasked = nrefused = nadmitted = asked_pid = 0;
	reason = NULL;
}

static void
end(void)
{
	children_end(&sup.children);
	handshake_limit_end(&sup.handshakes);
}

/* An extra child with a channel, which asks for a place. */
static struct child *
extra(int i)
{
	struct child *c;
	int pair[2];

	if (fdpass_pair(pair) == -1)
		abort();
	theirs[i] = pair[1];
	c = children_add(&sup.children, 200 + i, 0, pair[0], 0);
	children_set_extra(&sup.children, c, 1);
	return c;
}

/* The session of child i waits for its websocket, since then. */
static void
lose(unsigned int i, int64_t since)
{
	waiting_be(i);
	waiting_start(0, since);
}

/* The letter and text that it was told. */
static const char *
told(int i)
{
	static char line[FDPASS_TEXT_MAX + 4];
	char text[FDPASS_TEXT_MAX];
	int fd, letter = fdpass_take(theirs[i], text, &fd);

	if (letter <= 0)
		return "";
	snprintf(line, sizeof(line), "%c%s", letter, text);
	return line;
}

static void
test_room(void)
{
	struct child *c;

	begin(2);
	children_remove(&sup.children, children_find(&sup.children, 100));
	c = extra(0);
	is(extra_wants_place(&sup, c), 1, "there is a place");
	is(c->extra, 0, "which it has today");
	is(sup.handshakes.n, 1, "and its handshake counts");
	is(nasked + nrefused, 0, "nobody gave way");
	end();
}

static void
test_waits(void)
{
	struct child *c, *d;

	begin(2);
	lose(1, today - WAITING_MIN);
	c = extra(0);
	is(extra_time(&sup), CLOCK_NEVER, "nobody waits");
	is(extra_wants_place(&sup, c), 0, "full");
	is(c->state, CHILD_ASKING, "it waits");
	is(asked_pid, 101, "for the session that has waited longest");
	is(extra_time(&sup), today + 250, "for so long");
	d = extra(1);
	extra_wants_place(&sup, d);
	is(nasked, 1, "the session is not asked for two");
	children_remove(&sup.children, children_find(&sup.children, 101));
	extra_child_ended(&sup);
	is(c->state, CHILD_PLAIN, "the first one goes on");
	is_str(told(0), "O", "it is told");
	is(c->extra, 0, "within the limit");
	is(d->state, CHILD_ASKING, "the second one waits");
	is(sup.handshakes.n, 1, "its handshake does not count yet");
	extra_stop(&sup);
	is_str(told(1), "F5 too many connections, try again", "at last");
	is(nrefused, 1, "it is refused");
	is_str(reason, "max-connections", "for this reason");
	is(extra_time(&sup), CLOCK_NEVER, "nobody waits");
	end();
}

/* In a gate it asked whether it may be parked, and gets that answer. */
static void
test_parks(void)
{
	struct child *c;

	begin(1);
	service.parks = 1;
	c = extra(0);
	extra_wants_place(&sup, c);
	children_remove(&sup.children, children_find(&sup.children, 100));
	extra_tend(&sup, today);
	is(nadmitted, 1, "it is admitted");
	is(c->state, CHILD_STARTING, "from where it stopped");
	is_str(told(0), "", "nothing else is said");
	end();
}

static void
test_in_vain(void)
{
	struct child *c;

	begin(2);
	c = extra(0);
	extra_wants_place(&sup, c);
	is(nasked, 0, "no session waits");
	today += 249;
	extra_tend(&sup, today);
	is(nrefused, 0, "a moment");
	today += 1;
	extra_tend(&sup, today);
	is(nrefused, 1, "then it is refused");
	is_str(told(0), "F5 too many connections, try again", "and told");
	is(c->channel, -1, "its channel is closed");
	end();
}

/* One that was asked says that it ends, or says nothing. */
static void
test_asked(void)
{
	begin(3);
	lose(0, today - WAITING_MIN);
	lose(1, today - WAITING_MIN - 5);
	lose(2, today - WAITING_MIN + 1);
	extra_wants_place(&sup, extra(0));
	is(asked_pid, 101, "the longest");
	today += 250;
	extra_tend(&sup, today);
	is(asked_pid, 100, "it said nothing: the next one");
	is(extra_time(&sup), today + 250, "another moment");
	waiting_be(0);
	waiting_give_way();
	today += 250;
	extra_tend(&sup, today);
	is(nasked, 2, "that one says that it ends: nobody else is asked");
	today += WAITING_END;
	extra_tend(&sup, today);
	is(nasked, 3, "it did not");
	is(asked_pid, 102, "the last one, which has waited long enough today");
	today += 250;
	extra_tend(&sup, today);
	is(nrefused, 1, "nobody is left to be asked");
	today += WAITING_MIN;
	asked_pid = 0;
	extra_wants_place(&sup, extra(1));
	is(asked_pid, 101, "after a while one is asked again");
	end();
}

/* Two places for three that wait. */
static void
test_several(void)
{
	struct child *c[3];
	int i;

	begin(3);
	for (i = 0; i < 3; i++)
		lose(i, today - WAITING_MIN - i);
	for (i = 0; i < 3; i++)
		extra_wants_place(&sup, c[i] = extra(i));
	is(nasked, 3, "each has its own");
	children_remove(&sup.children, children_find(&sup.children, 102));
	children_remove(&sup.children, children_find(&sup.children, 101));
	extra_child_ended(&sup);
	ok(c[0]->state == CHILD_PLAIN && c[1]->state == CHILD_PLAIN &&
	    c[2]->state == CHILD_ASKING, "the first two");
	extra_forget(&sup, c[0]);
	is(sup.places.n, 1, "one that does not wait is not forgotten twice");
	extra_forget(&sup, c[2]);
	is(sup.places.n, 0, "one that does is");
	end();
}

static void
test_refused(void)
{
	struct child *c;
	int i;

	begin(1);
	sup.phase = SERVING + 1;
	is(extra_wants_place(&sup, extra(0)), 0, "at its end");
	is(nrefused, 1, "an instance gives no place");
	children_remove(&sup.children, children_find(&sup.children, 100));
	is(extra_wants_place(&sup, extra(1)), 1, "unless there is one");
	end();
	begin(1);
	for (i = 0; i < SUPERVISOR_EXTRA && i < 9; i++)
		extra_wants_place(&sup, extra(i));
	is(nrefused, 0, "so many may wait");
	sup.places.n = SUPERVISOR_EXTRA;
	is(extra_may_wait(&sup, extra(9)), 0, "and no more");
	is(nrefused, 1, "it is refused");
	end();
	begin(2);
	options.limits.handshakes = 1;
	stats_create(NULL, 2, &(struct stats_about){ "server", "a", 2 });
	stats_prepare(1);
	stats_take(1, STATE_HANDSHAKE);
	handshake_limit_begun(&sup.handshakes, 29, getpid(), 1);
	c = extra(0);
	is(extra_wants_place(&sup, c), 0, "handshakes have a limit of their own");
	is_str(reason, "max-handshakes", "which is named");
	end();
}

int
main(void)
{
	if (waiting_begin() == -1)
		abort();
	waiting_share(100);
	test_room();
	test_waits();
	test_parks();
	test_in_vain();
	test_asked();
	test_several();
	test_refused();
	return done_testing();
}
