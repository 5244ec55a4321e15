/* SPDX-License-Identifier: ISC */
/*
 * If it fails: status does not find an instance, or removes the page of a
 * living one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stats/page.h"
#include "stats/rundir.h"
#include "tap.h"

static int fails;	/* readdir(3) does, after the first name */

/* In the place of the C library's: one page, and then the end or an error. */
struct dirent *
readdir(DIR *d)
{
	static struct dirent e;
	static int given;

	if (given) {
		given = 0;
		if (fails)
			errno = EOVERFLOW;
		return NULL;
	}
	given = 1;
	strcpy(e.d_name, "1-00000000.stats");
	return &e;
}

int
main(void)
{
	is(rundir_each("/", NULL, NULL), 1, "one page");
	fails = 1;
	errno = 0;
	is(rundir_each("/", NULL, NULL), -1, "an error is not the end");
	is(errno, EOVERFLOW, "and is told");
	is(rundir_each("/nowhere", NULL, NULL), -1, "no directory");
	return done_testing();
}
