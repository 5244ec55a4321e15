/* SPDX-License-Identifier: ISC */
/*
 * Connecting to one of several addresses, without waiting (RFC 8305 5): the
 * next address is tried 250 ms after the last one, or as soon as one fails,
 * and the first to answer wins.
 */
#ifndef NET_RACE_H
#define NET_RACE_H

#include <poll.h>
#include <stdint.h>

#include "net/socket.h"

struct net_race {
	const struct net_found *to;
	int fd[NET_FOUND_MAX];	/* of each attempt; -1: not under way */
	int started;		/* attempts made, to at[0] and on */
	int alive;		/* attempts that may still succeed */
	int64_t next_at;	/* when the next attempt may start */
	int winner;		/* connected descriptor, or -1 */
	int is_literal;		/* the address is what the user wrote */
	int resets;		/* connections are reset when they are closed */
	int status;		/* exit status for the failures */
	char reasons[256];	/* of all failures, with addresses */
};

/*
 * Has this host still the local address of an attempt under way?  1 also if
 * none is under way.
 */
int net_race_holds(const struct net_race *);

/*
 * Nothing is tried before the first step.  host is what was written; the
 * addresses must last as long as the race.
 */
void net_race_begin(struct net_race *, const char *host,
    const struct net_found *);

/*
 * Does what can be done now.  1: connected, and the caller takes winner; 0: it
 * goes on when a descriptor of net_race_poll() is ready, or at net_race_time();
 * -1: all have failed, status and reasons say how.
 */
int net_race_step(struct net_race *);

/*
 * What it waits for: writes at most NET_FOUND_MAX entries and returns how many;
 * and until when, of clock_ms(), or CLOCK_NEVER.
 */
int net_race_poll(const struct net_race *, struct pollfd *);
int64_t net_race_time(const struct net_race *);

/*
 * Closes the attempts under way.  Unless reason is NULL each of them counts as
 * failed for it (75).
 */
void net_race_end(struct net_race *, const char *reason);

/* What a failed connect(2) means for the exit status. */
int net_dial_status(int error);

/* -1 and why: the target as it was written, and why it cannot be reached. */
int net_dial_failed(const struct addr *, const char *reasons, int status,
    struct error *);

#endif
