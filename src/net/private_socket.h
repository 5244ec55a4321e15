/* SPDX-License-Identifier: ISC */
/*
 * Unix sockets by which processes of one user find each other by a name:
 * abstract names on Linux, elsewhere files in a folder that is this user's
 * alone.  Both ends check that the other one is of the same user.
 */
#ifndef NET_PRIVATE_SOCKET_H
#define NET_PRIVATE_SOCKET_H

#include <stdint.h>

/*
 * A listener, or a connection of it; non-blocking and close-on-exec.  -1 with
 * errno; EACCES: the other end is another user.
 */
int private_socket_listen(const char *name);
int private_socket_accept(int listener);
void private_socket_close(int listener, const char *name);

/* Waits until the deadline (clock_ms()) for room in the listener's queue. */
int private_socket_connect(const char *name, int64_t deadline);

#endif
