/* SPDX-License-Identifier: ISC */
/*
 * The title of a process, which ps(1) shows.
 */
#ifndef OS_TITLE_H
#define OS_TITLE_H

/*
 * To be called first in main(): moves argv and the environment, whose memory
 * the title takes.  Unless it was called, the functions below do nothing.
 */
void title_init(int argc, char **argv, char **envp);

/* Sets the whole title, as printf(3).  Allocates nothing. */
void title_set(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Sets "inetws MODE: PEER -> TARGET, STATE". */
void title_tunnel(const char *mode, const char *peer, const char *target,
    const char *state);

#endif
