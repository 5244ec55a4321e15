/* SPDX-License-Identifier: ISC */
/*
 * Descriptors that are watched for input, of any number: epoll(7), or
 * kqueue(2) elsewhere.  Waiting costs what is ready, not what is watched.
 *
 * A set belongs to the process that opened it.  With epoll a forked child
 * shares it: the child closes the descriptor and calls nothing else here.  A
 * descriptor is deleted before it is closed, as a copy of it in a child would
 * otherwise keep it in the set.
 */
#ifndef OS_EVENT_H
#define OS_EVENT_H

#include <stdint.h>

#define EVENT_BATCH	64	/* events taken at a time */

/* An open set, which can be watched by another one; fd -1: none. */
struct event_set {
	int fd;
};

/* 0, or -1 with errno; close-on-exec. */
int event_open(struct event_set *);
void event_close(struct event_set *);

/*
 * Watches a descriptor for input, an end or an error; tag is what comes back.
 * 0, or -1 with errno (ENOSPC, ENOMEM: the system's limit is reached).
 */
int event_add(const struct event_set *, int fd, uint32_t tag);

/* Watches it or, with on 0, keeps it in the set without looking. */
int event_change(const struct event_set *, int fd, uint32_t tag, int on);

int event_delete(const struct event_set *, int fd);

/*
 * Waits, with signals let in as signals_poll() does, until something is ready:
 * puts the tags of at most EVENT_BATCH into tags.  How many; 0 after timeout
 * milliseconds (-1: none) or a signal; -1 with errno.  What is not dealt with
 * comes again.
 */
int event_wait(const struct event_set *, uint32_t tags[EVENT_BATCH],
    int timeout);

/* The same without waiting. */
int event_take(const struct event_set *, uint32_t tags[EVENT_BATCH]);

#endif
