/* SPDX-License-Identifier: ISC */
/*
 * Moving bytes from one descriptor to another inside the kernel (splice(2),
 * Linux).  Elsewhere splice_ready() is false and everything is copied.
 */
#ifndef NET_SPLICE_H
#define NET_SPLICE_H

#include <sys/types.h>
#include <sys/uio.h>

#include <stddef.h>

struct splice {
	int r, w;		/* the pipe in between, -1 when closed */
	size_t size;		/* its capacity in bytes */
	size_t held;		/* bytes in it */
	int bulk;		/* much comes at once: moving pays */
	unsigned int shorts;	/* times in a row that little came */
	int refused;		/* it cannot be done here */
};

#define SPLICE_CLOSED	((struct splice){ .r = -1, .w = -1 })

/*
 * Reports how many bytes were just copied or moved at once: many start moving,
 * few, some times in a row, stop it, since copying few bytes is cheaper.
 */
void splice_saw(struct splice *, size_t);

/*
 * Is moving to this descriptor worth it now, and is there a pipe?  Opens the
 * pipe if needed and if data can be moved to the descriptor.
 */
int splice_ready(struct splice *, int to);

/* Closes the pipe, with what is held. */
void splice_close(struct splice *);

/*
 * Moves up to max bytes from fd into the empty pipe: how many, 0 at end of
 * file, -1 with errno; EINVAL if this descriptor, or its next data, cannot be
 * moved.  After these two splice_ready() stays false: reading tells what it is.
 */
ssize_t splice_from(struct splice *, int fd, size_t max);

/* Moves up to max bytes to fd; more: further data follows at once. */
ssize_t splice_to(struct splice *, int fd, size_t max, int more);

/*
 * Up to max of the first bytes that are held, from now on in the other pipe,
 * too: how many, -1 with errno, EAGAIN when that pipe is full.  Both refer to
 * the same pages, which a pipe holds up to 1 MiB of.
 */
ssize_t splice_both(struct splice *, struct splice *copy, size_t max);

/* As readv(2), of what is held. */
ssize_t splice_read(struct splice *, const struct iovec *, int);

#endif
