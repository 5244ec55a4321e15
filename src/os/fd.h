/* SPDX-License-Identifier: ISC */
/*
 * Flags of descriptors that were opened elsewhere; their numbers, and how many
 * there may be; and one that stands for none.
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

/* Makes it non-blocking and close-on-exec.  0, or -1 with errno. */
int fd_nonblock(int fd);

/*
 * Descriptors that a process keeps from its children have high numbers, from
 * FD_KEPT on, so that a child leaves them in one call.  Gives it such a number:
 * that, or -1 with errno, and it stays where it was.
 */
#define FD_KEPT	20
int fd_keep(int fd);
int fd_kept_most(void);			/* the highest that was ever given */

/* One that is held to be given up when there are no others, or -1. */
int fd_reserve(void);

/*
 * Raises the limit of descriptors (RLIMIT_NOFILE) to what the system allows,
 * and returns it.  For a program that is started, fd_limit_restore() puts back
 * what the limit was before.
 */
unsigned int fd_limit_raise(void);
void fd_limit_restore(void);

/*
 * /dev/null, opened with these flags (O_RDONLY, O_RDWR) and close-on-exec; in a
 * root directory without devices an empty file in memory that nothing can be
 * written to, or such an end of a pipe.  -1 with errno.
 */
int fd_null(int flags);

/*
 * Memory that has a descriptor (memfd_create(2)) stays as it is from now on,
 * where the system has seals; without them it is still no other process's.
 */
void fd_seal(int fd);

/*
 * A shared lock on this byte of a file, which belongs to the open file: who
 * inherits or duplicates the descriptor has it too, and it goes with the last
 * one that is closed.  0, or -1 with errno, also where there is no such lock.
 */
int fd_lock_inherited(int fd, off_t at);

#endif
