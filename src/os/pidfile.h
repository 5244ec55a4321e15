/* SPDX-License-Identifier: ISC */
/*
 * A file that holds our process number, locked as long as we run: a file
 * without a lock was left by a process that is gone.
 */
#ifndef OS_PIDFILE_H
#define OS_PIDFILE_H

#include "base/error.h"

/*
 * Locks the file, making it with mode 0644 if it is not there, and writes our
 * number.  A lock that is held is tried again for half a second.  Returns its
 * descriptor, which children must close; or -1 and why (71): the process that
 * holds it is named.
 */
int pidfile_make(const char *path, struct error *);

/* Empties and removes it, as far as permissions allow, and closes it. */
void pidfile_leave(int fd, const char *path);

#endif
