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
#include "proto/agent_name.h"
#include "supervisor/internal.h"

/* A spare has come to wait: all is well. */
void
supervise_spare_came(struct supervisor *s)
{
	char target[256];

	if (!s->pool.pace.proved) {
		url_print(target, sizeof(target), &s->o->url);
		if (s->o->mode == MODE_AGENT)
			agents_mask_url(target);
		log_event(LOG_L_INFO, "parked", "at", target, NULL);
	}
	pace_came(&s->pool.pace);
}

void
supervise_spare_unwanted(struct supervisor *s)
{
	log_event(LOG_L_INFO, "not-parked", "why",
	    "the server dials its target before it answers", NULL);
	pace_unwanted(&s->pool.pace, clock_ms());
}

void
supervise_spare_used(struct supervisor *s)
{
	pace_used(&s->pool.pace);
}

/* A spare that ended before anybody came. */
void
supervise_spare_gone(struct supervisor *s, const struct child *c, int status)
{
	struct pace *p = &s->pool.pace;

	if (c->seat == SEAT_NONE || s->phase != SERVING)
		return;
	pace_lost(p, c->seat == SEAT_COMING ? -1 : c->since, clock_ms());
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
	    n < *s->service->spares && (s->pool.pace.proved || coming == 0);
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
	    s->look > s->pool.pace.not_before)
		return s->look;
	return s->pool.pace.not_before;
}

void
supervise_spare_tend(struct supervisor *s)
{
	static const struct arrival nobody = { .fd = -1, .peer = "" };

	while (wants_spare(s) && clock_ms() >= s->pool.pace.not_before &&
	    !supervise_is_full(s))
		if (supervise_start(s, &nobody) == -1) {
			log_event(LOG_L_WARN, "no-spare", "error",
			    strerror(errno), NULL);
			pace_stuck(&s->pool.pace, clock_ms());
		}
}
