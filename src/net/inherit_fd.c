/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "net/inherit_fd.h"
#include "net/socket.h"
#include "os/fd.h"

int
inherit_sort(int fd)
{
	socklen_t len = sizeof(int);
	int type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == -1)
		return errno == ENOTSOCK ? IS_OTHER : -1;
	if (type != SOCK_STREAM) {
		errno = EPROTOTYPE;
		return -1;
	}
	switch (net_is_listener(fd)) {
	case 1:
		return IS_LISTENER;
	case 0:
		return IS_CONNECTION;
	}
	return -1;
}

int
inherit_same_socket(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 &&
	    S_ISSOCK(sa.st_mode) && S_ISSOCK(sb.st_mode) &&
	    sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

int
inherit_put_null(int fd, int flags)
{
	int null, r;

	if ((null = fd_null(flags)) == -1)
		return -1;
	if (null == fd)
		return fcntl(fd, F_SETFD, 0);
	r = dup2(null, fd);
	if (null > STDERR_FILENO)
		close(null);
	return r == -1 ? -1 : 0;
}

/*
 * Opens a pipe or terminal anew, so that O_NONBLOCK is ours alone: the flag
 * belongs to the open file, which a shell or the next program may share.
 * Other files never block (and would lose their offset).
 */
static int
reopen(int fd, int flags)
{
	char path[40];
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	if (!S_ISFIFO(st.st_mode) && !isatty(fd)) {
		errno = EINVAL;
		return -1;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

/* A file never blocks; O_NONBLOCK of a terminal is that of its shell, too. */
static int
keeps_flags(int fd)
{
	struct stat st;

	return isatty(fd) || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode));
}

int
inherit_move(int fd, int flags)
{
	int new = -1;

	if (net_is_socket(fd) != 1)
		new = reopen(fd, flags);
	if (new != -1 && new <= STDERR_FILENO) {
		close(new);
		new = -1;
	}
	if (new == -1) {
		new = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (new == -1)
			return -1;
		if (!keeps_flags(new) && fd_nonblock(new) == -1) {
			close(new);
			return -1;
		}
	}
	if (fd > STDERR_FILENO)
		close(fd);
	else if (inherit_put_null(fd, O_RDWR) == -1) {
		close(new);
		return -1;
	}
	return new;
}
