/* SPDX-License-Identifier: ISC */
/*
 * Failures of one kind are summed up.
 *
 * If it fails: a scanner fills the log, or what was left out is never told.
 */
#include "os/clock.h"
#include "stats/internal.h"
#include "tap.h"

#define T	STATS_REPEATS_MS

static const struct stats_about about = { "server", "a -> b", 2 };
static const struct stats_repeat scan = { "192.0.2.1", "no request" };

/* So many of a kind: how many may be logged. */
static unsigned int
fail(uint64_t kind, unsigned int n, int64_t now)
{
	unsigned int logged = 0;

	while (n-- > 0)
		logged += stats_repeats_add(kind, &scan, now) != 0;
	return logged;
}

/* How many are told as left out, of all kinds; kinds, if that is not NULL. */
static unsigned int
told(int64_t now, unsigned int *kinds)
{
	struct stats_repeat text;
	unsigned int at = 0, n, sum = 0, k = 0;

	for (; stats_repeats_take(&at, now, &text, &n); k++)
		sum += n;
	if (kinds != NULL)
		*kinds = k;
	return sum;
}

static void
test_one(void)
{
	struct stats_repeat text;
	unsigned int at = 0, n;

	is(stats_repeats_time(), CLOCK_NEVER, "nothing is to be told");
	is(fail(5, 10, 1000), 10, "ten are logged");
	is(stats_repeats_time(), CLOCK_NEVER, "and need not be told again");
	is(fail(5, 20, 1000 + T - 1), 0, "others are not");
	is(stats_repeats_time(), 1000 + T, "when they will be told");
	is(told(1000 + T - 1, NULL), 0, "not before");
	ok(stats_repeats_take(&at, 1000 + T, &text, &n) == 1 && n == 20,
	    "then all of them");
	is_str(text.host, "192.0.2.1", "with the host");
	is_str(text.why, "no request", "and the reason");
	is(stats_repeats_take(&at, 1000 + T, &text, &n), 0, "once");
	is(stats_repeats_time(), CLOCK_NEVER, "nothing more");
	is(fail(5, 11, 1000 + T), 10, "another minute, ten more");
	is(told(1000 + 3 * T, NULL), 1, "also told");
	is(fail(5, 10, 1000 + 9 * T), 10, "long after");
	is(fail(5, 10, 1000 + 10 * T), 10, "nothing to tell: a minute ends");
}

/* Whatever the number of kinds, each failure is logged or told. */
static void
test_many(void)
{
	unsigned int logged = 0, kinds;
	uint64_t k;

	for (k = 100; k < 200; k++)
		logged += fail(k * 7919, 15, 20 * T);
	is(logged + told(21 * T, &kinds), 1500, "none of many is lost");
	ok(kinds > 10 && kinds <= STATS_REPEATS_MAX, "of %u kinds", kinds);
}

/* What any process may have written there. */
static void
test_odd(void)
{
	struct repeat *e = &stats_own.page->repeat[3];
	struct stats_repeat text;
	unsigned int at = 0, n;

	memset(e, 'x', sizeof(*e));
	e->left_out = 1;
	e->since = INT64_MAX;
	ok(stats_repeats_take(&at, 30 * T, &text, &n) == 1,
	    "a minute that has not begun is over");
	is(strlen(text.host) + strlen(text.why), sizeof(text) - 2,
	    "a text without an end has one");
	e->left_out = 1;
	e->since = INT64_MIN;
	ok(stats_repeats_time() < 0, "also one of long ago");
	is(told(30 * T, NULL), 1, "is told");
}

int
main(void)
{
	is(fail(5, 20, 1000), 20, "without a page all are logged");
	is(told(9 * T, NULL), 0, "and nothing is to be told");
	if (stats_create(NULL, 2, &about) == -1)
		return 1;
	test_one();
	test_many();
	test_odd();
	stats_close(1);
	return done_testing();
}
