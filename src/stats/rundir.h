/* SPDX-License-Identifier: ISC */
/*
 * The runtime directory, where "status" finds the pages of instances:
 * PID.stats in $RUNTIME_DIRECTORY (set by systemd(1)), or else in
 * $XDG_RUNTIME_DIR/inetws or /run/inetws.
 */
#ifndef STATS_RUNDIR_H
#define STATS_RUNDIR_H

#include <stddef.h>

#define RUNDIR_MAX	128	/* bytes of a directory's path, with its NUL */

/*
 * The path of the n-th directory (from 0) that may have pages.  0, or -1 after
 * the last one, or if it does not fit.  This process puts its own page into the
 * first one.
 */
int rundir_name(unsigned int n, char *dst, size_t size);

/*
 * Makes the first directory if it does not exist; its path is in dst.  0, or -1
 * with errno.
 */
int rundir_make(char *dst, size_t size);

/*
 * Calls each(arg, path) for each page in the directory, but that of this
 * process; each may be NULL.  Removes pages that no process uses any more.  The
 * number of pages, or -1 with errno.
 */
int rundir_each(const char *dir, void (*each)(void *, const char *path),
    void *);

#endif
