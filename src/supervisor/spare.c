/* SPDX-License-Identifier: ISC */
/*
 * Children without a connection: so many of them are kept parked, and those that
 * do not get there are tried again, later each time; or they are forked ahead.
 */
#include <sys/wait.h>

#include <errno.h>
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
	    !child_is_limit_reached(s) && reload_may_fork(s))
		if (child_start(s, &none, 0) == -1) {
			log_event(LOG_L_WARN, "no-spare", "error",
			    strerror(errno), NULL);
			respawn_failed(&s->respawn, now);
		}
}

/* --- forked ahead --- */

/* One that has all that a child forked now would have, or NULL. */
static struct ahead_place *
current(struct supervisor *s)
{
	return ahead_ready(&s->ahead, reload_generation(s)) == 0 ? NULL :
	    ahead_first(&s->ahead);
}

int
spare_hand_over(struct supervisor *s, const struct incoming *a)
{
	struct ahead_place *p = current(s);
	int64_t line, now = clock_ms();
	struct ahead_message m;

	if (p == NULL || a->sa == NULL)
		return 0;
	memset(&m, 0, sizeof(m));
	memcpy(&m.sa, a->sa, a->len);
	m.len = a->len;
	m.child = children_next_index(&s->children);
	m.slot = child_prepare(s);
	line = failure_lines_grant(&s->failures, now);
	m.may_log = line != 0;
	if (ahead_hand_over(p, &m, a->fd, now) == 0) {
		child_begun(s, p->pid, m.slot, -1, a, 0, line);
		return 1;
	}
	ahead_kill(p);
	failure_lines_ended(&s->failures, line, 0, now);
	slots_give_back(&s->slots, m.slot);
	return 0;
}

/* Served by another one, as if it had never been handed over. */
void
spare_ahead_serve(struct supervisor *s, int fd, const struct ahead_message *m)
{
	struct incoming a = { .fd = fd, .len = m->len,
	    .sa = (const struct sockaddr *)&m->sa };

	if (s->phase > DRAINING)
		accept_refuse(s, fd);
	else
		accept_serve(s, &a);
}

void
spare_ahead_lost(struct supervisor *s, struct ahead_place *p)
{
	struct ahead_message m;
	int was_ready = p->state == AHEAD_READY;
	int fd = ahead_take_back(p, &m);
	pid_t pid = p->pid;

	if (fd == -1 && !was_ready)
		return;
	ahead_kill(p);
	if (fd == -1)
		return;
	child_forget(s, pid, EXIT_ENDED);
	spare_ahead_serve(s, fd, &m);
}

/* 0: there can be no other one now. */
static int
fork_ahead(struct supervisor *s, int64_t now)
{
	struct ahead_place *p = ahead_empty(&s->ahead);
	pid_t pid;

	if (p == NULL && errno == 0)
		return 0;
	if (p == NULL || (pid = child_fork_ahead(s, p->theirs)) == -1) {
		ahead_stop(&s->ahead, now + AHEAD_REST);
		return 0;
	}
	ahead_forked(p, pid, reload_generation(s), now);
	return 1;
}

static int
may_fork_ahead(const struct supervisor *s)
{
	return s->phase == SERVING && s->fits.ahead > 0 &&
	    s->tables.hold == HOLD_NONE;
}

static void
fork_all(struct supervisor *s, int64_t now)
{
	while (ahead_ready(&s->ahead, reload_generation(s)) < s->fits.ahead &&
	    may_fork_ahead(s) && !s->is_busy && now >= s->ahead.not_before &&
	    fork_ahead(s, now))
		;
}

/* A fork takes long enough for the last one to receive. */
void
spare_ahead_tend(struct supervisor *s, int64_t now)
{
	struct ahead_place *p;

	fork_all(s, now);
	while ((p = ahead_look(&s->ahead, now)) != NULL)
		spare_ahead_lost(s, p);
	fork_all(s, now);
}

/* Are there more connections?  If not, now is the time. */
int64_t
spare_ahead_time(const struct supervisor *s, int64_t now)
{
	int64_t until = ahead_time(&s->ahead);

	if (!may_fork_ahead(s))
		return until;
	if (s->is_busy)
		return now;
	return now < s->ahead.not_before && s->ahead.not_before < until ?
	    s->ahead.not_before : until;
}
