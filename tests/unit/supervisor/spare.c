/* SPDX-License-Identifier: ISC */
/*
 * Spares, which are parked before a visitor comes, and the names of a gate as
 * they are shown.
 *
 * If it fails: an agent dials without a pause or never again, ends although its
 * gate is only restarting, or "status" shows another agent's visitors.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/log.h"
#include "supervisor/internal.h"
#include "tap.h"
#include "today.h"

static int nstarted, fails, nterminated;

static int
scripted_start(struct supervisor *s, const struct incoming *a, int extra)
{
	if (fails || a->fd != -1 || extra)
		return -1;
	children_add(&s->children, 100 + nstarted++, 0, 99, 1);
	return 0;
}

static void
scripted_terminate(struct supervisor *s)
{
	nterminated++;
}

#define child_start		scripted_start
#define supervisor_terminate	scripted_terminate
#include "supervisor/spare.c"

static struct supervisor sup;
static struct options options;
static struct service service;
static unsigned int wanted = 3;

static void
begin(void)
{
	memset(&sup, 0, sizeof(sup));
	memset(&options, 0, sizeof(options));
	memset(&service, 0, sizeof(service));
	sup.o = &options;
	sup.service = &service;
	sup.phase = SERVING;
	sup.fits = (struct limits){ .connections = 10, .spares = wanted };
	service.spares = &wanted;
	options.mode = MODE_CLIENT;
	if (children_begin(&sup.children) == -1 ||
	    children_grow(&sup.children, 20) == -1)
		abort();
	nstarted = fails = nterminated = 0;
}

static void
park(int pid)
{
	children_set_state(&sup.children, children_find(&sup.children, pid),
	    CHILD_PARKED, today);
	spare_parked(&sup);
}

static void
end(int pid, int status)
{
	struct child *c = children_find(&sup.children, pid);

	spare_ended(&sup, c, status);
	children_remove(&sup.children, c);
}

static void
test_tend(void)
{
	begin();
	is(spare_time(&sup), 0, "at once");
	spare_tend(&sup, today);
	is(nstarted, 1, "one tries at first");
	is(spare_time(&sup), CLOCK_NEVER, "the others wait for it");
	park(100);
	is(spare_time(&sup), 0, "then");
	spare_tend(&sup, today);
	is(nstarted, 3, "as many as are wanted");
	is(spare_time(&sup), CLOCK_NEVER, "and no more");
	children_end(&sup.children);
}

static void
test_limit(void)
{
	begin();
	sup.fits.connections = 1;
	spare_tend(&sup, today);
	spare_parked(&sup);
	is(spare_time(&sup), CLOCK_NEVER, "no room for another");
	spare_tend(&sup, today);
	is(nstarted, 1, "none is tried");
	children_end(&sup.children);
	begin();
	service.spares = NULL;
	is(spare_time(&sup), CLOCK_NEVER, "none is wanted");
	spare_tend(&sup, today);
	is(nstarted, 0, "none is tried");
	children_end(&sup.children);
	begin();
	sup.phase = SERVING + 1;
	spare_tend(&sup, today);
	is(nstarted, 0, "nor at the end");
	children_end(&sup.children);
}

static void
test_failures(void)
{
	begin();
	options.reverse.retry = 2;
	spare_tend(&sup, today);
	end(100, EXIT_LOST << 8);
	is(nterminated, 0, "one failure");
	ok(sup.respawn.not_before > today && spare_time(&sup) ==
	    sup.respawn.not_before, "is tried again in a moment");
	spare_tend(&sup, today);
	is(nstarted, 1, "not before");
	today = sup.respawn.not_before;
	spare_tend(&sup, today);
	is(nstarted, 2, "then");
	park(101);
	end(101, EXIT_LOST << 8);
	is(nterminated, 0, "one that was parked was no failure");
	today = sup.respawn.not_before;
	spare_tend(&sup, today);
	end(102, EXIT_LOST << 8);
	today = sup.respawn.not_before;
	spare_tend(&sup, today);
	end(103, EXIT_DENIED << 8);
	is(nterminated, 1, "two in a row are enough");
	is(sup.status, EXIT_DENIED, "with the status of the last one");
	children_end(&sup.children);
	begin();
	options.reverse.retry = 1;
	spare_tend(&sup, today);
	end(100, 9);
	is(sup.status, EXIT_AGAIN, "one that was killed");
	children_end(&sup.children);
	begin();
	options.reverse.retry = 1;
	spare_tend(&sup, today);
	children_set_state(&sup.children, children_find(&sup.children, 100),
	    CHILD_PLAIN, 0);
	end(100, EXIT_LOST << 8);
	is(nterminated, 0, "one that had a visitor has not failed");
	children_end(&sup.children);
	begin();
	spare_tend(&sup, today);
	end(100, EXIT_LOST << 8);
	is(nterminated, 0, "without --retry it never ends");
	fails = 1;
	today = sup.respawn.not_before;
	spare_tend(&sup, today);
	ok(sup.respawn.not_before > today, "where none can be forked, too");
	children_end(&sup.children);
}

static void
test_told(void)
{
	begin();
	is(spare_retry_after(&sup, "7"), 0, "Retry-After");
	is(sup.respawn.retry_after, 7000, "in seconds");
	is(spare_retry_after(&sup, "0"), -1, "0 is none");
	is(spare_retry_after(&sup, "4294967295"), 0, "the largest");
	is(spare_retry_after(&sup, "4294967296"), -1, "a larger one is none");
	is(spare_retry_after(&sup, "x"), -1, "nor is a word");
	spare_unwanted(&sup);
	is(spare_time(&sup), today + RESPAWN_REFUSED_MS,
	    "a server that does not park is left alone");
	sup.respawn.tries = 5;
	spare_used(&sup);
	is(sup.respawn.tries, 0, "one that was used was good");
	children_end(&sup.children);
}

static char dir[] = "/tmp/inetws-shown.XXXXXX";

static struct report_name
shown(void)
{
	static struct report_name of[4];
	static struct report_names found;
	struct stats_view v;

	found = (struct report_names){ .of = of, .max = 4 };
	memset(of, 0, sizeof(of));
	stats_view_own(&v);
	stats_names(&v, &found);
	return of[0];
}

/* What "status" shows of a gate's names. */
static void
test_names(void)
{
	static const struct inherited none;
	static const struct stats_about about = { "gate", "a", 2 };
	struct visitor v = { .fd = 7, .until = CLOCK_NEVER }, gone;
	struct error why;

	begin();
	options.mode = MODE_GATE;
	options.reverse.visitors_dir = dir;
	if (mkdtemp(dir) == NULL || event_open(&sup.events) == -1 ||
	    names_begin(&sup.names, &options, &none, &sup.events, 10, &why) ==
	    -1 || stats_create(NULL, 2, &about) == -1)
		abort();
	queue_grow(&sup.queue, 5);
	v.name = names_listen(&sup.names, "ann", today, &why);
	pool_show_name(&sup, NAME_NONE);
	is_str(shown().text, "", "nothing yet");
	pool_show_name(&sup, v.name);
	is_str(shown().text, "ann", "a name");
	is(shown().listed * 10 + shown().waiting, 0, "that no file lists");
	queue_add(&sup.queue, &v, 0, 5, &gone);
	pool_show_name(&sup, v.name);
	is(shown().waiting, 1, "a visitor waits");
	names_begin_listing(&sup.names);
	names_list(&sup.names, "ann", &why);
	names_end_listing(&sup.names);
	pool_show_name(&sup, v.name);
	is(shown().listed, 1, "a file lists it");
	queue_take(&sup.queue, v.name, &gone);
	names_begin_listing(&sup.names);
	names_end_listing(&sup.names);
	pool_show_name(&sup, v.name);
	is_str(shown().text, "", "it has left");
	names_stop(&sup.names, 0);
	rmdir(dir);
}

int
main(void)
{
	log_open(LOG_TO_NOWHERE, LOG_L_ERROR, NULL);
	test_tend();
	test_limit();
	test_failures();
	test_told();
	test_names();
	return done_testing();
}
