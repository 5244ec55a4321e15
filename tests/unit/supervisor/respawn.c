/* SPDX-License-Identifier: ISC */
/*
 * If it fails: a server that is down is dialled without a pause, or not any
 * more.
 */
#include <string.h>

#include "supervisor/respawn.h"
#include "tap.h"

#define NOW	1000000

/* How long from now until there is another try. */
static int64_t
wait_of(const struct respawn *p)
{
	return p->not_before - NOW;
}

static int
is_about(int64_t ms, int64_t expected)
{
	return ms >= expected / 2 && ms <= expected + expected / 2;
}

static void
test_unwanted(void)
{
	struct respawn p = { 0 };

	respawn_parked(&p);
	ok(p.proved && p.not_before <= NOW, "one waits: the next at once");
	respawn_unwanted(&p, NOW);
	is(wait_of(&p), 10 * 60 * 1000,
	    "none may wait: asked again after ten minutes");
	ok(!p.proved, "by one try");
	ok(p.failed == 0, "which is no failure");
	respawn_parked(&p);
	respawn_used(&p);
	respawn_ended(&p, NOW, NOW);
	ok(wait_of(&p) <= 300, "then one may: the ten minutes are over");
}

static void
test_failed(void)
{
	struct respawn p = { 0 };
	unsigned int i;
	int good = 1;

	for (i = 0; i < 20; i++) {
		respawn_ended(&p, -1, NOW);
		good &= is_about(wait_of(&p), i < 8 ? 200 << i : 30000);
	}
	ok(good, "pauses double from a fifth of a second to half a minute");
	ok(p.failed == 20, "failures are counted");
	respawn_parked(&p);
	ok(p.failed == 0, "until one comes to wait");
	respawn_ended(&p, NOW - RESPAWN_STEADY_MS + 1, NOW);
	ok(is_about(wait_of(&p), 30000), "one lost soon proves nothing");
	ok(p.failed == 0, "but is no failure");
	respawn_parked(&p);
	respawn_ended(&p, NOW - RESPAWN_STEADY_MS, NOW);
	ok(is_about(wait_of(&p), 200), "one that waited for long does");
	respawn_failed(&p, NOW);
	ok(is_about(wait_of(&p), 400) && p.failed == 0,
	    "one that could not be tried: later, no failure");
}

static void
test_retry_after(void)
{
	static const struct { uint32_t seconds; int64_t least; } t[] = {
		{ 1, 1000 }, { 5, 5000 }, { 30, 30000 }, { 31, 30000 },
		{ UINT32_MAX, 30000 }
	};
	struct respawn p = { 0 };
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		memset(&p, 0, sizeof(p));
		respawn_retry_after(&p, t[i].seconds);
		respawn_ended(&p, -1, NOW);
		ok(wait_of(&p) >= t[i].least && wait_of(&p) <= t[i].least +
		    300, "Retry-After: %u", t[i].seconds);
		respawn_ended(&p, -1, NOW);
		ok(is_about(wait_of(&p), 400), "once");
	}
	p.tries = 20;
	respawn_retry_after(&p, 1);
	respawn_ended(&p, -1, NOW);
	ok(is_about(wait_of(&p), 30000), "a longer pause stays");
}

static void
test_renew(void)
{
	struct respawn p = { .failed = 3, .tries = 9, .proved = 1,
	    .not_before = 99, .retry_after = 7 };

	respawn_renew(&p);
	ok(p.failed == 0 && p.tries == 0 && p.not_before == 0 &&
	    p.retry_after == 0, "new options: at once");
	is(p.proved, 0, "one at first");
}

int
main(void)
{
	test_renew();
	test_retry_after();
	test_unwanted();
	test_failed();
	return done_testing();
}
