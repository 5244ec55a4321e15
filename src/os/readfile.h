/* SPDX-License-Identifier: ISC */
/*
 * A small file as a whole; and what tells one state of a file from another.
 */
#ifndef OS_READFILE_H
#define OS_READFILE_H

#include <sys/stat.h>
#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

/*
 * Reads all of a file into dst, NUL-terminated.  The length without it, or -1
 * with errno: EFBIG if it does not fit.
 */
ssize_t readfile(const char *path, char *dst, size_t size);

/* All 0: there is no such file. */
struct file_stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	int64_t modified, changed;	/* ns since 1970 */
};

void file_stamp_of(struct file_stamp *, const struct stat *);
int file_stamp_is(const struct file_stamp *, const struct file_stamp *);

/*
 * Will whatever is written to the file from now on change its stamp?  Not for
 * a moment after a change, as times are counted in steps.  file_stamp_unstable():
 * milliseconds until then, 0: it does.
 */
int file_stamp_unstable(const struct file_stamp *);

#endif
