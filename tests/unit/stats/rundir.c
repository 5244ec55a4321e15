/* SPDX-License-Identifier: ISC */
/*
 * If it fails: status does not find an instance, or removes the page of a
 * living one.
 */
#include <sys/stat.h>

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

/* Nobody else puts a page there, whatever the umask. */
static void
test_make(void)
{
	char user[] = "/tmp/inetws-rundir.XXXXXX", made[RUNDIR_MAX], cut[4];
	struct stat st;

	if (mkdtemp(user) == NULL)
		abort();
	unsetenv("RUNTIME_DIRECTORY");
	setenv("XDG_RUNTIME_DIR", user, 1);
	umask(0);
	is(rundir_make(made, sizeof(made)), 0, "a directory is made");
	ok(stat(made, &st) == 0 && (st.st_mode & 07777) == 0755,
	    "which only its owner writes to");
	is(rundir_make(made, sizeof(made)), 0, "one that is there is used");
	is(rundir_make(cut, sizeof(cut)), -1, "no room for its name");
	is(errno, ENAMETOOLONG, "is told");
	rmdir(made);
	is(rmdir(user), 0, "(removed)");
	is(rundir_make(made, sizeof(made)), -1, "nowhere to make it");
}

int
main(void)
{
	test_make();
	is(rundir_each("/", NULL, NULL), 1, "one page");
	fails = 1;
	errno = 0;
	is(rundir_each("/", NULL, NULL), -1, "an error is not the end");
	is(errno, EOVERFLOW, "and is told");
	is(rundir_each("/nowhere", NULL, NULL), -1, "no directory");
	return done_testing();
}
