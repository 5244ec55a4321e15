/* SPDX-License-Identifier: ISC */
/*
 * The runtime directory, where instances leave the pages that "status" finds
 * them by: PID.stats in $RUNTIME_DIRECTORY, as systemd(1) gives it, or else in
 * $XDG_RUNTIME_DIR/inetws or /run/inetws.
 */
#ifndef STATS_RUNDIR_H
#define STATS_RUNDIR_H

#include <stddef.h>

#define RUNDIR_MAX	128	/* bytes of a directory's name */

/*
 * The n-th place to look in, 0 or -1 behind the last.  The first is where
 * this process puts its own.
 */
int rundir_name(unsigned int n, char *dst, size_t size);

/* Makes the first one if it is missing.  0, or -1 with errno. */
int rundir_make(char *dst, size_t size);

/*
 * Calls for each page there, by its full name; those that nobody has anything
 * to do with are removed instead.  How many there were, or -1 with errno.
 */
int rundir_each(const char *dir, void (*each)(void *, const char *path),
    void *);

#endif
