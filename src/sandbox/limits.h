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
 * No core dump either to a program that the system pipes it to, and no other
 * process of the same user may inspect this one.  A new program can again.  0,
 * or -1 with errno.
 */
int limits_not_dumpable(void);

/*
 * No new descriptors of this number and above; existing ones stay.  0, or -1
 * with errno.
 */
int limits_descriptors(unsigned int);

#endif
