/* SPDX-License-Identifier: ISC */
/*
 * Children that are forked ahead of their connection (ahead.h): how many there
 * are, and which connections they get.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/fd.h"
#include "supervisor/internal.h"

/* One that has all that a child forked now would have, or NULL. */
static struct ahead_place *
current(struct supervisor *s)
{
	return ahead_ready(&s->ahead, reload_generation(s)) == 0 ? NULL :
	    ahead_first(&s->ahead);
}

int
fork_ahead_serve(struct supervisor *s, const struct incoming *a)
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

static void
hold_reserve(struct supervisor *s)
{
	if (s->reserve == -1)
		s->reserve = fd_reserve();
}

/* The descriptor in reserve is the room. */
int
fork_ahead_take_back(struct supervisor *s, struct ahead_place *p,
    struct ahead_message *m)
{
	int fd;

	if (p->state == AHEAD_HANDED && s->reserve != -1) {
		close(s->reserve);
		s->reserve = -1;
	}
	fd = ahead_take_back(p, m);
	if (fd < 0)
		hold_reserve(s);
	return fd;
}

/* Served by another one, as if it had never been handed over. */
void
fork_ahead_serve_again(struct supervisor *s, int fd, const struct ahead_message *m)
{
	struct incoming a = { .fd = fd, .len = m->len,
	    .sa = (const struct sockaddr *)&m->sa };

	if (fd == AHEAD_NO_ROOM) {
		accept_count_refused(s);
		accept_pause(s, "recvmsg", EMFILE);
	} else if (s->phase > DRAINING)
		accept_refuse(s, fd);
	else
		accept_serve(s, &a);
	hold_reserve(s);
}

void
fork_ahead_lost(struct supervisor *s, struct ahead_place *p)
{
	struct ahead_message m;
	int was_ready = p->state == AHEAD_READY;
	int fd = fork_ahead_take_back(s, p, &m);
	pid_t pid = p->pid;

	if (fd == -1 && !was_ready)
		return;
	ahead_kill(p);
	if (fd == -1)
		return;
	child_forget(s, pid, EXIT_ENDED);
	fork_ahead_serve_again(s, fd, &m);
}

/* 0: there can be no other one now. */
static int
fork_one(struct supervisor *s, int64_t now)
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
may_fork(const struct supervisor *s)
{
	return s->phase == SERVING && s->fits.ahead > 0 &&
	    s->tables.hold == HOLD_NONE;
}

static void
fork_all(struct supervisor *s, int64_t now)
{
	while (ahead_ready(&s->ahead, reload_generation(s)) < s->fits.ahead &&
	    may_fork(s) && !s->is_busy && now >= s->ahead.not_before &&
	    fork_one(s, now))
		;
}

/* A fork takes long enough for the last one to receive. */
void
fork_ahead_tend(struct supervisor *s, int64_t now)
{
	struct ahead_place *p;

	fork_all(s, now);
	while ((p = ahead_look(&s->ahead, now)) != NULL)
		fork_ahead_lost(s, p);
	fork_all(s, now);
}

/* Are there more connections?  If not, now is the time. */
int64_t
fork_ahead_time(const struct supervisor *s, int64_t now)
{
	int64_t until = ahead_time(&s->ahead);

	if (!may_fork(s))
		return until;
	if (s->is_busy)
		return now;
	return now < s->ahead.not_before && s->ahead.not_before < until ?
	    s->ahead.not_before : until;
}
