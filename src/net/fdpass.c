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

/*
 * All messages have one size, since not every system has SOCK_SEQPACKET and a
 * stream keeps no borders.  A stream moves a message as a whole if SO_SNDLOWAT
 * says so; Linux refuses that option, and does so without it.
 */
struct message {
	char letter;
	char text[FDPASS_TEXT_MAX];
};

int
fdpass_pair(int fds[2])
{
	int size = sizeof(struct message);

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
	    fds) == -1)
		return -1;
	setsockopt(fds[0], SOL_SOCKET, SO_SNDLOWAT, &size, sizeof(size));
	setsockopt(fds[1], SOL_SOCKET, SO_SNDLOWAT, &size, sizeof(size));
	return 0;
}

int
fdpass_send(int to, char letter, const char *text, int fd)
{
	struct message b = { .letter = letter };

	if (strlcpy(b.text, text, sizeof(b.text)) >= sizeof(b.text)) {
		errno = EMSGSIZE;
		return -1;
	}
	return fdpass_send_bytes(to, &b, sizeof(b), fd);
}

/*
 * fdpass_send() sends whole messages with a letter of ASCII: anything else is
 * taken for an end.
 */
int
fdpass_take(int from, char text[FDPASS_TEXT_MAX], int *fd)
{
	struct message b;
	ssize_t n = fdpass_take_bytes(from, &b, sizeof(b), fd);

	if (n == -1)
		return -1;
	if (n != sizeof(b) || b.letter == '\0' ||
	    (unsigned char)b.letter > 127) {
		if (*fd != -1)
			close(*fd);
		*fd = -1;
		return 0;
	}
	b.text[sizeof(b.text) - 1] = '\0';
	memcpy(text, b.text, sizeof(b.text));
	return b.letter;
}

int
fdpass_send_bytes(int to, const void *bytes, size_t len, int fd)
{
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	union passing c;
	struct cmsghdr *h;
	ssize_t n;

	if (fd != -1) {
		m.msg_control = &c;
		m.msg_controllen = sizeof(c.room);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &fd, sizeof(int));
	}
	while ((n = sendmsg(to, &m, MSG_NOSIGNAL)) == -1 && errno == EINTR)
		;
	return n == -1 ? -1 : 0;
}

ssize_t
fdpass_take_bytes(int from, void *dst, size_t size, int *fd)
{
	struct iovec iov = { dst, size };
	union passing c;
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &c, .msg_controllen = CMSG_LEN(sizeof(int)) };
	struct cmsghdr *h;
	ssize_t n;

	*fd = -1;
	while ((n = recvmsg(from, &m, MSG_CMSG_CLOEXEC)) == -1 &&
	    errno == EINTR)
		;
	h = n == -1 ? NULL : CMSG_FIRSTHDR(&m);
	if (h != NULL && h->cmsg_level == SOL_SOCKET &&
	    h->cmsg_type == SCM_RIGHTS &&
	    h->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(h), sizeof(int));
	return n;
}
