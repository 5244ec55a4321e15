/* SPDX-License-Identifier: ISC */
/* What may leak when something fails: descriptors. */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include <fcntl.h>

#define DESCRIPTORS_MAX	1024	/* no unit test has higher ones */

static int
count_open(void)
{
	int fd, n = 0;

	for (fd = 0; fd < DESCRIPTORS_MAX; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

#endif
