/* SPDX-License-Identifier: ISC */
/*
 * Limits that protect this process against its own mistakes.
 */
#ifndef SANDBOX_LIMITS_H
#define SANDBOX_LIMITS_H

/*
 * No core dumps, which would hold users' data; only the soft limit, so that a
 * target program can raise it.  0, or -1 with errno.
 */
int limits_no_core(void);

/*
 * No new descriptors of this number and above; existing ones stay.  0, or -1
 * with errno.
 */
int limits_descriptors(unsigned int);

#endif
