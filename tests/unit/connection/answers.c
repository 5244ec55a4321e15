/* SPDX-License-Identifier: ISC */
/*
 * What the answers to redials mean.
 *
 * If it fails: a session ends at a passing error, or dials for ever after its
 * end.
 */
#include "connection/answers.h"
#include "tap.h"

static void
test_status(void)
{
	static const struct { int status, same, over; enum answer want; } t[] =
	{
		{ 0, 0, 0, ANSWER_NONE }, { 0, 0, 1, ANSWER_NONE },
		{ 101, 0, 0, ANSWER_OTHER }, { 101, 0, 1, ANSWER_ENDED },
		{ 200, 0, 0, ANSWER_OTHER },
		{ 302, 0, 0, ANSWER_OTHER }, { 400, 0, 0, ANSWER_OTHER },
		{ 401, 0, 0, ANSWER_DENIED }, { 401, 0, 1, ANSWER_DENIED },
		{ 403, 1, 0, ANSWER_DENIED }, { 404, 0, 0, ANSWER_OTHER },
		{ 404, 1, 1, ANSWER_OTHER }, { 407, 0, 0, ANSWER_OTHER },
		{ 410, 0, 0, ANSWER_GONE }, { 410, 1, 0, ANSWER_ENDED },
		{ 410, 0, 1, ANSWER_ENDED }, { 426, 0, 0, ANSWER_OTHER },
		{ 429, 0, 0, ANSWER_OTHER }, { 500, 0, 0, ANSWER_OTHER },
		{ 502, 0, 0, ANSWER_OTHER }, { 503, 0, 0, ANSWER_OTHER }
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		ok(answer_of_status(t[i].status, t[i].same, t[i].over) ==
		    t[i].want, "%d, %s instance, %s", t[i].status,
		    t[i].same ? "same" : "another", t[i].over ? "over" :
		    "not over");
}

/* A letter a try: which of them, from 1, ends the session; 0: none. */
static void
test_rules(void)
{
	static const char letters[] = "npegdok";	/* enum answer */
	static const struct { const char *tries; int64_t each; int end; } t[] =
	{
		{ "nnnnnnnnnnnnnnnnnnnnnnnn", 5000, 0 },
		{ "oooooooooooooooooooooooo", 5000, 0 },
		{ "ononodogonogonon", 5000, 0 },
		{ "pppppppppppppppppppppppp", 5000, 0 },
		{ "e", 1, 1 }, { "ooe", 1, 3 }, { "k", 1, 1 },
		{ "gggg", 9000, 0 }, { "ggggg", 1, 5 },
		{ "ggggoggggnggggdggggg", 1, 20 },
		{ "ddddd", 7500, 5 }, { "ddddd", 7499, 0 },
		{ "ddddddd", 5000, 7 }, { "dddd", 30000, 0 },
		{ "ddddoddddnddddgddddd", 7500, 20 }
	};
	struct answers a;
	int64_t now;
	size_t i;
	int n, end;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		memset(&a, 0, sizeof(a));
		now = 1000000;
		for (n = end = 0; t[i].tries[n] != '\0'; n++) {
			if (answers_add(&a, (enum answer)(strchr(letters,
			    t[i].tries[n]) - letters), now) && end == 0)
				end = n + 1;
			now += t[i].each;
		}
		is(end, t[i].end, t[i].tries);
		is(a.tries, n, "tries");
	}
}

static void
test_wait(void)
{
	static const struct {
		uint32_t retry_after;
		int64_t pause, left, want;
	} t[] = {
		{ 0, 200, 120000, 200 }, { 0, 200, 100, 200 },
		{ 5, 200, 120000, 5000 }, { 30, 200, 120000, 30000 },
		{ 31, 200, 200000, 30000 },
		{ UINT32_MAX, 200, 200000, 30000 },
		{ 30, 200, 60000, 15000 }, { 5, 200, 4000, 1000 },
		{ 5, 200, 400, 200 }, { 1, 5000, 120000, 5000 },
		{ 5, 200, 0, 200 }
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		is(answers_wait(t[i].retry_after, t[i].pause, t[i].left),
		    t[i].want, "the wait");
}

/* Pauses grow, by a clock that is given; each is varied by half of it. */
static void
test_pauses(void)
{
	static const int64_t want[] = { 200, 400, 800, 1600, 3200, 5000, 5000 };
	int64_t now = 1000000, next;
	unsigned int tries = 0;
	size_t i;

	is(answers_pause(0), 0, "no pause before the first answer");
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		next = answers_next(&tries, 0, now, now + 120000);
		ok(next - now >= want[i] / 2 && next - now <= want[i] * 3 / 2,
		    "answer %zu: about %d ms", i + 1, (int)want[i]);
		is(tries, i + 1, "counted");
		now = next;
	}
	is(answers_next(&tries, 20, now, now + 120000), now + 20000,
	    "Retry-After is longer");
	is(answers_next(&tries, 20, now, now + 40000), now + 10000,
	    "a quarter of what is left");
}

static void
test_tell(void)
{
	struct answers a = { 0 };

	is_str(answers_tell(&a), "no server answered", "nothing came");
	answers_add(&a, ANSWER_NONE, 0);
	is_str(answers_tell(&a), "no server answered", "no connection");
	answers_add(&a, ANSWER_PROXY, 0);
	is_str(answers_tell(&a), "a proxy answered, but no server",
	    "a proxy's 503");
	answers_add(&a, ANSWER_OTHER, 0);
	is_str(answers_tell(&a), "no server knew the session", "404");
	answers_add(&a, ANSWER_NONE, 0);
	answers_add(&a, ANSWER_GONE, 0);
	is_str(answers_tell(&a), "no server knew the session", "410");
	answers_add(&a, ANSWER_OF_NO_USE, 0);
	is_str(answers_tell(&a), "a server knew the session", "101");
	answers_add(&a, ANSWER_ENDED, 0);
	is_str(answers_tell(&a),
	    "the server that kept the session has ended it", "410 of it");
}

int
main(void)
{
	test_status();
	test_rules();
	test_wait();
	test_pauses();
	test_tell();
	return done_testing();
}
