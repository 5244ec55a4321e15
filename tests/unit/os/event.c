/* SPDX-License-Identifier: ISC */
/*
 * Descriptors that are watched for input.
 *
 * If it fails: a connection waits although it could be accepted, or the
 * supervisor turns without end.
 */
#include <sys/resource.h>

#include <fcntl.h>
#include <unistd.h>

#include "os/event.h"
#include "os/signals.h"
#include "tap.h"

#define PIPES	(EVENT_BATCH + 6)

static void
test_none(void)
{
	struct rlimit r, none;
	struct event_set s;

	getrlimit(RLIMIT_NOFILE, &r);
	none = r;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	is(event_open(&s), -1, "without descriptors there is none");
	setrlimit(RLIMIT_NOFILE, &r);
}

static void
test_one(void)
{
	uint32_t tags[EVENT_BATCH];
	struct event_set s;
	int p[2];

	is(event_open(&s), 0, "opened");
	ok(fcntl(s.fd, F_GETFD) & FD_CLOEXEC, "no program gets it");
	is(pipe(p), 0, "(a pipe)");
	is(event_add(&s, p[0], 7), 0, "watched");
	is(event_add(&s, -1, 8), -1, "what is no descriptor is not");
	is(event_take(&s, tags), 0, "nothing is ready");
	is(event_wait(&s, tags, 0), 0, "nor waited for");
	is(write(p[1], "x", 1), 1, "(a byte)");
	is(event_wait(&s, tags, 10000), 1, "one is");
	is(tags[0], 7, "this");
	is(event_take(&s, tags), 1, "what is not dealt with comes again");
	is(event_change(&s, p[0], 9, 0), 0, "kept in the set");
	is(event_take(&s, tags), 0, "without looking");
	is(event_change(&s, p[0], 9, 1), 0, "looked at again");
	ok(event_take(&s, tags) == 1 && tags[0] == 9, "by another tag");
	is(event_delete(&s, p[0]), 0, "deleted");
	is(event_take(&s, tags), 0, "and not told any more");
	is(event_delete(&s, p[0]), -1, "there is nothing to delete");
	event_close(&s);
	is(s.fd, -1, "closed");
	is(event_take(&s, tags), -1, "nothing can be taken then");
	close(p[0]);
	close(p[1]);
}

static void
test_many(void)
{
	uint32_t tags[EVENT_BATCH];
	int p[PIPES][2], i, n, seen[PIPES] = { 0 }, all = 0;
	struct event_set s;

	event_open(&s);
	for (i = 0; i < PIPES; i++)
		if (pipe(p[i]) == -1 || event_add(&s, p[i][0], i) == -1 ||
		    write(p[i][1], "x", 1) != 1)
			ok(0, "(pipe %d)", i);
	is(event_take(&s, tags), EVENT_BATCH, "so many at a time");
	while (all < PIPES && (n = event_take(&s, tags)) > 0)
		for (i = 0; i < n; i++) {
			all += !seen[tags[i]];
			seen[tags[i]] = 1;
			event_delete(&s, p[tags[i]][0]);
		}
	is(all, PIPES, "and all in the end");
	event_close(&s);
}

int
main(void)
{
	test_none();
	test_one();
	test_many();
	return done_testing();
}
