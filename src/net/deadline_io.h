/* SPDX-License-Identifier: ISC */
/*
 * Straight-line reading and writing with a deadline, for handshakes.
 */
#ifndef NET_DEADLINE_IO_H
#define NET_DEADLINE_IO_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "net/io.h"

/*
 * Waits for the end to become readable (or writable) until deadline, of
 * clock_ms().  0, or -1 with errno, ETIMEDOUT at the deadline.  A return of 0
 * is no promise: the read may still fail with EAGAIN.
 */
int deadline_wait(const struct io *, int for_write, int64_t deadline);

/*
 * One read of what is there: >0 bytes, 0 end of file, -1 with errno.  Past the
 * deadline it is ETIMEDOUT even if there are bytes, so that a peer that never
 * stops sending cannot hold a loop of reads.
 */
ssize_t deadline_read(struct io *, void *, size_t, int64_t deadline);

/* Writes all of it.  0, or -1 with errno. */
int deadline_write(struct io *, const void *, size_t, int64_t deadline);

/* As io_finish(), also where it would block.  0, or -1 with errno. */
int deadline_finish(struct io *, int64_t deadline);

#endif
