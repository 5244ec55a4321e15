/* SPDX-License-Identifier: ISC */
/*
 * Descriptors passed by systemd, as sd_listen_fds(3) has it.
 */
#ifndef NET_LISTEN_FDS_H
#define NET_LISTEN_FDS_H

#define LISTEN_FDS_FIRST	3	/* SD_LISTEN_FDS_START */
#define LISTEN_FDS_MAX		64

/* How many there are; 0 if LISTEN_PID is another process. */
int listen_fds_count(void);

/* Has the i-th, from 0, this name? */
int listen_fds_named(int i, const char *name);

/* Removes LISTEN_* from the environment, if LISTEN_PID is ours. */
void listen_fds_forget(void);

#endif
