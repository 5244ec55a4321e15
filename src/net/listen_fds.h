/* SPDX-License-Identifier: ISC */
/*
 * Descriptors that systemd has passed, as sd_listen_fds(3) tells.
 */
#ifndef OS_PASSED_H
#define OS_PASSED_H

#define PASSED_FIRST	3	/* SD_LISTEN_FDS_START, and those above it */
#define PASSED_MAX	64

/* How many there are for us, and not for our parent. */
int passed_count(void);

/* Has the i-th, from 0, this name? */
int passed_as(int i, const char *name);

/* Removes all that tells of them from the environment, if it is for us. */
void passed_forget(void);

#endif
