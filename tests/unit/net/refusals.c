/* SPDX-License-Identifier: ISC */
/*
 * Connections that are refused stay open for a moment.
 *
 * If it fails: a client gets a reset in place of its answer, or a server that
 * refuses runs out of descriptors.
 */
#include <sys/socket.h>

#include <poll.h>
#include <unistd.h>

#include "net/refusals.h"
#include "os/clock.h"
#include "tap.h"

#define KEPT	500	/* ms */

static int theirs[REFUSALS_MAX + 4];

static void
refuse(struct refusals *r, int i, int64_t now)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		return;
	theirs[i] = pair[1];
	refusals_add(r, pair[0], now);
}

static int
is_open(int i)
{
	struct pollfd p = { .fd = theirs[i], .events = POLLIN };

	return poll(&p, 1, 0) == 1 && !(p.revents & POLLHUP);
}

/* Those of the first n that are still open. */
static int
count(int n)
{
	int i, open = 0;

	for (i = 0; i < n; i++)
		open += is_open(i);
	return open;
}

static int
sees_end(int i)
{
	char c;

	return recv(theirs[i], &c, 1, MSG_DONTWAIT) == 0;
}

static void
end(int n)
{
	while (n-- > 0)
		close(theirs[n]);
}

static void
test_times(void)
{
	struct refusals r = { .n = 0 };

	is(refusals_time(&r), CLOCK_NEVER, "none: nothing to wait for");
	refusals_close(&r, 1000000);
	refusals_close_all(&r);
	refuse(&r, 0, 1000);
	refuse(&r, 1, 1200);
	refuse(&r, 2, 1200);
	ok(is_open(0) && sees_end(0), "open, and the client sees an end");
	is(refusals_time(&r), 1000 + KEPT, "until the first one's time");
	refusals_close(&r, 1000 + KEPT - 1);
	is(count(3), 3, "not before");
	refusals_close(&r, 1000 + KEPT);
	ok(!is_open(0) && is_open(1) && is_open(2), "then it is closed");
	is(refusals_time(&r), 1200 + KEPT, "the next one's");
	refusals_close(&r, 1200 + KEPT);
	is(count(3), 0, "all whose time has come at once");
	is(refusals_time(&r), CLOCK_NEVER, "and none is left");
	end(3);
}

static void
test_most(void)
{
	struct refusals r = { .n = 0 };
	int i;

	for (i = 0; i < REFUSALS_MAX; i++)
		refuse(&r, i, i);
	is(count(REFUSALS_MAX), REFUSALS_MAX, "as many as there is room for");
	refuse(&r, REFUSALS_MAX, 100);
	refuse(&r, REFUSALS_MAX + 1, 101);
	ok(!is_open(0) && !is_open(1) && is_open(2),
	    "more: the oldest ones are closed");
	is(count(REFUSALS_MAX + 2), REFUSALS_MAX, "and no other");
	is(refusals_time(&r), 2 + KEPT, "the oldest one's time");
	refusals_close_all(&r);
	is(count(REFUSALS_MAX + 2), 0, "all are closed");
	is(refusals_time(&r), CLOCK_NEVER, "none is left");
	end(REFUSALS_MAX + 2);
	refuse(&r, 0, 7);
	ok(is_open(0) && refusals_time(&r) == 7 + KEPT, "and it goes on");
	refusals_close_all(&r);
	end(1);
}

int
main(void)
{
	test_times();
	test_most();
	return done_testing();
}
