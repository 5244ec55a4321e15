/* SPDX-License-Identifier: ISC */
/*
 * Messages between a supervisor and its children: one letter, a line of text
 * and optionally a descriptor (SCM_RIGHTS).
 */
#ifndef NET_FDPASS_H
#define NET_FDPASS_H

#define FDPASS_TEXT_MAX	320	/* terminated */

/* A pair of ends, non-blocking and close-on-exec.  0, or -1 with errno. */
int fdpass_pair(int fds[2]);

/*
 * Sends a message without blocking; fd -1: without a descriptor.  fd remains
 * open here.  0, or -1 with errno.
 */
int fdpass_send(int to, char letter, const char *text, int fd);

/*
 * Receives a message and returns its letter; 0 when the other end is closed; -1
 * with errno, EAGAIN if there is none.  *fd is the descriptor, owned by the
 * caller and close-on-exec, or -1.
 */
int fdpass_take(int from, char text[FDPASS_TEXT_MAX], int *fd);

#endif
