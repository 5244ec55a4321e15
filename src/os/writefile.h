/* SPDX-License-Identifier: ISC */
/*
 * A small file, replaced as a whole.
 */
#ifndef OS_WRITEFILE_H
#define OS_WRITEFILE_H

#include <stddef.h>

/*
 * Writes the bytes to this file, mode 0644, atomically: a reader finds all of
 * the old contents or all of the new.  The new file is called .NAME.PID until
 * it is complete.  0, or -1 with errno.
 */
int writefile(const char *path, const void *bytes, size_t len);

/*
 * Writes what was printed to standard output, and closes it.  0, or -1 with
 * errno: not all of it is stored.
 */
int writefile_stdout(void);

#endif
