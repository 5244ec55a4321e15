/* SPDX-License-Identifier: ISC */
/*
 * A small file as a whole.
 */
#ifndef OS_READFILE_H
#define OS_READFILE_H

#include <sys/types.h>

#include <stddef.h>

#include "base/str.h"

/*
 * Reads all of a file into dst, NUL-terminated.  The length without it, or -1
 * with errno: EFBIG if it does not fit.
 */
ssize_t readfile(const char *path, char *dst, size_t size);

/*
 * The same into memory of memory_take(): the text is valid until
 * memory_return().  0, or -1 with errno, and no memory is taken.
 */
#define READFILE_MAX	(16 * 1024 * 1024)
int readfile_take(const char *path, struct slice *text);

#endif
