/* SPDX-License-Identifier: ISC */
/*
 * A file with our process number in it, locked as long as we are the one it
 * names: a file without a lock is left over from somebody.
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

/* We are not the one any more: empties and removes it, as far as we may. */
void pidfile_leave(int fd, const char *path);

#endif
