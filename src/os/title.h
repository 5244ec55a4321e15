/* SPDX-License-Identifier: ISC */
/*
 * What ps(1) shows.
 */
#ifndef OS_TITLE_H
#define OS_TITLE_H

/*
 * To be called first in main(): moves the environment out of the way.
 * Without it the functions below do nothing.
 */
void title_init(int argc, char **argv, char **envp);

/* The whole title, without the program's name.  Allocates nothing. */
void title_set(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A child's: "inetws MODE: PEER -> TARGET, STATE". */
void title_tunnel(const char *mode, const char *peer, const char *target,
    const char *state);

#endif
