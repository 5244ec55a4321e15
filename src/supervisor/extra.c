/* SPDX-License-Identifier: ISC */
/*
 * Extra children: those of connections beyond a limit.  A redial needs no place
 * among the others; for another request the session that has waited longest for
 * its websocket gives way.
 */
#include <signal.h>
#include <string.h>

#include "connection/waiting.h"
#include "net/fdpass.h"
#include "os/clock.h"
#include "supervisor/internal.h"

/*
 * ms for a session to begin to end, until another one is asked.  If there is
 * none, another child may just be ending: that of the websocket which this one
 * replaces.
 */
#define PATIENCE	250
#define REFUSED	"5 too many connections, try again"

/* --- who waits --- */

static void
take_out(struct places *p, unsigned int i)
{
	p->n--;
	memmove(p->by + i, p->by + i + 1, (p->n - i) * sizeof(p->by[0]));
}

/* It gets the first place that those before it leave. */
static void
wait_for_place(struct supervisor *s, struct child *c)
{
	s->places.by[s->places.n++] = (struct place_wanted){
	    children_index(&s->children, c), clock_ms() + PATIENCE };
	children_set_state(&s->children, c, CHILD_ASKING, 0);
}

void
extra_forget(struct supervisor *s, const struct child *c)
{
	unsigned int i;

	for (i = 0; i < s->places.n; i++)
		if (s->places.by[i].child == children_index(&s->children, c)) {
			take_out(&s->places, i);
			return;
		}
}

/* The first one waits no more: it, or NULL. */
static struct child *
take_first(struct supervisor *s)
{
	unsigned int child;

	if (s->places.n == 0)
		return NULL;
	child = s->places.by[0].child;
	take_out(&s->places, 0);
	return children_numbered(&s->children, child);
}

/* One that has waited in vain, which begins anew: its index, or -1. */
static int
one_in_vain(struct supervisor *s, int64_t now)
{
	unsigned int i;

	for (i = 0; i < s->places.n; i++)
		if (now >= s->places.by[i].due) {
			s->places.by[i].due = now + PATIENCE;
			return (int)i;
		}
	return -1;
}

int64_t
extra_time(const struct supervisor *s)
{
	const struct place_wanted *w;
	int64_t t = CLOCK_NEVER;

	for (w = s->places.by; w < s->places.by + s->places.n; w++)
		if (w->due < t)
			t = w->due;
	return t;
}

/* --- who gives way --- */

struct at_this_time {
	const struct supervisor *s;
	int64_t now;
};

/* Only one without a channel can be a session that waits. */
static int
may_be_asked(const void *arg, unsigned int child)
{
	const struct at_this_time *t = arg;
	const struct child *c = children_numbered(&t->s->children, child);

	return c->pid != 0 && c->state == CHILD_PLAIN && !c->extra &&
	    (c->asked == 0 || t->now >= c->asked + WAITING_MIN);
}

/*
 * 1: a session was asked, and ends in a moment, if it really waits.  One that
 * does not is not asked again for a while.
 */
static int
ask_session(struct supervisor *s)
{
	struct at_this_time t = { s, clock_ms() };
	struct child *c;
	int i = waiting_longest(s->children.top, t.now, may_be_asked, &t);

	if (i == -1)
		return 0;
	c = children_numbered(&s->children, (unsigned int)i);
	c->asked = t.now;
	kill(c->pid, SIGUSR2);
	return 1;
}

/*
 * It has been asked and is about to end: it says so, or has had no time yet to
 * do that.  One that is stopped says nothing.
 */
static int
is_ending(const struct supervisor *s, const struct child *c, int64_t now)
{
	return c->state == CHILD_PLAIN && !c->extra && c->asked != 0 &&
	    (now < c->asked + PATIENCE || (now < c->asked + WAITING_END &&
	    waiting_gives_way(children_index(&s->children, c))));
}

static unsigned int
count_ending(const struct supervisor *s, int64_t now)
{
	const struct child *c = NULL;
	unsigned int n = 0;

	while ((c = children_next(&s->children, c)) != NULL)
		n += (unsigned int)is_ending(s, c, now);
	return n;
}

/* Will those that are ending leave a place to this one of those that wait? */
static int
will_have_place(const struct supervisor *s, unsigned int i, int64_t now)
{
	unsigned int n = child_count(s), max = s->fits.connections;

	return count_ending(s, now) > i + (n > max ? n - max : 0);
}

/* --- places --- */

static void
refuse(struct supervisor *s, struct child *c, const char *name,
    unsigned int limit)
{
	fdpass_send(c->channel, WORKER_REFUSED, REFUSED, -1);
	pool_end_channel(s, c);
	accept_count_refused(s);
	accept_at_limit(s, name, limit);
}

static void
give_place(struct supervisor *s, struct child *c)
{
	children_set_extra(&s->children, c, 0);
	handshake_limit_begun(&s->handshakes,
	    children_index(&s->children, c), c->pid, c->slot);
}

int
extra_may_wait(struct supervisor *s, struct child *c)
{
	unsigned int most = s->o->limits.handshakes;

	if (!handshake_limit_allows(&s->handshakes, s->o)) {
		refuse(s, c, "max-handshakes", most);
		return 0;
	}
	if ((s->phase != SERVING || s->places.n == SUPERVISOR_EXTRA) &&
	    child_is_limit_reached(s)) {
		refuse(s, c, "max-connections", s->fits.connections);
		return 0;
	}
	return 1;
}

int
extra_wants_place(struct supervisor *s, struct child *c)
{
	if (!extra_may_wait(s, c))
		return 0;
	if (!child_is_limit_reached(s)) {
		give_place(s, c);
		return 1;
	}
	if (!will_have_place(s, s->places.n, clock_ms()))
		ask_session(s);
	wait_for_place(s, c);
	return 0;
}

/* It asked, and goes on where it stopped. */
static void
go_on(struct supervisor *s, struct child *c)
{
	children_set_state(&s->children, c, CHILD_STARTING, 0);
	give_place(s, c);
	if (s->service->parks) {
		admit_at_last(s, c);
		return;
	}
	fdpass_send(c->channel, WORKER_PLACE, "", -1);
	pool_end_channel(s, c);
}

void
extra_child_ended(struct supervisor *s)
{
	struct child *c;

	while (child_count(s) < s->fits.connections &&
	    (c = take_first(s)) != NULL)
		go_on(s, c);
}

void
extra_stop(struct supervisor *s)
{
	struct child *c;

	while ((c = take_first(s)) != NULL)
		refuse(s, c, "max-connections", s->fits.connections);
}

void
extra_tend(struct supervisor *s, int64_t now)
{
	int i;

	if (s->places.n > 0 && !child_is_limit_reached(s))
		extra_child_ended(s);
	while ((i = one_in_vain(s, now)) != -1)
		if (!will_have_place(s, (unsigned int)i, now) &&
		    !ask_session(s))
			refuse(s, children_numbered(&s->children,
			    s->places.by[i].child), "max-connections",
			    s->fits.connections);
}
