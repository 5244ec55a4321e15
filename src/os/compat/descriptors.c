/* SPDX-License-Identifier: ISC */
#ifdef COMPAT_DESCRIPTORS
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#undef socket
#undef socketpair
#undef accept4
#undef pipe2
#undef dup3
#undef recvmsg

#define FLAGS	(SOCK_CLOEXEC | SOCK_NONBLOCK)

/* 0, or -1 with errno; the descriptor is closed then. */
static int
set(int fd, int cloexec, int nonblock)
{
	int flags, saved;

	if ((!cloexec || fcntl(fd, F_SETFD, FD_CLOEXEC) != -1) &&
	    (!nonblock || ((flags = fcntl(fd, F_GETFL)) != -1 &&
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) != -1)))
		return 0;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int
set_both(const int fd[2], int cloexec, int nonblock)
{
	int saved;

	if (set(fd[0], cloexec, nonblock) == -1) {
		saved = errno;
		close(fd[1]);
		errno = saved;
		return -1;
	}
	if (set(fd[1], cloexec, nonblock) == -1) {
		saved = errno;
		close(fd[0]);
		errno = saved;
		return -1;
	}
	return 0;
}

int
compat_socket(int domain, int type, int protocol)
{
	int fd = socket(domain, type & ~FLAGS, protocol);

	if (fd == -1 || set(fd, type & SOCK_CLOEXEC,
	    type & SOCK_NONBLOCK) == -1)
		return -1;
	return fd;
}

int
compat_socketpair(int domain, int type, int protocol, int fd[2])
{
	if (socketpair(domain, type & ~FLAGS, protocol, fd) == -1)
		return -1;
	return set_both(fd, type & SOCK_CLOEXEC, type & SOCK_NONBLOCK);
}

/* Where the new socket has the listener's O_NONBLOCK, that is what we want. */
int
compat_accept4(int listener, struct sockaddr *sa, socklen_t *len, int flags)
{
	int fd = accept(listener, sa, len);

	if (fd == -1 || set(fd, flags & SOCK_CLOEXEC,
	    flags & SOCK_NONBLOCK) == -1)
		return -1;
	return fd;
}

int
compat_pipe2(int fd[2], int flags)
{
	if (pipe(fd) == -1)
		return -1;
	return set_both(fd, flags & O_CLOEXEC, flags & O_NONBLOCK);
}

int
compat_dup3(int from, int to, int flags)
{
	if (from == to) {
		errno = EINVAL;
		return -1;
	}
	if (dup2(from, to) == -1)
		return -1;
	return set(to, flags & O_CLOEXEC, 0) == -1 ? -1 : to;
}

ssize_t
compat_recvmsg(int from, struct msghdr *m, int flags)
{
	ssize_t n = recvmsg(from, m, flags & ~MSG_CMSG_CLOEXEC);
	struct cmsghdr *h;
	int fd;

	if (n == -1 || (flags & MSG_CMSG_CLOEXEC) == 0)
		return n;
	h = CMSG_FIRSTHDR(m);
	if (h != NULL && h->cmsg_level == SOL_SOCKET &&
	    h->cmsg_type == SCM_RIGHTS &&
	    h->cmsg_len == CMSG_LEN(sizeof(int))) {
		memcpy(&fd, CMSG_DATA(h), sizeof(fd));
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	return n;
}
#endif
