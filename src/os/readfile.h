/* SPDX-License-Identifier: ISC */
/*
 * A small file as a whole.
 */
#ifndef OS_READFILE_H
#define OS_READFILE_H

#include <sys/types.h>

#include <stddef.h>

/*
 * Reads all of a file into dst, NUL-terminated.  The length without it, or -1
 * with errno: EFBIG if it does not fit.
 */
ssize_t readfile(const char *path, char *dst, size_t size);

#endif
