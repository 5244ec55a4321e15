/* SPDX-License-Identifier: ISC */
/*
 * Processes that are forked ahead of their connection, each with a pair of
 * sockets.  A connection is handed over by a message with its descriptor.
 * Both ends of the pair are open in the supervisor too, so that the queue of
 * the pair decides whose the connection is: the process receives the message,
 * or the supervisor takes it back, never both.  Nothing has to be confirmed,
 * and one that is killed or stopped before it receives loses nothing.
 */
#ifndef SUPERVISOR_AHEAD_H
#define SUPERVISOR_AHEAD_H

#include <sys/socket.h>
#include <sys/types.h>

#include <stdint.h>

#define AHEAD_MAX		2	/* that are ready */
#define AHEAD_PLACES		(AHEAD_MAX + 1)
#define AHEAD_DESCRIPTORS	(2 * AHEAD_PLACES)
#define AHEAD_REST		10000	/* ms without them, after something was
					 * lacking */
#define AHEAD_TAKE_MS		50	/* for a process to receive */

enum ahead_state {
	AHEAD_CLOSED,		/* there is no pair */
	AHEAD_EMPTY,		/* the pair has no process */
	AHEAD_READY,
	AHEAD_HANDED		/* it has perhaps not received yet */
};

struct ahead_place {
	enum ahead_state state;	/* set in ahead.c alone */
	int ours, theirs;	/* ends of the pair */
	pid_t pid;
	unsigned int generation;
	int64_t since;		/* ready, or handed over */
};

/*
 * All zeros at first.  generation: of what processes inherit; those of another
 * one are of no use.
 */
struct ahead {
	struct ahead_place place[AHEAD_PLACES];
	int64_t not_before;	/* the next one is forked */
};

/* What a process needs to know and what is not known before its connection. */
struct ahead_message {
	struct sockaddr_storage sa;
	socklen_t len;
	int slot, may_log;
	unsigned int child;	/* its number */
};

/*
 * ahead_ready() ends the processes of other generations, whose places are free
 * then, and returns how many that are ready are left.  ahead_first(): the one that
 * has been ready longest, or NULL.
 */
unsigned int ahead_ready(struct ahead *, unsigned int generation);
struct ahead_place *ahead_first(struct ahead *);

/*
 * ahead_empty() finds an open pair without a process, or opens one; NULL: all
 * places are taken, or, with errno, no pair can be opened.  ahead_forked(): it
 * has this process now.
 */
struct ahead_place *ahead_empty(struct ahead *);
void ahead_forked(struct ahead_place *, pid_t, unsigned int generation,
    int64_t now);

/*
 * The message was received, but there was no room for its descriptor, so the
 * connection has ended.  Whoever receives one makes room before.
 */
#define AHEAD_NO_ROOM	(-2)

/*
 * In the forked process: waits for its connection.  Returns the descriptor, or
 * less than 0 if the process has to end.
 */
int ahead_wait(int theirs, struct ahead_message *);

/*
 * Sends a connection to a process.  0, or -1 with errno; fd stays the
 * caller's.
 */
int ahead_hand_over(struct ahead_place *, const struct ahead_message *, int fd,
    int64_t now);

/*
 * ahead_take_back() takes back what was handed over: the descriptor, which is
 * the caller's; -1 if nothing was, or if it has been received; AHEAD_NO_ROOM.
 * ahead_look() finds out which connections have been received, and returns a
 * process that has not received its own within AHEAD_TAKE_MS, or NULL.  It is
 * to be called at ahead_time() (clock_ms(); CLOCK_NEVER).
 */
int ahead_take_back(struct ahead_place *, struct ahead_message *);
struct ahead_place *ahead_look(struct ahead *, int64_t now);
int64_t ahead_time(const struct ahead *);

/*
 * ahead_find(): the place of a process, or NULL if it is none of these.
 * ahead_ended(): it has ended.  If it had no connection yet, the next one might
 * end in the same way, so none is forked for AHEAD_REST.
 */
struct ahead_place *ahead_find(struct ahead *, pid_t);
void ahead_ended(struct ahead *, struct ahead_place *, int64_t now);

/*
 * ahead_kill() kills one process, to which nothing is handed over, or no more.
 * ahead_stop() kills all that are ready and returns how many they were; none is
 * forked until that time (clock_ms()).  Those that are killed have left their
 * places among the processes then, unless something holds them (process_kill()).
 */
void ahead_kill(struct ahead_place *);
unsigned int ahead_stop(struct ahead *, int64_t until);

#endif
