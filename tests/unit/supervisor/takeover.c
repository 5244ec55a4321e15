/* SPDX-License-Identifier: ISC */
/*
 * --replace.
 *
 * If it fails: agents of one name replace each other for ever, or a new one
 * never gets its name.
 */
#include "supervisor/takeover.h"
#include "tap.h"

int
main(void)
{
	struct takeover t = { 0 };
	unsigned int a, b;
	int64_t now = 1000;

	ok(takeover_claim(&t, "a", now), "the first agent of a name");
	a = takeover_add(&t);
	ok(takeover_claim(&t, "a", now), "again with another websocket");
	ok(takeover_claim(&t, "b", now), "a second one replaces it");
	b = takeover_add(&t);
	ok(b != a, "which is told apart");
	ok(!takeover_claim(&t, "a", now), "the first one is not back at once");
	ok(takeover_claim(&t, "c", now), "a third one replaces the second");
	b = takeover_add(&t);
	ok(!takeover_claim(&t, "a", now) && !takeover_claim(&t, "b", now),
	    "neither of the others takes it back");
	ok(!takeover_claim(&t, "a", now + 100 * 30000),
	    "however long the third one has a websocket");
	takeover_remove(&t, a, now);
	ok(!takeover_claim(&t, "a", now + TAKEOVER_MS),
	    "websockets of former ones do not count");
	takeover_remove(&t, b, now + 7);
	ok(!takeover_claim(&t, "a", now + 30000 + 6),
	    "nor at once when the last one has lost its websocket");
	ok(takeover_claim(&t, "a", now + 30000 + 7),
	    "but half a minute later");
	takeover_add(&t);
	ok(!takeover_claim(&t, "c", now + TAKEOVER_MS + 7),
	    "and then the others have to wait");
	ok(takeover_claim(&t, "", now), "those without an id always replace");
	a = takeover_add(&t);
	ok(takeover_claim(&t, "", now) && takeover_add(&t) != a,
	    "each other, too");
	return done_testing();
}
