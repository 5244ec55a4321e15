/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sha2.h>

#include "connection/handoff.h"
#include "net/fdpass.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/signals.h"
#include "ws/extension.h"

#define HANDOFF_WAIT	1000	/* ms for a request to arrive whole */

/* What goes before the bytes; the descriptor is attached. */
struct handoff_header {
	uint32_t len;
	char user[PEER_USER_MAX];
	char subject[TLS_SUBJECT_MAX];
	char via[NET_NAME_MAX];
};

static char place[128];		/* boot and namespace, "" unknown */

void
handoff_prepare(void)
{
	struct stat st;
	char boot[64];
	ssize_t n;
	int fd;

	place[0] = '\0';
	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return;
	n = read(fd, boot, sizeof(boot) - 1);
	close(fd);
	if (n <= 0 || stat("/proc/self/ns/net", &st) == -1)
		return;
	boot[n] = '\0';
	snprintf(place, sizeof(place), "%s %llu", boot,
	    (unsigned long long)st.st_ino);
}

const char *
handoff_instance(void)
{
	static char token[EXTENSION_INSTANCE_LEN + 1];
	char hash[SHA256_DIGEST_STRING_LENGTH], text[160];
	int n;

	if (place[0] == '\0')
		return "";
	n = snprintf(text, sizeof(text), "%s %u", place,
	    (unsigned int)geteuid());
	SHA256Data((const uint8_t *)text, n, hash);
	strlcpy(token, hash, sizeof(token));
	return token;
}

const char *
handoff_instance_field(void)
{
	static char field[64];

	if (handoff_instance()[0] == '\0')
		return "";
	snprintf(field, sizeof(field), "Inetws-Instance: %s\r\n",
	    handoff_instance());
	return field;
}

/*
 * The name, of which an onlooker learns nothing about the session.  Where
 * there are no abstract names it lies in a folder that is ours alone.
 */
static socklen_t
handoff_address(struct sockaddr_un *sun, const char *session)
{
	char hash[SHA256_DIGEST_STRING_LENGTH];
	int n;

	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	SHA256Data((const uint8_t *)session, strlen(session), hash);
#ifdef __linux__
	n = snprintf(sun->sun_path + 1, sizeof(sun->sun_path) - 1,
	    "inetws-%s", hash) + 1;
#else
	n = snprintf(sun->sun_path, sizeof(sun->sun_path),
	    "/tmp/inetws-%u/%s", (unsigned int)geteuid(), hash) + 1;
#endif
	return offsetof(struct sockaddr_un, sun_path) + n;
}

#ifndef __linux__
static int
own_folder(const char *path)
{
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct stat st;

	strlcpy(folder, path, sizeof(folder));
	*strrchr(folder, '/') = '\0';
	if (mkdir(folder, 0700) == -1 && errno != EEXIST)
		return -1;
	if (lstat(folder, &st) == -1)
		return -1;
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & 077) != 0) {
		errno = EACCES;
		return -1;
	}
	return 0;
}
#endif

