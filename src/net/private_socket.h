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
 * A listener, one of its connections, and a connection to it: a descriptor,
 * non-blocking and close-on-exec, or -1 with errno; EACCES: the other end is
 * another user.  private_socket_connect() waits for room in the listener's
 * queue until deadline, of clock_ms().
 */
int private_socket_listen(const char *name);
int private_socket_accept(int listener);
int private_socket_connect(const char *name, int64_t deadline);

/* Closes a listener and removes its name. */
void private_socket_close(int listener, const char *name);

#endif
