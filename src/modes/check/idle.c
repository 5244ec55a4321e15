/* SPDX-License-Identifier: ISC */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "modes/check/idle.h"
#include "modes/check/probe.h"
#include "modes/check/tell.h"
#include "os/clock.h"
#include "os/memory.h"
#include "os/signals.h"

#define IDLERS_MAX	8	/* each waits half as long as the one before */
#define ANSWER_MS	5000	/* for a ping's answer at the end */
#define LEAST_MS	250
#define PROGRESS_MS	1000	/* between two signs of life */

struct idler {
	struct probe probe;
	int64_t begun;		/* of clock_ms() */
	int64_t wait;		/* ms to be idle */
	int64_t until;		/* of clock_ms(): when the ping is due, and then
				 * its answer */
	int asked;		/* the ping was sent */
	int over;		/* its result is known */
};

static struct idler *idler;	/* IDLERS_MAX of them */

/*
 * Opens a websocket that asks to be parked: it has no target then, which could
 * end an idle connection too.  A peer that does not know parking dials its
 * target.
 */
static int
begin(struct idler *i, const struct options *o, struct trust *trust,
    struct error *why)
{
	struct extension offer = { .flags = EXT_PARK, .id = "idle",
	    .win = o->websocket.window };
	struct websocket w;
	int status;

	if (websocket_dial(&w, o, trust, &offer, &status, why) == -1)
		return -1;
	probe_begin(&i->probe, &w);
	i->begun = clock_ms();
	i->until = i->begun + i->wait;
	i->asked = i->over = 0;
	return 0;
}

/*
 * This websocket ended in this way.  Returns 1: the result of the test is
 * known.
 */
static int
over(struct check *c, struct idler *i, enum check_idle how)
{
	i->over = 1;
	c->idle = how;
	c->idle_end = how == IDLE_SILENT ? i->wait : clock_ms() - i->begun;
	probe_end(&i->probe, clock_ms() + LEAST_MS);
	return 1;
}

/* Looks at a websocket.  1: the result of the test is known. */
static int
look(struct check *c, struct idler *i)
{
	unsigned int before = i->probe.pings;
	enum probe_event event = probe_wait(&i->probe, clock_ms() + 1);

	c->idle_pings += i->probe.pings - before;
	switch (event) {
	case PROBE_NOTHING:
	case PROBE_EOF:
		break;
	case PROBE_PONG:
		if (i->wait > c->idle_lived)
			c->idle_lived = i->wait;
		i->over = 1;
		probe_end(&i->probe, clock_ms() + LEAST_MS);
		return 0;
	case PROBE_END:
		return signal_terminated() ? 0 : over(c, i, IDLE_CUT);
	case PROBE_FAULT:	/* as a proxy's "HTTP/1.0 408 Request Time-out" */
		return over(c, i, IDLE_CUT);
	case PROBE_CLOSE:
		return over(c, i, IDLE_ENDED);
	}
	if (clock_ms() < i->until)
		return 0;
	if (i->asked)
		return over(c, i, IDLE_SILENT);
	i->asked = 1;
	i->until = clock_ms() + ANSWER_MS;
	if (probe_ping(&i->probe, i->until) == -1)
		return over(c, i, IDLE_CUT);
	return 0;
}

/* Shows the progress on a terminal, in place. */
static void
show_progress(const struct check *c)
{
	char now[24], all[24], lived[24], text[128];

	if (!isatty(STDERR_FILENO))
		return;
	str_ms(now, sizeof(now), clock_ms() - idler[0].begun);
	str_ms(all, sizeof(all), c->idle_limit);
	str_ms(lived, sizeof(lived), c->idle_lived);
	snprintf(text, sizeof(text), "\ridle %s of %s; answered after %s "
	    "\033[K", now, all, c->idle_lived > 0 ? lived : "nothing yet");
	tell_progress(text);
}

static void
end_progress(void)
{
	if (isatty(STDERR_FILENO))
		tell_progress("\r\033[K");
}

static void
sleep_until_something(unsigned int n)
{
	struct pollfd p[IDLERS_MAX];
	int64_t until = clock_ms() + PROGRESS_MS;
	unsigned int i, k = 0;
	short ignored;

	for (i = 0; i < n; i++) {
		if (idler[i].over)
			continue;
		if (idler[i].until < until)
			until = idler[i].until;
		p[k].fd = idler[i].probe.io.rfd;
		io_events(&idler[i].probe.io, 1, 0, &p[k].events, &ignored);
		k++;
	}
	signals_poll(p, k, clock_poll(until));
}

/* The number of websockets whose result is not known. */
static unsigned int
alive(unsigned int n)
{
	unsigned int i, left = 0;

	for (i = 0; i < n; i++)
		left += !idler[i].over;
	return left;
}

/* A signal stopped the test: its result so far becomes the reason. */
static void
stop(struct check *c)
{
	char lived[24];

	if (c->idle_lived > 0)
		error_set(&c->why, EXIT_AGAIN, "answered after %s, more is not "
		    "known", str_ms(lived, sizeof(lived), c->idle_lived));
	else
		c->idle = IDLE_NOT_TRIED;
	check_stop(c, signal_terminated(), clock_us() - c->since);
}

static void
fail(struct check *c)
{
	c->idle = IDLE_NOT_TRIED;
	c->failed_at = STEP_IDLE;
}

void
check_idle(struct check *c, const struct options *o, struct trust *trust)
{
	unsigned int i, n;
	int64_t wait = o->check.proxy_idle;
	int done = 0;

	idler = memory_take(IDLERS_MAX * sizeof(idler[0]));
	c->idle_limit = wait;
	for (n = 0; n < IDLERS_MAX && (n == 0 || wait >= LEAST_MS); n++) {
		idler[n].wait = wait;
		if (begin(&idler[n], o, trust, &c->why) == -1)
			break;
		wait /= 2;
	}
	c->idle = IDLE_LIVES;
	while (c->why.status == EXIT_ENDED && !done && alive(n) > 0 &&
	    !signal_terminated()) {
		show_progress(c);
		sleep_until_something(n);
		for (i = 0; i < n && !done && !signal_terminated(); i++)
			if (!idler[i].over)
				done = look(c, &idler[i]);
	}
	end_progress();
	if (signal_terminated() && !done && (alive(n) > 0 ||
	    c->why.status != EXIT_ENDED))
		stop(c);
	else if (c->why.status != EXIT_ENDED)
		fail(c);
	for (i = 0; i < n; i++)
		if (!idler[i].over)
			probe_end(&idler[i].probe, clock_ms() + LEAST_MS);
	memory_return();
}
