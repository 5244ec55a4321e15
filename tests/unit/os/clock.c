/* SPDX-License-Identifier: ISC */
/*
 * Deadlines, and how long to wait before trying again.
 *
 * If it fails: a timeout comes at the wrong time, or all clients of a server
 * that was lost return in the same moment.
 */
#include <limits.h>
#include <time.h>

#include "os/clock.h"
#include "os/random.h"
#include "tap.h"

static void
test_clock(void)
{
	int64_t ms = clock_ms(), us = clock_us(), left;

	ok(us / 1000 >= ms && us / 1000 < ms + 10000, "one clock in two units");
	ok(clock_date() >= time(NULL) - 10 && clock_date() <= time(NULL) + 10,
	    "and the date");
	ok(clock_asleep() >= 0, "no time of suspension is negative");
	is(clock_after(0) == CLOCK_NEVER, 1, "an option that is off");
	left = clock_after(100000) - clock_ms();
	ok(left > 50000 && left <= 100000, "in 100 s: %lld ms", (long long)left);
	is(clock_poll(CLOCK_NEVER), -1, "never: poll(2) has no timeout");
	is(clock_poll(clock_ms() - 1), 0, "a time that has passed");
	left = clock_poll(clock_ms() + 100000);
	ok(left > 50000 && left <= 100000, "one to come");
	is(clock_poll(clock_ms() + (int64_t)INT_MAX * 2), INT_MAX,
	    "one that an int does not hold");
}

/* Half of it to one and a half, and not always the same. */
static void
test_backoff(void)
{
	static const struct { unsigned int failures; int most, ms; } t[] = {
		{ 0, 30000, 200 }, { 1, 30000, 200 }, { 2, 30000, 400 },
		{ 5, 30000, 3200 }, { 8, 30000, 25600 }, { 9, 30000, 30000 },
		{ 11, 1000000, 204800 }, { 12, 1000000, 204800 },
		{ 4000000000U, 1000000, 204800 }, { 3, 100, 100 }
	};
	int64_t ms, least, greatest;
	size_t i;
	int k;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		least = INT_MAX;
		greatest = 0;
		for (k = 0; k < 300; k++) {
			ms = random_backoff(t[i].failures, t[i].most);
			least = ms < least ? ms : least;
			greatest = ms > greatest ? ms : greatest;
		}
		ok(least >= t[i].ms / 2 && least < t[i].ms * 3 / 4 &&
		    greatest > t[i].ms * 5 / 4 &&
		    greatest <= t[i].ms / 2 + t[i].ms,
		    "%u failures: %lld to %lld ms", t[i].failures,
		    (long long)least, (long long)greatest);
	}
}

int
main(void)
{
	test_clock();
	test_backoff();
	return done_testing();
}
