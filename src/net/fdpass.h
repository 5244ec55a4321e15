/* SPDX-License-Identifier: ISC */
/*
 * Messages between processes, and descriptors with them (SCM_RIGHTS): between a
 * supervisor and its children one letter, a line of text and perhaps a
 * descriptor.
 */
#ifndef NET_FDPASS_H
#define NET_FDPASS_H

#include <sys/types.h>

#include <stddef.h>

#define FDPASS_TEXT_MAX	320	/* bytes, with NUL */

/* A pair of ends, non-blocking and close-on-exec.  0, or -1 with errno. */
int fdpass_pair(int fds[2]);

/*
 * Sends a message without blocking; letter is ASCII, and not NUL.  fd -1:
 * without a descriptor.  fd remains open here.  0, or -1 with errno; EMSGSIZE:
 * the text is too long.
 */
int fdpass_send(int to, char letter, const char *text, int fd);

/*
 * Receives a message and returns its letter; 0 when the other end is closed, or
 * has sent what is no message; -1 with errno, EAGAIN if there is none.  *fd is
 * the descriptor, owned by the caller and close-on-exec, or -1.
 */
int fdpass_take(int from, char text[FDPASS_TEXT_MAX], int *fd);

/*
 * The same with any bytes, for other sockets: sends all of a short message, on
 * a stream that has nothing queued; receives at most size bytes, and returns
 * how many, 0 at the end, or -1 with errno.
 */
int fdpass_send_bytes(int to, const void *, size_t len, int fd);
ssize_t fdpass_take_bytes(int from, void *, size_t size, int *fd);

#endif
