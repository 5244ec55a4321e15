/* SPDX-License-Identifier: ISC */
/*
 * Replacing a small file atomically.
 */
#ifndef OS_WRITEFILE_H
#define OS_WRITEFILE_H

#include <stddef.h>

/*
 * Replaces the contents of a file; its mode becomes 0644.  A reader finds
 * either all of the old contents or all of the new ones: they are written to
 * .NAME.PID in the same directory, which is then renamed.  0, or -1 with errno;
 * EINVAL: there is something that is no regular file, as a symbolic link.
 */
int writefile(const char *path, const void *bytes, size_t len);

/*
 * Writes what was printed to standard output, and closes it.  0, or -1 with
 * errno: not all of it is stored.
 */
int writefile_stdout(void);

#endif
