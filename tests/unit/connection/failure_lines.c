/* SPDX-License-Identifier: ISC */
/*
 * How many failures may be logged.
 *
 * If it fails: anyone fills the disk with lines, or an administrator is not told
 * of failures that were left out.
 */
#include <sys/wait.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "connection/failure_lines.h"
#include "os/clock.h"
#include "os/log.h"
#include "stats/page.h"
#include "tap.h"

#define MAX	FAILURE_LINES_A_SECOND

static unsigned int
granted(struct failure_lines *f, unsigned int n, int64_t now)
{
	unsigned int k = 0;

	while (n-- > 0)
		k += failure_lines_grant(f, now) != 0;
	return k;
}

static void
test_second(void)
{
	struct failure_lines f = { 0 };
	int i;

	is(granted(&f, MAX + 50, 5000), MAX, "so many in a second");
	is(granted(&f, 1, 5999), 0, "to its end");
	is(granted(&f, 1, 6000), 1, "then others");
	is(failure_lines_grant(&f, 6001), 6, "the grant is the second");
	for (i = 0; i < 2; i++)
		failure_lines_ended(&f, 6, 0, 6002);
	is(granted(&f, MAX, 6003), MAX, "what is not used is another one's");
	is(granted(&f, 1, 6003), 0, "once");
	failure_lines_ended(&f, 5, 0, 6003);
	is(granted(&f, 1, 6003), 0, "not that of an earlier second");
	failure_lines_ended(&f, 6, 1, 6003);
	is(granted(&f, 1, 6003), 0, "nor what was used");
}

static void
test_left_out(void)
{
	struct failure_lines f = { 0 };

	is(failure_lines_time(&f), CLOCK_NEVER, "nothing to tell");
	is(failure_lines_left_out(&f, 1 << 30), 0, "of nothing");
	granted(&f, 1, 7100);
	failure_lines_ended(&f, 0, 1, 7200);
	failure_lines_ended(&f, 0, 1, 7300);
	failure_lines_ended(&f, 0, 0, 7300);
	failure_lines_ended(&f, 7, 1, 7300);
	is(failure_lines_time(&f), 8000, "when the second is over");
	is(failure_lines_left_out(&f, 7999), 0, "not before");
	is(failure_lines_left_out(&f, 8000), 2, "those that wanted a line");
	is(failure_lines_left_out(&f, 8000), 0, "once");
	is(failure_lines_time(&f), CLOCK_NEVER, "nothing more");
}

static void
test_status(void)
{
	int i, same = 0, no = 0;

	for (i = 0; i < 128; i++) {
		same += failure_lines_status(failure_lines_exit_status(i)) == i;
		no += failure_lines_was_wanted(failure_lines_exit_status(i));
	}
	ok(same == 128 && no == 0, "a child that had nothing to log");
	is(failure_lines_ask(), 1, "without a word it may");
	failure_lines_allow(0);
	is(failure_lines_ask(), 0, "it may not");
	for (i = same = no = 0; i < 128; i++) {
		same += failure_lines_status(failure_lines_exit_status(i)) == i;
		no += failure_lines_was_wanted(failure_lines_exit_status(i));
	}
	ok(same == 128 && no == 128, "a child that had");
	failure_lines_allow(1);
	is(failure_lines_ask(), 1, "it may");
}

static void
test_repeated(void)
{
	static const struct stats_about about = { "server", "a", 2 };
	struct stats_repeat one = { "192.0.2.1", "a \"reason\"" }, two = { "", "b" };
	char text[2000];
	int p[2], kept = dup(2), i;
	ssize_t n;

	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) == -1 ||
	    stats_create(NULL, 2, &about) == -1)
		abort();
	dup2(p[1], 2);
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	for (i = 0; i < STATS_REPEATS_LOGGED + 3; i++) {
		stats_repeats_add(1, &one, 1000);
		stats_repeats_add(2, &two, 1000);
	}
	failure_lines_tell_repeated(1000 + STATS_REPEATS_MS - 1);
	is(read(p[0], text, sizeof(text)), -1, "not yet");
	failure_lines_tell_repeated(1000 + STATS_REPEATS_MS);
	n = read(p[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	dup2(kept, 2);
	ok(strstr(text, "level=warn event=failures-left-out "
	    "count=3 peer=192.0.2.1 why=\"a 'reason'\"\n") != NULL,
	    "what was left out is told");
	ok(strstr(text, "event=failures-left-out count=3 why=b\n") != NULL,
	    "each kind has a line");
	stats_close(1);
}

int
main(void)
{
	test_second();
	test_left_out();
	test_status();
	test_repeated();
	return done_testing();
}
