/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "net/fdpass.h"

/*
 * Room for one descriptor, aligned.  A receiver passes the length without the
 * padding, in which a second one would fit.
 */
union passing {
	struct cmsghdr align;
	char room[CMSG_SPACE(sizeof(int))];
};

int
fdpass_pair(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, fds);
}

int
fdpass_send(int to, char letter, const char *text, int fd)
{
	union passing c;
	struct iovec iov[2] = { { &letter, 1 },
	    { (void *)(uintptr_t)text, strlen(text) } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };
	struct cmsghdr *h;

	if (iov[1].iov_len >= FDPASS_TEXT_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	if (fd != -1) {
		memset(&c, 0, sizeof(c));
		m.msg_control = &c;
		m.msg_controllen = sizeof(c.room);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &fd, sizeof(int));
	}
	return sendmsg(to, &m, MSG_NOSIGNAL) == -1 ? -1 : 0;
}

int
fdpass_take(int from, char text[FDPASS_TEXT_MAX], int *fd)
{
	char letter = 0;
	union passing c;
	struct iovec iov[2] = { { &letter, 1 }, { text, FDPASS_TEXT_MAX - 1 } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2,
	    .msg_control = &c, .msg_controllen = CMSG_LEN(sizeof(int)) };
	struct cmsghdr *h;
	ssize_t n;

	*fd = -1;
	n = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
	if (n <= 0)
		return n;
	text[n - 1] = '\0';
	h = CMSG_FIRSTHDR(&m);
	if (h != NULL && h->cmsg_level == SOL_SOCKET &&
	    h->cmsg_type == SCM_RIGHTS &&
	    h->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(h), sizeof(int));
	return letter;
}
