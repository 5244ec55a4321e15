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

/* All zeros at first; grow: room for so many.  0, or -1 without memory. */
int queue_grow(struct queue *, unsigned int room);
void queue_end(struct queue *);

/*
 * Puts a visitor at the end of its name's queue, or, in_front, at its
 * beginning, where per_name are the most that may be there.  1; or 0, as the
 * name has enough, or its share of a queue that is full.  If a name with more
 * than its share gives way, its last one comes out as *evicted, whose fd is -1
 * otherwise.
 */
int queue_add(struct queue *, const struct visitor *, int in_front,
    unsigned int per_name, struct visitor *evicted);

/* Takes the first of a name, or puts it into *v and leaves it there. */
int queue_take(struct queue *, int name, struct visitor *v);
int queue_peek(const struct queue *, int name, struct visitor *v);

/* Takes one whose time has come, or any one. */
int queue_take_expired(struct queue *, int64_t now, struct visitor *v);
int queue_take_any(struct queue *, struct visitor *v);

/*
 * Takes one of a name out for which is_gone() is true, looking at a few of
 * them, others each time.
 */
int queue_take_gone(struct queue *, int name, int (*is_gone)(int fd),
    struct visitor *v);

/* When the next one's time comes, or CLOCK_NEVER. */
int64_t queue_time(const struct queue *);

unsigned int queue_waiting(const struct queue *, int name);

#endif
