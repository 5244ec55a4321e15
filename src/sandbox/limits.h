/* SPDX-License-Identifier: ISC */
/*
 * What the system shall not let this process do even by mistake.
 */
#ifndef SANDBOX_LIMITS_H
#define SANDBOX_LIMITS_H

/*
 * No core dumps, which would hold what is carried; the soft limit, so a
 * program to be run can raise it.  0, or -1 with errno.
 */
int limits_no_core(void);

/*
 * No descriptors of this number and above any more, beside those that are
 * there.  0, or -1 with errno.
 */
int limits_descriptors(unsigned int);

#endif
