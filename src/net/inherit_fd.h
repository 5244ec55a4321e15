/* SPDX-License-Identifier: ISC */
/*
 * One inherited descriptor: what it is, and taking it over.
 */
#ifndef NET_INHERIT_FD_H
#define NET_INHERIT_FD_H

enum inherit_sort { IS_LISTENER, IS_CONNECTION, IS_OTHER };

/* An enum inherit_sort, or -1 with errno; EPROTOTYPE if no stream socket. */
int inherit_sort(int fd);

/* Are both the same socket? */
int inherit_same_socket(int a, int b);

/*
 * Opens /dev/null in the place of one of the descriptors 0 to 2, with the
 * flags of open(2).  0, or -1 with errno.
 */
int inherit_put_null(int fd, int flags);

/*
 * Moves a descriptor above 2, where it is close-on-exec, and makes it
 * non-blocking unless that would change a file which other processes share.
 * flags are for open(2) of a pipe or terminal.  Returns the new number, or -1
 * with errno.
 */
int inherit_move(int fd, int flags);

#endif
