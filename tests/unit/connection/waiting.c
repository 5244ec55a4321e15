/* SPDX-License-Identifier: ISC */
/*
 * The table of sessions that wait.
 *
 * If it fails: one user's sessions keep all others out, or a session has to
 * give way that has not waited longest.
 */
#include <sys/wait.h>

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
	is(waiting_begin(), 0, "a table");
	test_longest();
	test_share();
	test_all_at_once();
	waiting_end();
	return done_testing();
}
