/* SPDX-License-Identifier: ISC */
/*
 * The table of children.
 *
 * If it fails: a visitor gets the websocket of another name, or a child that
 * has ended is taken for another one.
 */
#include <stdlib.h>
#include <string.h>

#include "supervisor/children.h"
#include "tap.h"

static void
test_parked(void)
{
	struct children t;
	struct child *a, *b, *c;
	unsigned int i;

	children_begin(&t);
	is(children_grow(&t, 3), 0, "room for three");
	a = children_add(&t, 100, 1, 7, 1);
	b = children_add(&t, 200, 2, 8, 0);
	c = children_add(&t, 300, 3, -1, 0);
	ok(children_add(&t, 400, 4, 9, 0) == NULL, "and for no fourth");
	ok(a->state == CHILD_STARTING && c->state == CHILD_PLAIN,
	    "without a channel it has nothing to wait for");
	ok(children_find(&t, 200) == b && children_find(&t, 201) == NULL,
	    "found by process");
	is(t.spares_starting, 1, "a spare starts");
	children_set_state(&t, a, CHILD_PARKED, 5);
	is(t.spares_parked, 1, "and is parked");
	children_set_name(&t, b, 4);
	children_set_state(&t, b, CHILD_PARKED, 4);
	ok(children_parked(&t, NAME_NONE) == a && children_parked(&t, 4) == b &&
	    children_parked(&t, 5) == NULL, "each for its name");
	children_set_name(&t, a, 4);
	ok(children_parked(&t, 4) == b && children_parked_next(&t, b) == a,
	    "in the order in which they came");
	is(children_count_parked(&t, 4), 2, "two of them");
	i = children_index(&t, b);
	ok(children_at(&t, i, b->generation) == b, "found by an event");
	children_grow(&t, 100);
	b = children_find(&t, 200);
	ok(children_parked(&t, 4) == b && t.n == 3, "all are there in more room");
	children_remove(&t, b);
	ok(children_at(&t, i, 1) == NULL, "an event for one that is gone");
	b = children_add(&t, 500, 1, 3, 0);
	ok(children_index(&t, b) == i && children_at(&t, i, 1) == NULL,
	    "is none for the one in its place");
	is(children_count_parked(&t, 4), 1, "one is parked");
	children_end(&t);
}

/* Against a plain table of processes, by random calls. */
static void
test_random(void)
{
	struct children t;
	struct child *c;
	int there[500] = { 0 }, pid, step, n = 0, bad = 0;

	srandom(1);
	children_begin(&t);
	children_grow(&t, 50);
	for (step = 0; step < 50000; step++) {
		pid = 1 + random() % 499;
		c = children_find(&t, pid);
		bad += (c != NULL) != there[pid];
		if (c != NULL && random() % 2) {
			children_remove(&t, c);
			there[pid] = 0;
			n--;
		} else if (c != NULL)
			children_set_state(&t, c, random() % 4, step);
		else if (n < 50) {
			children_add(&t, pid, 0, 1, random() % 2);
			there[pid] = 1;
			n++;
		} else if (t.room == 50)
			bad += children_grow(&t, 60) != 0;
	}
	for (c = NULL; (c = children_next(&t, c)) != NULL; n--)
		bad += !there[c->pid];
	is(bad, 0, "fifty thousand calls agree with a plain table");
	is(n, 0, "all are gone through");
	children_end(&t);
}

#define NAMES	4
#define FEW	12

/* Processes that are parked, in the order in which they were. */
static int queue[FEW], nqueue;

static void
leave(int pid)
{
	int i;

	for (i = 0; i < nqueue && queue[i] != pid; i++)
		;
	if (i == nqueue)
		return;
	memmove(queue + i, queue + i + 1,
	    (size_t)(--nqueue - i) * sizeof(queue[0]));
}

/* Are those parked for each name the ones of the queue, and no other? */
static int
is_as_queued(const struct children *t)
{
	const struct child *c;
	unsigned int n;
	int name, i;

	for (name = NAME_NONE; name < NAMES; name++) {
		c = children_parked(t, name);
		for (i = 0, n = 0; i < nqueue; i++) {
			if (children_find(t, queue[i])->name != name)
				continue;
			if (c == NULL || c->pid != queue[i])
				return 0;
			c = children_parked_next(t, c);
			n++;
		}
		if (c != NULL || children_count_parked(t, name) != n)
			return 0;
	}
	return 1;
}

/* Children of several names are parked and leave in any order. */
static void
test_random_names(void)
{
	struct children t;
	struct child *c;
	int step, pid, bad = 0;

	srandom(2);
	children_begin(&t);
	children_grow(&t, FEW);
	for (pid = 1; pid <= FEW; pid++)
		children_add(&t, pid, 0, 1, 0);
	for (step = 0; step < 20000; step++) {
		pid = 1 + (int)(random() % FEW);
		c = children_find(&t, pid);
		if (random() % 3 == 0) {
			children_set_name(&t, c, NAME_NONE +
			    (int)(random() % (NAMES + 1)));
			if (c->state == CHILD_PARKED) {
				leave(pid);
				queue[nqueue++] = pid;
			}
		} else if (c->state == CHILD_PARKED) {
			children_set_state(&t, c, CHILD_OFFERED, step);
			leave(pid);
		} else {
			children_set_state(&t, c, CHILD_PARKED, step);
			queue[nqueue++] = pid;
			bad += c->since != step;
		}
		bad += !is_as_queued(&t);
	}
	is(bad, 0, "twenty thousand calls agree with a plain queue");
	children_end(&t);
}

int
main(void)
{
	test_random_names();
	test_parked();
	test_random();
	return done_testing();
}
