/* SPDX-License-Identifier: ISC */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stats/page.h"
#include "stats/rundir.h"

#define SUFFIX	".stats"

/*
 * Copies the first of several directories, which systemd separates by colons.
 */
static int
first_of(char *dst, size_t size, const char *list)
{
	size_t len = strcspn(list, ":");

	return (size_t)snprintf(dst, size, "%.*s", (int)len, list) < size ?
	    0 : -1;
}

int
rundir_name(unsigned int n, char *dst, size_t size)
{
	const char *given = getenv("RUNTIME_DIRECTORY");
	const char *user = getenv("XDG_RUNTIME_DIR");

	if (given != NULL && given[0] == '/')
		return n == 0 ? first_of(dst, size, given) : -1;
	if (user != NULL && user[0] == '/' && n-- == 0)
		return (size_t)snprintf(dst, size, "%s/inetws", user) < size ?
		    0 : -1;
	if (n > 0)
		return -1;
	return strlcpy(dst, "/run/inetws", size) < size ? 0 : -1;
}

int
rundir_make(char *dst, size_t size)
{
	if (rundir_name(0, dst, size) == -1) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return mkdir(dst, 0755) == -1 && errno != EEXIST ? -1 : 0;
}

int
rundir_each(const char *dir, void (*each)(void *, const char *path), void *arg)
{
	char path[RUNDIR_MAX + 256 + 2];
	const struct dirent *e;
	size_t len;
	DIR *d;
	int n = 0, failed;

	if ((d = opendir(dir)) == NULL)
		return -1;
	while (errno = 0, (e = readdir(d)) != NULL) {
		len = strlen(e->d_name);
		if (e->d_name[0] == '.' || len <= strlen(SUFFIX) ||
		    strcmp(e->d_name + len - strlen(SUFFIX), SUFFIX) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		/* Opening and closing our own page would release its locks. */
		if (stats_path() != NULL && strcmp(path, stats_path()) == 0)
			continue;
		if (stats_is_abandoned(path)) {
			unlink(path);
			continue;
		}
		n++;
		if (each != NULL)
			each(arg, path);
	}
	failed = errno;
	closedir(d);
	errno = failed;
	return failed == 0 ? n : -1;
}
