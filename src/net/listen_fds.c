/* SPDX-License-Identifier: ISC */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "net/listen_fds.h"

/* A number in the environment; 0 if it is not there or not good. */
static int
env_number(const char *name)
{
	uint64_t n;

	return slice_number(slice_of(getenv(name)), 0, INT_MAX, &n) == 0 ?
	    (int)n : 0;
}

int
listen_fds_count(void)
{
	int n;

	if (env_number("LISTEN_PID") != getpid())
		return 0;
	n = env_number("LISTEN_FDS");
	return n > LISTEN_FDS_MAX ? LISTEN_FDS_MAX : n;
}

int
listen_fds_named(int i, const char *name)
{
	const char *p = getenv("LISTEN_FDNAMES");
	size_t len;

	for (; p != NULL && i > 0; i--)
		if ((p = strchr(p, ':')) != NULL)
			p++;
	if (p == NULL)
		return 0;
	len = strcspn(p, ":");
	return len == strlen(name) && memcmp(p, name, len) == 0;
}

void
listen_fds_forget(void)
{
	if (env_number("LISTEN_PID") != getpid())
		return;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_PIDFDID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}
