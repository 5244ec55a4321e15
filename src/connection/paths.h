/* SPDX-License-Identifier: ISC */
/*
 * The search for a new path: up to three connections on their way at a time,
 * while the process does other work.  The first that is up is used, and the
 * others are closed.
 */
#ifndef CONNECTION_PATHS_H
#define CONNECTION_PATHS_H

#include <poll.h>
#include <stdint.h>

#include "config/options.h"
#include "handshake/attempt.h"

#define PATHS_MAX	3
#define PATHS_POLL_MAX	(PATHS_MAX * ATTEMPT_POLL_MAX)
#define PATHS_EVERY	1000	/* ms from one beginning to the next */
#define PATHS_HURRY	250	/* ... at least, also if the network changes */
#define PATHS_NAMES	5000	/* ms: names are not looked up for so long if
				 * their server was silent */

struct paths {
	const struct options *o;
	struct trust *trust;
	const union net_end *known;	/* see struct attempt */
	struct attempt *at[PATHS_MAX];	/* n of them, the oldest first; they
					 * belong to the search */
	unsigned int n;
	int64_t next_at;		/* a new one begins */
	int64_t names_at;		/* names are looked up again */
	int hurry;			/* the next begins even while one that
					 * is connected goes on */
};

/*
 * paths_want(): a path is wanted from the time first (clock_ms()) on; attempts
 * that are under way continue.  paths_end(): no path is wanted, and all
 * attempts are closed.
 */
void paths_want(struct paths *, const struct options *, struct trust *,
    const union net_end *known, int64_t first);
void paths_end(struct paths *);

/*
 * The network has changed: an attempt begins at once.  Of those under way only
 * those end whose local address is gone.
 */
void paths_renew(struct paths *);

enum paths_event {
	PATHS_NOTHING,		/* call paths_step() again when one of
				 * paths_poll() is ready, or at paths_time() */
	PATHS_UP,		/* *which is up; it, and its io, are the
				 * caller's now */
	PATHS_FAILED,		/* *which has failed; call paths_step() again,
				 * as others may have, too */
};

/*
 * Does what can be done now.  Until the deadline an attempt begins each second,
 * but none while one that is connected makes progress.  Names are looked up for
 * each attempt, unless their server was silent: a lookup may take a second or
 * more, in which this process does nothing else.  Before a fourth one begins
 * the newest of the three is closed, so that the oldest has all of
 * --connect-timeout.
 */
enum paths_event paths_step(struct paths *, int64_t deadline,
    struct attempt **which);

/* Sets at most PATHS_POLL_MAX descriptors to watch, and returns how many. */
int paths_poll(const struct paths *, struct pollfd *);
int64_t paths_time(const struct paths *);

#endif