int
handoff_listen(const char *session)
{
	struct sockaddr_un sun;
	socklen_t len = handoff_address(&sun, session);
	int fd, saved;

#ifndef __linux__
	if (own_folder(sun.sun_path) == -1)
		return -1;
#endif
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (bind(fd, (struct sockaddr *)&sun, len) == -1 ||
	    listen(fd, 4) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

void
handoff_close(int listener, const char *session)
{
#ifndef __linux__
	struct sockaddr_un sun;

	handoff_address(&sun, session);
	unlink(sun.sun_path);
#endif
	close(listener);
}

static int
same_user(int fd)
{
#ifdef SO_PEERCRED
	struct ucred who;
	socklen_t len = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
	    who.uid == geteuid();
#else
	uid_t uid;
	gid_t gid;

	return getpeereid(fd, &uid, &gid) == 0 && uid == geteuid();
#endif
}

static int
ready(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };

	return signals_wait(&p, 1, deadline) == -1 ? -1 : 0;
}

/* All of it, or -1. */
static int
receive(int fd, void *dst, size_t len, int64_t deadline)
{
	char *p = dst;
	ssize_t n;

	while (len > 0) {
		n = read(fd, p, len);
		if (n > 0) {
			p += n;
			len -= n;
		} else if (n == -1 && errno == EINTR) {
			continue;
		} else if (n == 0 || errno != EAGAIN ||
		    ready(fd, POLLIN, deadline) == -1)
			return -1;
	}
	return 0;
}

static int
transmit(int fd, const void *src, size_t len, int64_t deadline)
{
	const char *p = src;
	ssize_t n;

	while (len > 0) {
		n = send(fd, p, len, MSG_NOSIGNAL);
		if (n > 0) {
			p += n;
			len -= n;
		} else if (errno == EINTR) {
			continue;
		} else if (errno != EAGAIN ||
		    ready(fd, POLLOUT, deadline) == -1)
			return -1;
	}
	return 0;
}

static int
receive_letter(int from, struct handoff_header *l, int *fd, int64_t deadline)
{
	return ready(from, POLLIN, deadline) == 0 &&
	    fdpass_take_bytes(from, l, sizeof(*l), fd) == sizeof(*l) &&
	    *fd != -1 ? 0 : -1;
}

int
handoff_accept(int listener, struct handoff_request *v)
{
	static char bytes[HANDOFF_BYTES_MAX];
	struct handoff_header l;
	int64_t deadline = clock_ms() + HANDOFF_WAIT;
	int from, fd = -1;

	from = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (from == -1)
		return -1;
	if (!same_user(from) ||
	    receive_letter(from, &l, &fd, deadline) == -1 ||
	    l.len > sizeof(bytes) ||
	    receive(from, bytes, l.len, deadline) == -1) {
		if (fd != -1)
			close(fd);
		close(from);
		return -1;
	}
	l.user[sizeof(l.user) - 1] = '\0';
	l.subject[sizeof(l.subject) - 1] = '\0';
	l.via[sizeof(l.via) - 1] = '\0';
	memcpy(v->subject, l.subject, sizeof(v->subject));
	memcpy(v->via, l.via, sizeof(v->via));
	memcpy(v->user, l.user, sizeof(v->user));
	v->fd = fd;
	v->receipt = from;
	v->bytes = bytes;
	v->len = l.len;
	return 0;
}

void
handoff_confirm(struct handoff_request *v)
{
	send(v->receipt, "", 1, MSG_NOSIGNAL);
	close(v->receipt);
	v->receipt = -1;
}

static int
hand_over(int to, const struct handoff_request *v, int64_t deadline)
{
	struct handoff_header l;
	char receipt;

	memset(&l, 0, sizeof(l));
	l.len = v->len;
	strlcpy(l.user, v->user, sizeof(l.user));
	strlcpy(l.subject, v->subject, sizeof(l.subject));
	strlcpy(l.via, v->via, sizeof(l.via));
	if (!same_user(to)) {
		errno = EACCES;
		return -1;
	}
	if (fdpass_send_bytes(to, &l, sizeof(l), v->fd) == -1 ||
	    transmit(to, v->bytes, v->len, deadline) == -1)
		return -1;
	return receive(to, &receipt, 1, deadline);
}

/*
 * When the listener's queue is full a non-blocking connect(2) fails and poll(2)
 * cannot tell when there is room; a blocking one waits, as long as the send
 * timeout allows.
 */
static int
connect_owner(int to, const char *session, int64_t deadline)
{
	struct sockaddr_un sun;
	socklen_t len = handoff_address(&sun, session);
	int64_t left = deadline - clock_ms();
	struct timeval tv;

	if (left < 1)
		left = 1;
	tv.tv_sec = left / 1000;
	tv.tv_usec = left % 1000 * 1000;
	if (setsockopt(to, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) == -1 ||
	    connect(to, (struct sockaddr *)&sun, len) == -1)
		return -1;
	return fd_nonblock(to);
}

int
handoff_send(const char *session, const struct handoff_request *v,
    int64_t deadline)
{
	int to, r = -1, saved;

	to = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (to == -1)
		return -1;
	if (connect_owner(to, session, deadline) == 0)
		r = hand_over(to, v, deadline);
	else if (errno == ECONNREFUSED)
		errno = ENOENT;
	saved = errno;
	close(to);
	errno = saved;
	return r;
}
