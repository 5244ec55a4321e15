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
#define PATHS_EVERY	1000	/* ms between two beginnings, at most */
#define PATHS_NAMES	5000	/* ms: names are not looked up for so long if
				 * their server was silent */
#define PATHS_HURRY	250	/* the same, at least, when the network changes */

struct paths {
	const struct options *o;
	struct trust *trust;
	const union net_end *known;	/* see struct attempt */
	struct attempt *at[PATHS_MAX];	/* n of them, the oldest first */
	unsigned int n;
	int64_t next_at;		/* a new one begins */
	int64_t names_at;		/* names are looked up again */
	int hurry;			/* also while one gets on */
};

/*
 * A path is wanted, from then on; those on their way stay.  paths_end(): none
 * is, and all are closed.
 */
void paths_want(struct paths *, const struct options *, struct trust *,
    const union net_end *known, int64_t first);
void paths_end(struct paths *);

/*
 * The network has changed: a new one begins at once, and of those under way
 * only those end whose local address is gone.
 */
void paths_renew(struct paths *);

enum paths_event {
	PATHS_NOTHING,		/* it goes on when one of paths_poll() is
				 * ready, or at paths_time() */
	PATHS_UP,		/* *which is, and not the search's any more:
				 * its io is the caller's */
	PATHS_FAILED,		/* *which has; there may be more to tell */
};

/*
 * Does what can be done now.  Each second a new one begins, within deadline;
 * names are looked up for each, unless their server is silent: for a second or
 * more nothing else could be done.  Before a fourth one begins the newest of the
 * three is closed, so that the oldest has all of --connect-timeout.  While one
 * that is connected gets on there is no need for another.
 */
enum paths_event paths_step(struct paths *, int64_t deadline,
    struct attempt **which);

/* At most PATHS_POLL_MAX.  How many. */
int paths_poll(const struct paths *, struct pollfd *);
int64_t paths_time(const struct paths *);

#endif
