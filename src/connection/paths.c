/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "connection/paths.h"
#include "os/clock.h"
#include "os/random.h"

/* What is big is set when it is used; a process has one tunnel. */
static struct attempt attempts[PATHS_MAX];

void
paths_want(struct paths *p, const struct options *o, struct trust *trust,
    const union net_end *known, int64_t first)
{
	p->o = o;
	p->trust = trust;
	p->known = known;
	p->next_at = first;
	p->names_at = 0;
	p->hurry = 0;
}

/* Number i leaves the list; it is not closed. */
static struct attempt *
take_out(struct paths *p, unsigned int i)
{
	struct attempt *a = p->at[i];

	p->n--;
	memmove(p->at + i, p->at + i + 1, (p->n - i) * sizeof(p->at[0]));
	return a;
}

void
paths_end(struct paths *p)
{
	while (p->n > 0)
		attempt_end(take_out(p, p->n - 1));
	p->next_at = CLOCK_NEVER;
	p->hurry = 0;
}

/* Hosts with many routes have many changes: the server is spared. */
void
paths_renew(struct paths *p)
{
	int64_t soonest;
	unsigned int i = p->n;

	while (i-- > 0)
		if (!attempt_holds(p->at[i]))
			attempt_end(take_out(p, i));
	soonest = p->n > 0 ? p->at[p->n - 1]->begun + PATHS_HURRY : 0;
	p->next_at = clock_ms();
	p->names_at = 0;
	if (p->next_at < soonest)
		p->next_at = soonest;
	p->hurry = 1;
}

static int
is_listed(const struct paths *p, const struct attempt *a)
{
	unsigned int i;

	for (i = 0; i < p->n; i++)
		if (p->at[i] == a)
			return 1;
	return 0;
}

/* One that is not on its way; there is one. */
static struct attempt *
unused(const struct paths *p)
{
	struct attempt *a = attempts;

	while (is_listed(p, a))
		a++;
	return a;
}

/* Until when those that are connected may go on alone. */
static int64_t
gets_on_until(const struct paths *p)
{
	int64_t until = 0, t;
	unsigned int i;

	for (i = 0; i < p->n; i++)
		if ((t = attempt_gets_on_until(p->at[i])) > until)
			until = t;
	return until;
}

/*
 * A little sooner at random, so that many do not keep step.  The time that the
 * resolver takes comes on top: while it is asked nothing else is done.
 */
static void
begin_one(struct paths *p, int64_t now, int64_t deadline)
{
	struct trace trace = { p->o->log.verbose, now,
	    p->o->mode == MODE_AGENT, 0 };
	int64_t until = clock_after(p->o->timeouts.connect);
	struct attempt *a;

	if (p->n == PATHS_MAX)
		attempt_end(take_out(p, PATHS_MAX - 1));
	net_find_soon();
	a = unused(p);
	p->at[p->n++] = a;
	a->known = p->known;
	a->skip_lookup = now < p->names_at;
	attempt_begin(a, p->o, &p->o->url, p->trust, &trace,
	    until < deadline ? until : deadline);
	if (a->uses_known && !a->skip_lookup)
		p->names_at = clock_ms() + PATHS_NAMES;
	p->hurry = 0;
	p->next_at = clock_ms() + PATHS_EVERY - random_below(PATHS_EVERY / 4);
}

enum paths_event
paths_step(struct paths *p, int64_t deadline, struct attempt **which)
{
	int64_t now = clock_ms(), until = gets_on_until(p);
	unsigned int i;
	int r;

	if (now >= p->next_at && until > now && !p->hurry)
		p->next_at = until;
	if (now >= p->next_at)
		begin_one(p, now, deadline);
	for (i = 0; i < p->n; i++)
		if ((r = attempt_step(p->at[i])) != 0) {
			*which = take_out(p, i);
			return r == 1 ? PATHS_UP : PATHS_FAILED;
		}
	return PATHS_NOTHING;
}

int
paths_poll(const struct paths *p, struct pollfd *fds)
{
	unsigned int i;
	int n = 0;

	for (i = 0; i < p->n; i++)
		n += attempt_poll(p->at[i], fds + n);
	return n;
}

int64_t
paths_time(const struct paths *p)
{
	int64_t t = p->next_at;
	unsigned int i;

	for (i = 0; i < p->n; i++)
		if (attempt_time(p->at[i]) < t)
			t = attempt_time(p->at[i]);
	return t;
}
