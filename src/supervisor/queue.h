/* SPDX-License-Identifier: ISC */
/*
 * Queued visitors: those for which no process is free yet.  Bounded in total
 * and for each name.  It closes no descriptor: whatever is taken out is the
 * caller's.
 */
#ifndef SUPERVISOR_QUEUE_H
#define SUPERVISOR_QUEUE_H

#include "supervisor/visitor.h"

struct queue {
	struct queued *at;	/* places, from 1 on */
	struct queue_name *of;	/* by name */
	unsigned int room, n, names;	/* places; visitors; names with some */
	unsigned int top;	/* places up to it have been used */
	int free, first, last;	/* first to leave, last to leave */
	unsigned int look;	/* the next name that may have to give way */
};

/*
 * struct queue is all zeros at first.  queue_grow() gives it room for so many
 * visitors: 0, or -1 without memory.
 */
int queue_grow(struct queue *, unsigned int room);
void queue_end(struct queue *);

/*
 * Puts a visitor at the end of the queue of its name or, with in_front, at the
 * beginning.  per_name: at most so many of one name.  1; or 0 if the name has
 * so many, or if the queue is full and the name has its share of it.  If
 * instead another name has more than its share, the last visitor of that one
 * is taken out as *evicted, whose fd is -1 otherwise.
 */
int queue_add(struct queue *, const struct visitor *, int in_front,
    unsigned int per_name, struct visitor *evicted);

/*
 * queue_take() takes the first visitor of a name out of the queue, queue_peek()
 * leaves it there.  1 and *v, or 0: there is none.
 */
int queue_take(struct queue *, int name, struct visitor *v);
int queue_peek(const struct queue *, int name, struct visitor *v);

/* Takes a visitor whose time is over out of the queue, or any one; 1 or 0. */
int queue_take_expired(struct queue *, int64_t now, struct visitor *v);
int queue_take_any(struct queue *, struct visitor *v);

/*
 * Takes a visitor of a name out for which is_gone() is true: 1, or 0.  It looks
 * at a few of them, at others each time.
 */
int queue_take_gone(struct queue *, int name, int (*is_gone)(int fd),
    struct visitor *v);

/* When the next visitor's time is over (clock_ms()), or CLOCK_NEVER. */
int64_t queue_time(const struct queue *);

/* How many visitors of this name wait. */
unsigned int queue_waiting(const struct queue *, int name);

#endif
