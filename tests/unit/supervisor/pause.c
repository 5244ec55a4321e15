/* SPDX-License-Identifier: ISC */
/*
 * Not accepting for a moment, by a scripted clock.
 *
 * If it fails: a supervisor that lacks descriptors or processes spins, fills
 * the log, or waits too long.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "supervisor/pause.h"
#include "tap.h"

/* How many lines have been logged: standard error is a file. */
static int
logged(FILE *log)
{
	int c, n = 0;

	fflush(stderr);
	rewind(log);
	while ((c = getc(log)) != EOF)
		n += c == '\n';
	return n;
}

static void
test_lengths(void)
{
	static const int lengths[] = { 100, 200, 400, 800, 1000, 1000 };
	struct pause p = { 0 };
	int64_t now = 5000;
	size_t i;

	is(pause_until(&p, now), 0, "not paused");
	is(pause_is_longest(&p), 0, "all is well");
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		pause_begin(&p, "accept", EMFILE, now);
		is(pause_until(&p, now), now + lengths[i], "longer each time");
		is(pause_until(&p, now + lengths[i] - 1), now + lengths[i],
		    "until then");
		is(pause_until(&p, now + lengths[i]), 0, "and no longer");
		is(pause_is_longest(&p), lengths[i] == 1000,
		    "up to the longest");
		now += lengths[i];
	}
	pause_succeeded(&p);
	is(pause_is_longest(&p), 0, "something succeeds");
	pause_begin(&p, "accept", EMFILE, now);
	is(pause_until(&p, now), now + 100, "and the next one is short");
}

static void
test_log(FILE *log)
{
	struct pause p = { 0 };
	int before = logged(log);

	pause_begin(&p, "fork", EAGAIN, 50000);
	is(logged(log) - before, 1, "a line says so");
	pause_begin(&p, "fork", EAGAIN, 59999);
	is(logged(log) - before, 1, "no other for ten seconds");
	pause_succeeded(&p);
	pause_begin(&p, "fork", EAGAIN, 60000);
	is(logged(log) - before, 2, "then another one");
}

int
main(void)
{
	FILE *log = tmpfile();
	int saved = dup(STDERR_FILENO);

	if (log == NULL || saved == -1)
		abort();
	dup2(fileno(log), STDERR_FILENO);
	test_lengths();
	test_log(log);
	dup2(saved, STDERR_FILENO);
	return done_testing();
}
