/* SPDX-License-Identifier: ISC */
/*
 * Processes that are forked ahead of their connection, each with a pair of
 * sockets.  A connection is handed over by a message with its descriptor.  Both
 * ends of the pair are open in the supervisor too, so that the queue of the pair
 * decides whose the connection is: the process receives the message, or the
 * supervisor takes it back, never both.  Nothing has to be confirmed, and one
 * that is killed or stopped before it receives loses nothing.
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

/* What is known with the connection only. */
struct ahead_message {
	struct sockaddr_storage sa;
	socklen_t len;
	int slot, may_log;
	unsigned int child;	/* its number */
};

/*
 * Ends those of another generation; how many are left, and the one of them that
 * has been ready longest, or NULL.
 */
unsigned int ahead_ready(struct ahead *, unsigned int generation);
struct ahead_place *ahead_first(struct ahead *);

/* An open pair without a process; NULL: there is none, or with errno. */
struct ahead_place *ahead_empty(struct ahead *);
void ahead_forked(struct ahead_place *, pid_t, unsigned int generation,
    int64_t now);

/*
 * A connection whose descriptor found no room, which has ended it.  Who takes one
 * makes room before.
 */
#define AHEAD_NO_ROOM	(-2)

/* In the process: waits; the descriptor, or less than 0: it has to end. */
int ahead_wait(int theirs, struct ahead_message *);

/* 0, or -1 with errno: it could not be sent. */
int ahead_hand_over(struct ahead_place *, const struct ahead_message *, int fd,
    int64_t now);

/*
 * Takes back what was handed over: the descriptor, or -1: nothing was, or it has
 * been received; or AHEAD_NO_ROOM.  Whether it has been is looked at in look,
 * which returns one that has had its time, or NULL; time: when to look.
 */
int ahead_take_back(struct ahead_place *, struct ahead_message *);
struct ahead_place *ahead_look(struct ahead *, int64_t now);
int64_t ahead_time(const struct ahead *);

/*
 * Of a process, NULL if it is none of these; it has ended.  If it had no
 * connection yet, that may be the fate of the next one too: AHEAD_REST.
 */
struct ahead_place *ahead_find(struct ahead *, pid_t);
void ahead_ended(struct ahead *, struct ahead_place *, int64_t now);

/*
 * Kills one; kills all that are ready and waits for their ends: how many.  Until
 * then there are no others.
 */
void ahead_kill(struct ahead_place *);
unsigned int ahead_stop(struct ahead *, int64_t until);

#endif
