/* SPDX-License-Identifier: ISC */
/*
 * In place of the C library's fork(2): one that fails, as if there were too many
 * processes.  And what may leak when something fails: descriptors.
 */
#ifndef FORKS_H
#define FORKS_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

static int forks = INT_MAX;	/* so many more succeed */

pid_t
fork(void)
{
	if (forks-- > 0)
		return _Fork();
	errno = EAGAIN;
	return -1;
}

static int
count_open(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 100; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

#endif
