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
	    "agents in the order in which they came");
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

static void
test_offered(void)
{
	struct children t;
	struct child *c[3];
	int i;

	children_begin(&t);
	children_grow(&t, 3);
	ok(children_offered(&t) == NULL, "none was offered a visitor");
	for (i = 0; i < 3; i++) {
		c[i] = children_add(&t, 100 + i, i, i, 0);
		children_set_state(&t, c[i], CHILD_OFFERED, 10 + i);
	}
	ok(children_offered(&t) == c[0] && c[0]->offered == 10,
	    "the first one, and since when");
	children_set_state(&t, c[1], CHILD_PLAIN, 0);
	children_set_state(&t, c[0], CHILD_PARKED, 20);
	ok(children_offered(&t) == c[2] && children_parked(&t,
	    NAME_NONE) == c[0], "those that are parked again are not");
	children_set_state(&t, c[0], CHILD_OFFERED, 30);
	ok(children_offered(&t) == c[2], "again: it is the last one");
	children_remove(&t, c[2]);
	ok(children_offered(&t) == c[0], "one that has ended is none");
	children_remove(&t, c[0]);
	ok(children_offered(&t) == NULL, "there is no other one");
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
			children_set_state(&t, c, random() % 5, step);
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

/* What is known of each process, in a plain table. */
static struct model {
	int pid, name, agent;
	int parked;		/* rises with each that is; 0: it is not */
	int turn;		/* of its agent, which has the least is first */
} model[FEW];
static int count;

static int
are_of_one_agent(const struct model *a, const struct model *b)
{
	return a == b || (a->name == b->name && a->agent == b->agent &&
	    a->agent != 0);
}

/* A parked one of the same agent that came later than this time. */
static struct model *
another(const struct model *me, int later)
{
	struct model *m;

	for (m = model; m < model + FEW; m++)
		if (m != me && m->parked > later && are_of_one_agent(m, me))
			return m;
	return NULL;
}

static void
model_park(struct model *m)
{
	const struct model *other = another(m, 0);

	m->turn = other != NULL ? other->turn : ++count;
	m->parked = ++count;
}

static void
model_leave(struct model *m, int had_turn)
{
	struct model *other;
	int is_newest = another(m, m->parked) == NULL;

	m->parked = 0;
	count++;
	for (other = model; other < model + FEW; other++)
		if (had_turn && is_newest && other != m &&
		    other->parked > 0 && are_of_one_agent(other, m))
			other->turn = count;
}

static int
compare(const void *a, const void *b)
{
	const struct model *x = a, *y = b;

	return x->turn != y->turn ? x->turn - y->turn : y->parked - x->parked;
}

/* Are those parked for each name the ones of the model, in its order? */
static int
is_as_modelled(const struct children *t)
{
	struct model sorted[FEW];
	const struct child *c;
	unsigned int n;
	int name, i;

	memcpy(sorted, model, sizeof(sorted));
	qsort(sorted, FEW, sizeof(sorted[0]), compare);
	for (name = NAME_NONE; name < NAMES; name++) {
		c = children_parked(t, name);
		for (i = 0, n = 0; i < FEW; i++) {
			if (sorted[i].name != name || sorted[i].parked == 0)
				continue;
			if (c == NULL || c->pid != sorted[i].pid)
				return 0;
			c = children_parked_next(t, c);
			n++;
		}
		if (c != NULL || children_count_parked(t, name) != n)
			return 0;
	}
	return 1;
}

/* Children of several agents are parked for several names, and leave. */
static void
test_random_names(void)
{
	struct children t;
	struct child *c;
	struct model *m;
	int step, bad = 0;

	srandom(2);
	children_begin(&t);
	children_grow(&t, FEW);
	for (m = model; m < model + FEW; m++) {
		*m = (struct model){ 1 + (int)(m - model), NAME_NONE,
		    (int)(m - model) % 4, 0, 0 };
		c = children_add(&t, m->pid, 0, 1, m->agent == 3);
		if (m->agent == 1 || m->agent == 2)
			snprintf(c->agent_id, sizeof(c->agent_id), "agent%d",
			    m->agent);
	}
	for (step = 0; step < 20000; step++) {
		m = &model[random() % FEW];
		c = children_find(&t, m->pid);
		if (random() % 3 == 0) {
			if (m->parked > 0)
				model_leave(m, 0);
			m->name = NAME_NONE + (int)(random() % (NAMES + 1));
			children_set_name(&t, c, m->name);
			if (c->state == CHILD_PARKED)
				model_park(m);
		} else if (c->state == CHILD_PARKED) {
			children_set_state(&t, c, step % 2 ? CHILD_OFFERED :
			    CHILD_PLAIN, step);
			model_leave(m, step % 2);
		} else {
			children_set_state(&t, c, CHILD_PARKED, step);
			model_park(m);
			bad += c->since != step;
		}
		bad += !is_as_modelled(&t);
	}
	is(bad, 0, "twenty thousand calls agree with a plain table");
	children_end(&t);
}

/* Agents have their turns, each with its newest. */
static void
test_turns(void)
{
	static const int first[] = { 2, 4, 5, 1, 3 };
	struct children t;
	struct child *c;
	int i, bad = 0;

	children_begin(&t);
	children_grow(&t, 5);
	for (i = 1; i <= 5; i++) {
		c = children_add(&t, i, 0, 1, 0);
		if (i < 5)
			strlcpy(c->agent_id, i < 3 ? "a" : "b",
			    sizeof(c->agent_id));
		children_set_name(&t, c, 0);
		children_set_state(&t, c, CHILD_PARKED, i);
	}
	for (i = 0; i < 5; i++) {
		c = children_parked(&t, 0);
		bad += c == NULL || c->pid != first[i];
		children_set_state(&t, c, CHILD_OFFERED, 10);
	}
	is(bad, 0, "the newest of each agent, then the older ones");
	ok(children_parked(&t, 0) == NULL, "and no more");
	children_end(&t);
}

int
main(void)
{
	test_random_names();
	test_parked();
	test_turns();
	test_offered();
	test_random();
	return done_testing();
}
