/* SPDX-License-Identifier: ISC */
/*
 * Sets of descriptors that are watched for input, by epoll(7), or kqueue(2) on
 * other systems.  The cost of waiting depends on how many are ready, not on how
 * many are watched.
 *
 * A set belongs to the process that opened it.  A forked child shares an epoll
 * set with its parent, so it only closes the descriptor.  A descriptor must be
 * deleted from the set before it is closed: if a child has a copy of it,
 * closing does not remove it.
 */
#ifndef OS_EVENT_H
#define OS_EVENT_H

#include <stdint.h>

#define EVENT_BATCH	64	/* events that are taken at a time */

/* A set, which can be watched by another one. */
struct event_set {
	int fd;		/* -1: there is none */
};

/* Opens an empty set, close-on-exec.  0, or -1 with errno. */
int event_open(struct event_set *);
void event_close(struct event_set *);

/*
 * Begins to watch a descriptor for input, end of file and errors; event_wait()
 * returns tag for it.  0, or -1 with errno (ENOSPC, ENOMEM: a limit of the
 * system is reached).
 */
int event_add(const struct event_set *, int fd, uint32_t tag);

/* Switches watching a descriptor of the set on or off. */
int event_change(const struct event_set *, int fd, uint32_t tag, int on);

/* Removes a descriptor. */
int event_delete(const struct event_set *, int fd);

/*
 * Waits until something is ready, and writes the tags of at most EVENT_BATCH
 * descriptors.  Signals are delivered as in signals_poll().  The number of
 * tags; 0 after timeout milliseconds (-1: no limit), or at a signal; -1 with
 * errno.  What the caller does not deal with is returned again.
 */
int event_wait(const struct event_set *, uint32_t tags[EVENT_BATCH],
    int timeout);

/* The same without waiting. */
int event_take(const struct event_set *, uint32_t tags[EVENT_BATCH]);

#endif
