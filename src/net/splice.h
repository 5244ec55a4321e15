/* SPDX-License-Identifier: ISC */
/*
 * Moving bytes from one descriptor to another without copying them to this
 * process and back (splice(2), Linux).  Elsewhere splice_open() fails and
 * everything is copied.
 */
#ifndef NET_SPLICE_H
#define NET_SPLICE_H

#include <sys/types.h>

#include <stddef.h>

struct splice {
	int r, w;		/* the pipe in between, -1 when closed */
	size_t size;		/* it holds so much */
	size_t held;		/* bytes in it */
	int bulk;		/* much comes at once: moving pays */
	int refused;		/* it cannot be done here */
};

#define SPLICE_CLOSED	((struct splice){ .r = -1, .w = -1 })

/*
 * Tells how many bytes have just been copied or moved at once: many begin
 * moving, few end it, since for few bytes copying is cheaper.
 */
void splice_saw(struct splice *, size_t);

/*
 * Is moving to this descriptor worth it now, and is there a pipe?  Makes it if
 * need be and if the descriptor is one that takes what is moved.
 */
int splice_ready(struct splice *, int to);

/* Gives the pipe back, with what is held. */
void splice_close(struct splice *);

/*
 * Moves up to max bytes from fd into the empty pipe: how many, 0 at end of
 * file, -1 with errno; EINVAL if this descriptor cannot be moved from, or what
 * it has next.  At these two splice_ready() says no from then on: reading
 * tells what it is.
 */
ssize_t splice_from(struct splice *, int fd, size_t max);

/* Moves what is held to fd; more: the last of it is not the last to come. */
ssize_t splice_to(struct splice *, int fd, int more);

#endif
