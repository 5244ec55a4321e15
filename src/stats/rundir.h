/* SPDX-License-Identifier: ISC */
/*
 * The runtime directory, where "status" finds the pages of instances:
 * PID.stats in $RUNTIME_DIRECTORY (set by systemd(1)), or else in
 * $XDG_RUNTIME_DIR/inetws or /run/inetws.
 */
#ifndef STATS_RUNDIR_H
#define STATS_RUNDIR_H

#include <stddef.h>

#define RUNDIR_MAX	128	/* bytes of a directory's name */

/*
 * The n-th directory to look in; 0, or -1 after the last.  This process puts
 * its own page in the first one.
 */
int rundir_name(unsigned int n, char *dst, size_t size);

/* Makes the first one if it does not exist.  0, or -1 with errno. */
int rundir_make(char *dst, size_t size);

/*
 * Calls each() with the path of each page in the directory; removes the pages
 * that no process uses any more.  The number of pages, or -1 with errno.
 */
int rundir_each(const char *dir, void (*each)(void *, const char *path),
    void *);

#endif
