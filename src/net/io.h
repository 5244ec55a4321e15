/* SPDX-License-Identifier: ISC */
/*
 * One end of a tunnel as four functions, with plain and TLS versions: read,
 * write, finish, pending.  A pair of pipes is an end like a socket is: its
 * two descriptors differ.
 */
#ifndef NET_IO_H
#define NET_IO_H

#include <sys/types.h>
#include <sys/uio.h>

struct tls;

struct io {
	int rfd, wfd;		/* -1 when closed; the same one for a socket */
	struct tls *tls;	/* NULL when plain; owned by the io */
};

#define IO_CLOSED	((struct io){ .rfd = -1, .wfd = -1, .tls = NULL })

/* A socket as an end.  The descriptor must be non-blocking. */
struct io io_of(int fd);

/*
 * As readv(2) and writev(2) on non-blocking descriptors: bytes moved, 0 at
 * end of file (read), -1 with errno; EAGAIN when it would block or a signal
 * came, EPROTO when TLS broke or its stream was cut short without close_notify.
 *
 * After EAGAIN from io_writev the next one must begin with the same bytes (more
 * may follow): TLS has already encrypted a record of them.
 */
ssize_t io_readv(struct io *, const struct iovec *, int);
ssize_t io_writev(struct io *, const struct iovec *, int);

/* io_writev(), when more follows at once: do not send a short packet yet. */
ssize_t io_writev_more(struct io *, const struct iovec *, int);

/*
 * Ends our direction, once everything has been written: close_notify under
 * TLS, then shutdown(2) of a socket or close(2) of a pipe (wfd is then -1).
 * Reading goes on.  0, or -1 with errno; EAGAIN: call again when writable;
 * fd_not_stored(): a file has not stored what was written.
 */
int io_finish(struct io *);

/* Is there something to read (bytes, end, error) poll(2) would not tell of? */
int io_pending(const struct io *);

/*
 * Can data be moved (splice.h) from rfd, as long as io_pending() is false, and
 * to wfd?  True for a plain end, and for TLS where the kernel does it.  When
 * moving meets an end of file or EINVAL, io_readv() tells what it is.
 */
int io_moves_from(const struct io *);
int io_moves_to(const struct io *);

/*
 * The poll(2) events to wait for, on rfd and wfd, in order to read and/or
 * write; TLS may need the opposite of what it was asked for.  So on any event
 * of either descriptor, try both that are wanted.
 */
void io_events(const struct io *, int want_read, int want_write,
    short *rev, short *wev);

/* Closes both descriptors and frees the TLS state. */
void io_close(struct io *);

/*
 * The same, where nothing was cut short: TLS is ended by close_notify (RFC 8446
 * 6.1), if that can be sent at once.
 */
void io_bye(struct io *);

/* As io_close(), so that all that was written arrives, and a TCP peer sees its end. */
void io_end(struct io *);

/* The same, so that a TCP peer sees a reset. */
void io_reset(struct io *);

#endif
