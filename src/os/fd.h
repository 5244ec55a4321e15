/* SPDX-License-Identifier: ISC */
/*
 * Flags of descriptors that were opened elsewhere.
 */
#ifndef OS_FD_H
#define OS_FD_H

/* Makes it non-blocking and close-on-exec.  0, or -1 with errno. */
int fd_nonblock(int fd);

#endif
