/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <libutil.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/pidfile.h"

#define LOCKED_MS	500	/* for an earlier instance to end */
#define STEP_US		10000

/* The number in it, or 0. */
static int
pid_in(const char *path)
{
	char text[24];
	uint64_t pid;
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return slice_number((struct slice){ text, strcspn(text, "\n") }, 1,
	    INT_MAX, &pid) == 0 ? (int)pid : 0;
}

static int
locked(const char *path, struct error *why)
{
	int pid = pid_in(path);

	if (pid == 0)
		return error_set(why, EXIT_SYSTEM,
		    "--pidfile %s is locked by another process", path);
	return error_set(why, EXIT_SYSTEM, "--pidfile %s is locked: process %d "
	    "is running", path, pid);
}

int
pidfile_make(const char *path, struct error *why)
{
	int64_t until = clock_ms() + LOCKED_MS;
	int fd;

	while ((fd = flopen(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK |
	    O_NOFOLLOW, 0644)) == -1 && errno == EWOULDBLOCK &&
	    clock_ms() < until)
		usleep(STEP_US);
	if (fd == -1 && errno == EWOULDBLOCK)
		return locked(path, why);
	if (fd != -1 && !fd_belongs_to(fd, geteuid())) {
		close(fd);
		return error_set(why, EXIT_SYSTEM,
		    "--pidfile %s belongs to another user", path);
	}
	if (fd != -1 && ftruncate(fd, 0) == 0 &&
	    dprintf(fd, "%d\n", (int)getpid()) > 0)
		return fd;
	error_set(why, EXIT_SYSTEM, "--pidfile %s: %s", path, strerror(errno));
	if (fd != -1)
		close(fd);
	return -1;
}

void
pidfile_leave(int fd, const char *path)
{
	if (ftruncate(fd, 0) == 0 && fd_is_at(fd, path))
		unlink(path);
	close(fd);
}
