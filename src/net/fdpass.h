/* SPDX-License-Identifier: ISC */
/*
 * Messages between a supervisor and a child of its own, each of one letter, a
 * line of text, and perhaps a descriptor (SCM_RIGHTS).
 */
#ifndef NET_FDPASS_H
#define NET_FDPASS_H

#define FDPASS_TEXT_MAX	320	/* terminated */

/* A pair of ends, non-blocking and close-on-exec.  0, or -1 with errno. */
int fdpass_pair(int fds[2]);

/*
 * Sends a message at once or not at all; fd -1: without one.  The descriptor
 * stays ours too.  0, or -1 with errno.
 */
int fdpass_send(int to, char letter, const char *text, int fd);

/*
 * Takes a message: its letter; 0 when the other end is gone; -1 with errno,
 * EAGAIN if there is none.  *fd is the descriptor, or -1; it is ours,
 * non-blocking as it was and close-on-exec.
 */
int fdpass_take(int from, char text[FDPASS_TEXT_MAX], int *fd);

#endif
