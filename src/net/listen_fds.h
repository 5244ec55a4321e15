/* SPDX-License-Identifier: ISC */
/*
 * Descriptors that systemd has passed, as sd_listen_fds(3) tells.
 */
#ifndef NET_LISTEN_FDS_H
#define NET_LISTEN_FDS_H

#define LISTEN_FDS_FIRST	3	/* SD_LISTEN_FDS_START, and those above it */
#define LISTEN_FDS_MAX	64

/* How many there are for us, and not for our parent. */
int listen_fds_count(void);

/* Has the i-th, from 0, this name? */
int listen_fds_named(int i, const char *name);

/* Removes all that tells of them from the environment, if it is for us. */
void listen_fds_forget(void);

#endif
