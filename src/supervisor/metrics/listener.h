/* SPDX-License-Identifier: ISC */
/*
 * The listener of --metrics: a process for each request, and few at a time.
 * Those who come then wait in the backlog until the oldest one is ready or has
 * taken long enough.
 */
#ifndef SUPERVISOR_METRICS_LISTENER_H
#define SUPERVISOR_METRICS_LISTENER_H

#include <sys/types.h>

#include <stdint.h>

#include "base/error.h"
#include "config/options.h"
#include "net/inherit.h"
#include "os/event.h"

#define METRICS_CHILDREN	16

struct metrics_listener {
	const struct options *o;	/* what it points to is new after HUP */
	const struct event_set *events;
	int fd[INHERIT_EXTRA_FDS];
	unsigned int n;			/* of them, 0: there is none */
	struct net_file file;
	struct metrics_child {
		pid_t pid;
		int64_t since;		/* of clock_ms() */
	} child[METRICS_CHILDREN];	/* oldest first */
	unsigned int nchildren;
	int watched;			/* are new ones accepted? */
};

/* 0, or -1 and why; end kills who is still answering. */
int metrics_listener_begin(struct metrics_listener *, const struct options *,
    const struct inherited *given, const struct event_set *, struct error *);
void metrics_listener_end(struct metrics_listener *);

/*
 * Accepts a connection on the listener of this number: it is the caller's,
 * who forks and tells metrics_listener_forked().  -1 with errno; EAGAIN: there
 * is none; EACCES: of a user who may not.
 */
int metrics_listener_accept(struct metrics_listener *, unsigned int i);
void metrics_listener_forked(struct metrics_listener *, pid_t, int64_t now);

/* A child is gone: 1 if it was one of these. */
int metrics_listener_ended(struct metrics_listener *, pid_t);

/*
 * Ends the oldest one if others may be waiting and it has had its time; watches
 * the listeners, unless accepting pauses or there are enough children.  When
 * there is something to do again, or CLOCK_NEVER; -1 with errno.
 */
int64_t metrics_listener_tend(struct metrics_listener *, int paused,
    int64_t now);

#endif
