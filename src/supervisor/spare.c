/* SPDX-License-Identifier: ISC */
/*
 * Spares, which begin without a connection: so many of them are kept parked, and
 * those that do not get there are tried again, later each time.
 */
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "os/clock.h"
#include "os/log.h"
#include "proto/agent_name.h"
#include "supervisor/internal.h"

void
spare_parked(struct supervisor *s)
{
	char target[256];

	if (!s->respawn.proved) {
		url_print(target, sizeof(target), &s->o->url);
		if (s->o->mode == MODE_AGENT)
			agent_name_mask_url(target);
		log_event(LOG_L_INFO, "parked", "at", target, NULL);
	}
	respawn_parked(&s->respawn);
}

void
spare_unwanted(struct supervisor *s)
{
	log_event(LOG_L_INFO, "not-parked", "why",
	    "the server dials its target before it answers", NULL);
	respawn_unwanted(&s->respawn, clock_ms());
}

int
spare_retry_after(struct supervisor *s, const char *text)
{
	uint64_t seconds;

	if (slice_number(slice_of(text), 1, UINT32_MAX, &seconds) == -1)
		return -1;
	respawn_retry_after(&s->respawn, (uint32_t)seconds);
	return 0;
}

void
spare_used(struct supervisor *s)
{
	respawn_used(&s->respawn);
}

/* A spare that ended without a stream. */
void
spare_ended(struct supervisor *s, const struct child *c, int status)
{
	if (c->state == CHILD_PLAIN || s->phase != SERVING)
		return;
	respawn_ended(&s->respawn, c->state == CHILD_STARTING ? -1 : c->since,
	    clock_ms());
	if (s->o->reverse.retry == 0 ||
	    s->respawn.failed < s->o->reverse.retry)
		return;
	s->status = WIFEXITED(status) ?
	    failure_lines_status(WEXITSTATUS(status)) : EXIT_AGAIN;
	supervisor_terminate(s);
}

/* It would count, and answer no visitor; killed, it is replaced. */
void
spare_stopped(const struct child *c)
{
	if (c != NULL && c->spare && (c->state == CHILD_PARKED ||
	    c->state == CHILD_STARTING))
		kill(c->pid, SIGKILL);
}

/* While it is not known whether one can be parked, only one tries. */
static int
wants_spare(const struct supervisor *s)
{
	const struct children *c = &s->children;

	return s->phase == SERVING && s->service->spares != NULL &&
	    c->spares_starting + c->spares_parked < s->fits.spares &&
	    (s->respawn.proved || c->spares_starting == 0);
}

/*
 * A child's end wakes us, but for those that an earlier supervisor has left we
 * have to look.
 */
int64_t
spare_time(const struct supervisor *s)
{
	int64_t look = slots_look_time(&s->slots);

	if (!wants_spare(s) || s->children.n >= s->fits.connections)
		return CLOCK_NEVER;
	if (child_count(s) >= s->fits.connections &&
	    look > s->respawn.not_before)
		return look;
	return s->respawn.not_before;
}

void
spare_tend(struct supervisor *s, int64_t now)
{
	static const struct incoming none = { .fd = -1, .peer = "" };

	while (wants_spare(s) && now >= s->respawn.not_before &&
	    !child_is_limit_reached(s) && reload_before_fork(s))
		if (child_start(s, &none, 0) == -1) {
			log_event(LOG_L_WARN, "no-spare", "error",
			    strerror(errno), NULL);
			respawn_failed(&s->respawn, now);
		}
}
