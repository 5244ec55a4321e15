/* SPDX-License-Identifier: ISC */
/*
 * Descriptors: their flags, their numbers, their limit, and locks.
 */
#ifndef OS_FD_H
#define OS_FD_H

#include <sys/types.h>

/*
 * Closes it.  0; or -1 with errno: what was written before has not been stored,
 * as some file systems tell only then.  fd_not_stored(): is it such an error?
 */
int fd_close(int fd);
int fd_not_stored(int error);

/*
 * Is the file at this path the one that is open here?  0 also if there is none.
 * To be asked before a file is removed at its end: it may be another's by then.
 */
int fd_is_at(int fd, const char *path);

/*
 * Does the file belong to the user of this process, to root, or to this user?
 * To be asked before it is written to: another user may have put it there.
 */
int fd_belongs_to(int fd, uid_t);

/* Makes it non-blocking and close-on-exec.  0, or -1 with errno. */
int fd_nonblock(int fd);

/*
 * Descriptors that a process keeps from its children have numbers from FD_KEPT
 * on, so that a child can close all of them with one call.  fd_keep() gives a
 * descriptor such a number and returns it; or -1 with errno, and the descriptor
 * is unchanged.  fd_kept_most() is the highest number that it ever gave.
 */
#define FD_KEPT	20
int fd_keep(int fd);
int fd_kept_most(void);

/*
 * Opens a descriptor that does nothing, to be closed when no other one is free;
 * or -1.
 */
int fd_reserve(void);

/*
 * Raises the limit of descriptors (RLIMIT_NOFILE) as far as the system allows,
 * and returns it.  fd_limit_restore() sets it back, before a program is
 * started.
 */
unsigned int fd_limit_raise(void);
void fd_limit_restore(void);

/*
 * Opens /dev/null with these flags (O_RDONLY, O_RDWR) and close-on-exec.  In a
 * root directory without /dev it opens an empty file in memory to which nothing
 * can be written, or the end of a pipe.  -1 with errno.
 */
int fd_null(int flags);

/*
 * Seals a file in memory (memfd_create(2)) against all changes.  Without effect
 * on systems that have no seals.
 */
void fd_seal(int fd);

/*
 * Sets a shared lock on a byte of a file.  It belongs to the open file
 * (F_OFD_SETLK in fcntl(2)): processes that inherit the descriptor have it too,
 * and it is removed when the last copy is closed.  0, or -1 with errno, also
 * where the system has no such locks.
 */
int fd_lock_inherited(int fd, off_t at);

#endif
