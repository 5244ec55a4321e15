/* SPDX-License-Identifier: ISC */
/*
 * What the supervisor shares with its children: a table of the sessions that
 * wait for a new websocket, and of websockets that wait for "open"; and a ring
 * of the children that have ended.
 *
 * A child writes its own place only; but since any child could write any place,
 * the supervisor takes what it reads as a hint.
 */
#ifndef CONNECTION_WAITING_H
#define CONNECTION_WAITING_H

#include <stdint.h>

#define WAITING_PLACES	65552		/* children that can be entered */
#define WAITING_MIN	15000		/* ms until a session may be asked */
#define WAITING_END	2500		/* ms in which one that was asked and
					 * gives way has ended: less than
					 * ACCEPTED_EXTRA_MS */

/* In the supervisor.  0, or -1 without memory. */
int waiting_begin(void);
void waiting_end(void);

/* In the supervisor: the child of this number is gone, or not born yet. */
void waiting_clear(unsigned int child);

/* In a child, first: its number. */
void waiting_be(unsigned int child);

/*
 * --- sessions that wait ---
 *
 * The supervisor asks a session to give its place to another connection by
 * SIGUSR2, and the child that keeps it does so only if it has waited for
 * WAITING_MIN by its own clock.
 */

/*
 * In the supervisor: at most so many sessions of one owner wait, also of
 * children that live already.
 */
void waiting_share(unsigned int max);

/*
 * Which of the children numbered below top has waited longest, and for at least
 * WAITING_MIN?  Those that may() refuses are passed over.  -1: there is none.
 */
int waiting_longest(unsigned int top, int64_t now,
    int (*may)(const void *, unsigned int child), const void *arg);

/* Has the session of this child begun to give its place away?  A hint, too. */
int waiting_gives_way(unsigned int child);

/*
 * In a child: its session waits from now on, or not any more.  owner: whose it
 * is, 0 of no one in particular.  start: 0; -1: as many of this owner wait as
 * may, and this one may not.  Without a table (no supervisor) all may.
 */
int waiting_start(uint64_t owner, int64_t now);
void waiting_stop(void);

/* In a child: it ends, as its place is needed. */
void waiting_give_way(void);

/*
 * --- websockets that are parked without a channel to the supervisor ---
 *
 * In the supervisor: the options have changed, also for children that live
 * already; is the websocket of this child parked?  A hint: it is told by SIGUSR2.
 */
void waiting_renew(void);
int waiting_is_parked(unsigned int child);

/*
 * In a child: its websocket is parked, until waiting_stop(); were the options
 * changed after it was forked?  Who parks first and asks then misses no change.
 */
void waiting_park(void);
int waiting_is_outdated(void);

/*
 * --- children that end ---
 *
 * They say so, last of all; those that are killed do not.
 */
#define WAITING_RING	4096	/* the last ones that are known */

/* In a child. */
void waiting_end_child(void);

/* In the supervisor: how many have; the number of the nth, -1: not known. */
uint32_t waiting_ended(void);
int waiting_ended_child(uint32_t n);

#endif
