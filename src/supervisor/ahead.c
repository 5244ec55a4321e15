/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <unistd.h>

#include "net/fdpass.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/process.h"
#include "os/signals.h"
#include "supervisor/ahead.h"

#define END(a)	((a)->place + AHEAD_PLACES)

static void
set_state(struct ahead_place *p, enum ahead_state state)
{
	p->state = state;
}

static void
close_pair(struct ahead_place *p)
{
	close(p->ours);
	close(p->theirs);
	set_state(p, AHEAD_CLOSED);
}

/* One that has not ended yet may be about to receive: it keeps its pair. */
void
ahead_kill(struct ahead_place *p)
{
	if (process_kill(p->pid) == 0)
		set_state(p, AHEAD_EMPTY);
	else
		close_pair(p);
}

unsigned int
ahead_ready(struct ahead *a, unsigned int generation)
{
	struct ahead_place *p;
	unsigned int n = 0;

	for (p = a->place; p < END(a); p++) {
		if (p->state != AHEAD_READY)
			continue;
		if (p->generation == generation)
			n++;
		else
			ahead_kill(p);
	}
	return n;
}

struct ahead_place *
ahead_first(struct ahead *a)
{
	struct ahead_place *first = NULL, *p;

	for (p = a->place; p < END(a); p++)
		if (p->state == AHEAD_READY &&
		    (first == NULL || p->since < first->since))
			first = p;
	return first;
}

/* All are opened at once.  No other child has these ends. */
static int
open_pair(struct ahead_place *p)
{
	int pair[2], kept[2], i;

	if (fdpass_pair(pair) == -1)
		return -1;
	for (i = 0; i < 2; i++)
		if ((kept[i] = fd_keep(pair[i])) != -1)
			pair[i] = kept[i];
	if (kept[0] == -1 || kept[1] == -1) {
		close(pair[0]);
		close(pair[1]);
		errno = EMFILE;
		return -1;
	}
	p->ours = pair[0];
	p->theirs = pair[1];
	set_state(p, AHEAD_EMPTY);
	return 0;
}

struct ahead_place *
ahead_empty(struct ahead *a)
{
	struct ahead_place *p, *empty = NULL;

	for (p = a->place; p < END(a); p++) {
		if (p->state == AHEAD_CLOSED && open_pair(p) == -1)
			return NULL;
		if (p->state == AHEAD_EMPTY)
			empty = p;
	}
	errno = 0;
	return empty;
}

void
ahead_forked(struct ahead_place *p, pid_t pid, unsigned int generation,
    int64_t now)
{
	p->pid = pid;
	p->generation = generation;
	p->since = now;
	set_state(p, AHEAD_READY);
}

static int
take(int theirs, struct ahead_message *m)
{
	int fd;

	if (fdpass_take_bytes(theirs, m, sizeof(*m), &fd) == sizeof(*m))
		return fd == -1 ? AHEAD_NO_ROOM : fd;
	if (fd != -1)
		close(fd);
	return -1;
}

int
ahead_wait(int theirs, struct ahead_message *m)
{
	struct pollfd p = { .fd = theirs, .events = POLLIN };

	return signals_poll(&p, 1, -1) == 1 ? take(theirs, m) : -1;
}

int
ahead_hand_over(struct ahead_place *p, const struct ahead_message *m, int fd,
    int64_t now)
{
	if (fdpass_send_bytes(p->ours, m, sizeof(*m), fd) == -1)
		return -1;
	p->since = now;
	set_state(p, AHEAD_HANDED);
	return 0;
}

int
ahead_take_back(struct ahead_place *p, struct ahead_message *m)
{
	return p->state == AHEAD_HANDED ? take(p->theirs, m) : -1;
}

static int
is_received(const struct ahead_place *p)
{
	struct pollfd queue = { .fd = p->theirs, .events = POLLIN };

	return poll(&queue, 1, 0) == 0;
}

struct ahead_place *
ahead_look(struct ahead *a, int64_t now)
{
	struct ahead_place *p, *late = NULL;

	for (p = a->place; p < END(a); p++) {
		if (p->state != AHEAD_HANDED)
			continue;
		if (is_received(p))
			set_state(p, AHEAD_EMPTY);
		else if (now >= p->since + AHEAD_TAKE_MS)
			late = p;
	}
	return late;
}

int64_t
ahead_time(const struct ahead *a)
{
	const struct ahead_place *p;
	int64_t until = CLOCK_NEVER;

	for (p = a->place; p < END(a); p++)
		if (p->state == AHEAD_HANDED &&
		    p->since + AHEAD_TAKE_MS < until)
			until = p->since + AHEAD_TAKE_MS;
	return until;
}

struct ahead_place *
ahead_find(struct ahead *a, pid_t pid)
{
	struct ahead_place *p;

	for (p = a->place; p < END(a); p++)
		if (p->state >= AHEAD_READY && p->pid == pid)
			return p;
	return NULL;
}

void
ahead_ended(struct ahead *a, struct ahead_place *p, int64_t now)
{
	if (p->state == AHEAD_READY)
		a->not_before = now + AHEAD_REST;
	set_state(p, AHEAD_EMPTY);
}

/* One that has been handed over a connection is to serve it. */
unsigned int
ahead_stop(struct ahead *a, int64_t until)
{
	struct ahead_place *p;
	unsigned int n = 0;

	a->not_before = until;
	for (p = a->place; p < END(a); p++) {
		if (p->state == AHEAD_READY) {
			ahead_kill(p);
			n++;
		}
		if (p->state == AHEAD_EMPTY)
			close_pair(p);
	}
	return n;
}
