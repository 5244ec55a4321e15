/* SPDX-License-Identifier: ISC */
/*
 * Queued visitors.
 *
 * If it fails: visitors of one name keep those of another out, or one gets the
 * answer that another one waits for.
 */
#include <stdlib.h>

#include "os/clock.h"
#include "supervisor/queue.h"
#include "tap.h"

static int
add(struct queue *q, int fd, int name, int64_t until, int in_front,
    unsigned int per_name)
{
	struct visitor v = { .fd = fd, .name = name, .until = until }, out;

	if (!queue_add(q, &v, in_front, per_name, &out))
		return -1;
	return out.fd;		/* -1 too, when none gave way */
}

static int
take(struct queue *q, int name)
{
	struct visitor v;

	return queue_take(q, name, &v) ? v.fd : -1;
}

static void
test_order(void)
{
	struct queue q = { 0 };
	struct visitor v;

	is(queue_waiting(&q, 5), 0, "an empty queue without room");
	is(take(&q, 5), -1, "has none");
	is(queue_time(&q), CLOCK_NEVER, "and nothing to wait for");
	is(queue_grow(&q, 4), 0, "room for four");
	add(&q, 10, 1, 100, 0, 9);
	add(&q, 11, 2, 110, 0, 9);
	add(&q, 12, 1, 120, 0, 9);
	is(queue_waiting(&q, 1), 2, "two of one name");
	is(queue_grow(&q, 8), 0, "more room");
	is(take(&q, 1), 10, "the first of a name");
	add(&q, 10, 1, 100, 1, 9);
	is(queue_time(&q), 100, "who is back has its old time");
	ok(queue_peek(&q, 1, &v) && v.fd == 10, "and its old place");
	is(queue_take_expired(&q, 99, &v), 0, "it is not over");
	ok(queue_take_expired(&q, 100, &v) && v.fd == 10, "now it is");
	ok(queue_take_expired(&q, 115, &v) && v.fd == 11 && v.name == 2,
	    "of whatever name");
	is(queue_time(&q), 120, "the next one");
	is(take(&q, 1), 12, "by name again");
	is(q.n, 0, "none is left");
	queue_end(&q);
}

static void
test_shares(void)
{
	struct queue q = { 0 };
	struct visitor v = { .fd = 50, .name = 2, .until = 9 }, out;
	int i;

	queue_grow(&q, 6);
	for (i = 0; i < 4; i++)
		add(&q, i, 1, 10 + i, 0, 4);
	v.name = 1;
	is(queue_add(&q, &v, 0, 4, &out), 0, "as many of a name as may be");
	add(&q, 4, 3, 14, 0, 9);
	add(&q, 5, 3, 15, 0, 9);
	v.name = 2;
	is(queue_add(&q, &v, 0, 4, &out), 1, "full: there is room for a name");
	is(out.fd, 3, "as the one with too many gives its last one");
	v.name = 3;
	is(queue_add(&q, &v, 0, 4, &out), 0, "but not for more than a share");
	is(queue_waiting(&q, 1) + queue_waiting(&q, 2) + queue_waiting(&q, 3),
	    6, "the numbers are right");
	while (queue_take_any(&q, &v))
		i++;
	is(i, 10, "and all can be taken out");
	queue_end(&q);
}

static int
is_even(int fd)
{
	return fd % 2 == 0;
}

static void
test_gone(void)
{
	struct queue q = { 0 };
	struct visitor v;
	int i, n = 0;

	queue_grow(&q, 100);
	for (i = 1; i <= 100; i++)
		add(&q, i < 60 ? 1 : i, 0, i, 0, 100);
	is(queue_take_gone(&q, 0, is_even, &v), 0, "it looks at a few");
	for (i = 0; i < 20; i++)
		n += queue_take_gone(&q, 0, is_even, &v);
	ok(n > 5, "and goes on there the next time (%d)", n);
	is(queue_waiting(&q, 0), 100 - n, "they are gone");
	queue_end(&q);
}

/* Against a plain table, by random calls. */
static void
test_random(void)
{
	struct queue q = { 0 };
	struct visitor v, out;
	int fds[30], names[30], n = 0, i, k, step, bad = 0;

	srandom(1);
	queue_grow(&q, 30);
	for (step = 0; step < 20000; step++) {
		k = random() % 4;
		if (random() % 2 && n < 30) {
			v = (struct visitor){ .fd = step, .name = k,
			    .until = step };
			bad += !queue_add(&q, &v, 0, 99, &out);
			fds[n] = step;
			names[n++] = k;
			continue;
		}
		for (i = 0; i < n && names[i] != k; i++)
			;
		if (queue_take(&q, k, &v) != (i < n)) {
			bad++;
			continue;
		}
		if (i == n)
			continue;
		bad += v.fd != fds[i];
		for (n--; i < n; i++) {
			fds[i] = fds[i + 1];
			names[i] = names[i + 1];
		}
	}
	is(bad, 0, "twenty thousand calls agree with a plain table");
	is(q.n, n, "so does the number");
	queue_end(&q);
}

int
main(void)
{
	test_order();
	test_shares();
	test_gone();
	test_random();
	return done_testing();
}
