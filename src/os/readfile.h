/* SPDX-License-Identifier: ISC */
/*
 * Reading a small file as a whole, and noticing that a file has changed.
 */
#ifndef OS_READFILE_H
#define OS_READFILE_H

#include <sys/stat.h>
#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

/*
 * Reads a file into dst, NUL-terminated.  Its length without the NUL, or -1
 * with errno; EFBIG: it does not fit.  It may wait for a FIFO, but not while
 * signals_are_flags(): then only regular files are read; ESPIPE: it is another
 * one.
 */
ssize_t readfile(const char *path, char *dst, size_t size);

/*
 * For a file that a library opens: is it one that readfile() would read?  0, or
 * -1 with errno.
 */
int readfile_may(const char *path);

/* What an errno of these two says. */
const char *readfile_reason(int error);

/*
 * What identifies the state of a file, without reading it.  All 0: there is no
 * file.
 */
struct file_stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	int64_t modified, changed;	/* ns since 1970 */
};

void file_stamp_of(struct file_stamp *, const struct stat *);

/* Are they equal? */
int file_stamp_is(const struct file_stamp *, const struct file_stamp *);

/*
 * Times of files advance in steps: two changes within a step leave the same
 * stamp.  Milliseconds until any change to the file will change this stamp; 0:
 * it does now.
 */
int file_stamp_unstable(const struct file_stamp *);

#endif
