/* SPDX-License-Identifier: ISC */
/*
 * In place of the C library's fork(2): one that fails, as if there were too many
 * processes.
 */
#ifndef FORKS_H
#define FORKS_H

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "descriptors.h"

static int forks = INT_MAX;	/* so many more succeed */

pid_t
fork(void)
{
	if (forks-- > 0)
		return _Fork();
	errno = EAGAIN;
	return -1;
}

#endif
