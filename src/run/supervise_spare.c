/* SPDX-License-Identifier: ISC */
/*
 * Children without a connection, so many of which are kept waiting; those that
 * do not come to wait are tried again, later each time.
 */
#include <sys/wait.h>

#include <errno.h>
#include <string.h>

#include "os/clock.h"
#include "os/log.h"
#include "proto/agents.h"
#include "run/backoff.h"
#include "run/supervise_inside.h"

#define BACKOFF_MAX	30000	/* ms between two tries */
#define STEADY		10000	/* ms of waiting that prove a wire good */
#define NO_PARK_WAIT	600000	/* ms until a server is asked again */

/* A spare has come to wait: all is well. */
void
supervise_spare_came(struct supervisor *s)
{
	char target[256];

	if (!s->pool.proved) {
		url_print(target, sizeof(target), &s->o->url);
		if (s->o->mode == MODE_AGENT)
			agents_mask_url(target);
		log_event(LOG_L_INFO, "parked", "at", target, NULL);
	}
	s->pool.proved = 1;
	s->pool.failed = 0;
}

static void
try_later(struct supervisor *s, int64_t ms)
{
	struct pool *p = &s->pool;

	p->proved = 0;
	p->not_before = clock_ms() + ms;
}

void
supervise_spare_unwanted(struct supervisor *s)
{
	log_event(LOG_L_INFO, "not-parked", "why",
	    "the server dials its target before it answers", NULL);
	try_later(s, NO_PARK_WAIT);
}

void
supervise_spare_used(struct supervisor *s)
{
	s->pool.tries = 0;
}

/* A spare that ended before anybody came. */
void
supervise_spare_gone(struct supervisor *s, const struct child *c, int status)
{
	struct pool *p = &s->pool;

	if (c->seat == SEAT_NONE || s->phase != SERVING)
		return;
	if (c->seat == SEAT_COMING)
		p->failed++;
	if (c->seat != SEAT_COMING && clock_ms() >= c->since + STEADY)
		p->tries = 0;
	try_later(s, backoff_ms(++p->tries, BACKOFF_MAX));
	if (s->o->retry == 0 || p->failed < s->o->retry)
		return;
	s->status = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_AGAIN;
	supervise_terminate(s);
}

/* How many spares are on their way or there. */
static unsigned int
count_spares(const struct supervisor *s, unsigned int *coming)
{
	unsigned int i, n = 0;

	*coming = 0;
	for (i = 0; i < s->active; i++) {
		if (!s->child[i].spare || (s->child[i].seat != SEAT_COMING &&
		    s->child[i].seat != SEAT_FREE))
			continue;
		n++;
		*coming += s->child[i].seat == SEAT_COMING;
	}
	return n;
}

/* While it is not known whether one can come to wait, only one tries. */
static int
wants_spare(const struct supervisor *s)
{
	unsigned int coming, n = count_spares(s, &coming);

	return s->phase == SERVING && s->service->spares != NULL &&
	    n < *s->service->spares && (s->pool.proved || coming == 0);
}

/*
 * A child's end wakes us, but for those that an earlier supervisor has left we
 * have to look.
 */
int64_t
supervise_spare_time(const struct supervisor *s)
{
	if (!wants_spare(s) || s->active >= s->max)
		return CLOCK_NEVER;
	if (s->active + s->nsurvivors >= s->max &&
	    s->look > s->pool.not_before)
		return s->look;
	return s->pool.not_before;
}

void
supervise_spare_tend(struct supervisor *s)
{
	static const struct arrival nobody = { .fd = -1, .peer = "" };

	while (wants_spare(s) && clock_ms() >= s->pool.not_before &&
	    !supervise_is_full(s))
		if (supervise_start(s, &nobody) == -1) {
			log_event(LOG_L_WARN, "no-spare", "error",
			    strerror(errno), NULL);
			try_later(s, backoff_ms(++s->pool.tries,
			    BACKOFF_MAX));
		}
}
