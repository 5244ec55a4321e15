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
spare_parked(struct supervisor *s)
{
	char target[256];

	if (!s->pool.pace.proved) {
		url_print(target, sizeof(target), &s->o->url);
		if (s->o->mode == MODE_AGENT)
			agent_name_mask_url(target);
		log_event(LOG_L_INFO, "parked", "at", target, NULL);
	}
	respawn_parked(&s->pool.pace);
}

void
spare_unwanted(struct supervisor *s)
{
	log_event(LOG_L_INFO, "not-parked", "why",
	    "the server dials its target before it answers", NULL);
	respawn_unwanted(&s->pool.pace, clock_ms());
}

void
spare_used(struct supervisor *s)
{
	respawn_used(&s->pool.pace);
}

/* A spare that ended before anybody came. */
void
spare_ended(struct supervisor *s, const struct child *c, int status)
{
	struct respawn *p = &s->pool.pace;

	if (c->seat == CHILD_SINGLE || s->phase != SERVING)
		return;
	respawn_ended(p, c->seat == CHILD_STARTING ? -1 : c->since, clock_ms());
	if (s->o->reverse.retry == 0 || p->failed < s->o->reverse.retry)
		return;
	s->status = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_AGAIN;
	supervisor_terminate(s);
}

/* How many spares are on their way or there. */
static unsigned int
count_spares(const struct supervisor *s, unsigned int *coming)
{
	unsigned int i, n = 0;

	*coming = 0;
	for (i = 0; i < s->active; i++) {
		if (!s->child[i].spare || (s->child[i].seat != CHILD_STARTING &&
		    s->child[i].seat != CHILD_PARKED))
			continue;
		n++;
		*coming += s->child[i].seat == CHILD_STARTING;
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
spare_time(const struct supervisor *s)
{
	if (!wants_spare(s) || s->active >= s->max)
		return CLOCK_NEVER;
	if (s->active + s->nsurvivors >= s->max &&
	    s->look > s->pool.pace.not_before)
		return s->look;
	return s->pool.pace.not_before;
}

void
spare_tend(struct supervisor *s)
{
	static const struct incoming nobody = { .fd = -1, .peer = "" };

	while (wants_spare(s) && clock_ms() >= s->pool.pace.not_before &&
	    !supervisor_is_full(s))
		if (child_start(s, &nobody) == -1) {
			log_event(LOG_L_WARN, "no-spare", "error",
			    strerror(errno), NULL);
			respawn_failed(&s->pool.pace, clock_ms());
		}
}
