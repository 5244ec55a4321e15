/* SPDX-License-Identifier: ISC */
/*
 * A file with the process number, which is locked as long as the process runs.
 * A file without a lock was left by a process that has ended.
 */
#ifndef OS_PIDFILE_H
#define OS_PIDFILE_H

#include "base/error.h"

/*
 * Makes the file, with mode 0644, unless it exists, locks it, and writes the
 * number of this process.  If it is locked, tries for half a second.  The
 * descriptor, which children must close; or -1 and why (71), which names the
 * process that holds the lock.  A symbolic link, or a file of another user than
 * this one and root, is not written to.
 */
int pidfile_make(const char *path, struct error *);

/* Empties the file, removes it if permissions allow that, and closes it. */
void pidfile_leave(int fd, const char *path);

#endif
