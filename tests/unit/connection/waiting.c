/* SPDX-License-Identifier: ISC */
/*
 * The table of sessions that wait.
 *
 * If it fails: one user's sessions keep all others out, or a session has to
 * give way that has not waited longest.
 */
#include <sys/wait.h>

#include <stdlib.h>
#include <unistd.h>

#include "connection/waiting.h"
#include "tap.h"

#define T	100000		/* a time */

static int
all(const void *arg, unsigned int child)
{
	return 1;
}

static int
not_two(const void *arg, unsigned int child)
{
	return child != 2;
}

static int
not_parked(const void *arg, unsigned int child)
{
	return child >= 299;
}

/* In a child that was forked before waiting_renew(), if that is called. */
static int
is_outdated_in_child(int renews)
{
	int status, p[2];
	char c;

	if (pipe(p) == -1)
		abort();
	if (fork() == 0) {
		close(p[1]);
		_exit(read(p[0], &c, 1) == 0 && waiting_is_outdated());
	}
	if (renews)
		waiting_renew();
	close(p[0]);
	close(p[1]);
	wait(&status);
	return WEXITSTATUS(status);
}

static int
starts(unsigned int child, uint64_t owner, int64_t since)
{
	waiting_be(child);
	return waiting_start(owner, since);
}

static void
test_longest(void)
{
	int64_t now = T + 15000;	/* as the manual has it */

	waiting_share(10);
	is(waiting_longest(10, now, all, NULL), -1, "none waits");
	starts(1, 0, T + 5);
	starts(2, 0, T - 5);
	starts(3, 0, T);
	is(waiting_longest(10, now, all, NULL), 2, "the one since longest");
	is(waiting_longest(10, now, not_two, NULL), 3, "or the next one");
	is(waiting_longest(2, now, all, NULL), -1, "of those that there are");
	is(waiting_longest(10, now - 6, all, NULL), -1,
	    "none has waited long enough");
	waiting_be(2);
	waiting_stop();
	is(waiting_longest(10, now, all, NULL), 3, "one has a websocket again");
	waiting_clear(3);
	is(waiting_longest(10, now, all, NULL), -1, "one has ended");
	waiting_clear(1);
	waiting_clear(WAITING_PLACES);
}

static void
test_share(void)
{
	waiting_share(2);
	is(starts(1, 7, T), 0, "one of an owner waits");
	is(starts(2, 7, T), 0, "two");
	is(starts(3, 7, T), -1, "a third may not");
	is(starts(4, 8, T), 0, "another owner's may");
	is(starts(5, 0, T) | starts(6, 0, T) | starts(7, 0, T), 0,
	    "and those of no one in particular");
	waiting_clear(1);
	is(starts(3, 7, T), 0, "one less, one more");
	waiting_share(3);
	is(starts(1, 7, T), 0, "the share is raised");
	waiting_be(WAITING_PLACES);
	is(waiting_start(7, T), 0, "beyond the table all may");
}

static void
test_parked(void)
{
	waiting_be(300);
	is(waiting_is_parked(300), 0, "not parked");
	waiting_park();
	ok(waiting_is_parked(300) && !waiting_is_parked(299), "one is");
	is(waiting_longest(400, T + 99 * 15000, not_parked, NULL), -1,
	    "and gives no place away");
	waiting_stop();
	is(waiting_is_parked(300), 0, "it is used");
	waiting_park();
	waiting_clear(300);
	is(waiting_is_parked(300), 0, "it has ended");
	is(waiting_is_parked(WAITING_PLACES), 0, "beyond the table");
	waiting_be(WAITING_PLACES);
	waiting_park();
	is(waiting_is_outdated(), 0, "the options are the same");
	is(is_outdated_in_child(0), 0, "for a child, too");
	is(is_outdated_in_child(1), 1, "not if they change behind its fork");
	is(is_outdated_in_child(0), 0, "the next one has them");
}

/* As after a proxy was restarted. */
static void
test_all_at_once(void)
{
	int i, status, stayed = 0;

	waiting_share(25);
	for (i = 100; i < 200; i++)
		if (fork() == 0)
			_exit(starts((unsigned int)i, 9, T) == 0 ? 0 : 1);
	while (wait(&status) > 0)
		stayed += status == 0;
	is(stayed, 25, "of 100 at once exactly as many as may wait");
}

int
main(void)
{
	waiting_be(1);
	is(waiting_start(7, T), 0, "without a supervisor all may");
	waiting_park();
	is(waiting_is_outdated(), 0, "and no options change");
	is(waiting_begin(), 0, "a table");
	test_longest();
	test_share();
	test_parked();
	test_all_at_once();
	waiting_end();
	return done_testing();
}
