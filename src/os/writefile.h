/* SPDX-License-Identifier: ISC */
/*
 * A small file, replaced as a whole.
 */
#ifndef OS_WRITEFILE_H
#define OS_WRITEFILE_H

#include <stddef.h>

/*
 * Puts the bytes into a file of this name, mode 0644, so that whoever opens it
 * meanwhile finds all of the old or all of the new.  A new file appears beside
 * it for a moment, as .NAME.PID.  0, or -1 with errno.
 */
int writefile(const char *path, const void *bytes, size_t len);

#endif
