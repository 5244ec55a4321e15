/* SPDX-License-Identifier: ISC */
#include <sys/un.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/socket.h"

/* net_tune() sets this last, and no launcher does: so it tells what is tuned. */
#if defined(TCP_NOTSENT_LOWAT) && !defined(COMPAT_ALL)
#define LAST_OPTION	TCP_NOTSENT_LOWAT
#define LAST_VALUE	262144	/* bytes that it takes and cannot send yet */
#else
#define LAST_OPTION	TCP_KEEPCNT
#define LAST_VALUE	KEEP_COUNT
#endif
#define KEEP_COUNT	8

socklen_t
net_unix_address(struct sockaddr_un *sun, const char *path)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	strlcpy(sun->sun_path, path, sizeof(sun->sun_path));
	if (path[0] != '@')
		return sizeof(*sun);
	sun->sun_path[0] = '\0';
	return offsetof(struct sockaddr_un, sun_path) + strlen(path);
}

int
net_admits(const struct addr *a, int fd)
{
	uid_t uid;
	gid_t gid;

	if (a->kind != ADDR_UNIX || a->path[0] != '@' || a->mode != -1)
		return 1;
	return getpeereid(fd, &uid, &gid) == 0 && (uid == 0 ||
	    uid == geteuid());
}

/* A path as it is, an abstract name with '@'; what cannot be shown is '?'. */
static char *
print_unix(const struct sockaddr_un *sun, socklen_t len, char *dst, size_t size)
{
	size_t i, n = 0;

	if (len > offsetof(struct sockaddr_un, sun_path))
		n = len - offsetof(struct sockaddr_un, sun_path);
	if (n > sizeof(sun->sun_path))
		n = sizeof(sun->sun_path);
	if (n > 0 && sun->sun_path[0] != '\0')
		n = strnlen(sun->sun_path, n);
	strlcpy(dst, "unix:", size);
	for (i = 0; i < n && 5 + i + 1 < size; i++) {
		unsigned char c = sun->sun_path[i];

		if (c == '\0' && i == 0)
			c = '@';
		dst[5 + i] = isgraph(c) ? c : '?';
		dst[5 + i + 1] = '\0';
	}
	return dst;
}

/* With its zone, which the system has to name. */
static int
print_zoned(const struct sockaddr *sa, char *dst, size_t size)
{
	return getnameinfo(sa, sizeof(struct sockaddr_in6), dst, size, NULL, 0,
	    NI_NUMERICHOST) == 0;
}

char *
net_print(const struct sockaddr *sa, socklen_t len, char *dst, size_t size)
{
	const struct sockaddr_in *in = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;
	char host[NET_NAME_MAX];

	if (sa->sa_family == AF_UNIX)
		return print_unix((const void *)sa, len, dst, size);
	if (sa->sa_family == AF_INET6 && in6->sin6_scope_id != 0 &&
	    print_zoned(sa, host, sizeof(host)))
		snprintf(dst, size, "[%s]:%u", host, ntohs(in6->sin6_port));
	else if (sa->sa_family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		snprintf(dst, size, "%s:%u", inet_ntop(AF_INET,
		    &in6->sin6_addr.s6_addr[12], host, sizeof(host)),
		    ntohs(in6->sin6_port));
	else if (sa->sa_family == AF_INET6)
		snprintf(dst, size, "[%s]:%u", inet_ntop(AF_INET6,
		    &in6->sin6_addr, host, sizeof(host)),
		    ntohs(in6->sin6_port));
	else if (sa->sa_family == AF_INET)
		snprintf(dst, size, "%s:%u", inet_ntop(AF_INET,
		    &in->sin_addr, host, sizeof(host)), ntohs(in->sin_port));
	else
		strlcpy(dst, "-", size);
	return dst;
}

char *
net_local_name(int fd, char *dst, size_t size)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(ss);

	(void)getsockname(fd, (struct sockaddr *)&ss, &len);
	return net_print((struct sockaddr *)&ss, len, dst, size);
}

char *
net_peer_name(int fd, char *dst, size_t size)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(ss);

	(void)getpeername(fd, (struct sockaddr *)&ss, &len);
	return net_print((struct sockaddr *)&ss, len, dst, size);
}

int
net_accept_is_transient(int error)
{
	switch (error) {
	case ECONNABORTED: case EINTR: case EPROTO: case EPERM:
	case ENETDOWN: case ENETUNREACH: case EHOSTDOWN: case EHOSTUNREACH:
	case ENOPROTOOPT: case EOPNOTSUPP: case ETIMEDOUT:
#ifdef ENONET
	case ENONET:
#endif
		return 1;
	}
	return 0;
}

/*
 * Keepalive is what notices a vanished peer of a stream, which has no pings
 * of its own: after a minute of silence, within two more.  TCP_USER_TIMEOUT
 * would notice sooner where something is unacknowledged, but counts a window
 * that stays closed too, and a peer that does not read for now is not dead.
 *
 * Of what TCP cannot send yet a socket takes only enough to be busy until the
 * next write: more would be taken from a source whose other end does not read,
 * and delay what comes behind it.
 */
void
net_tune(int fd)
{
	int on = 1, idle = 60, interval = 15, count = KEEP_COUNT, last = LAST_VALUE;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	setsockopt(fd, IPPROTO_TCP, LAST_OPTION, &last, sizeof(last)); /* is_tuned() */
}

void
net_linger_reset(int fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

void
net_linger_default(int fd)
{
	struct linger off = { .l_onoff = 0, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof(off));
}

static int
option(int fd, int level, int name)
{
	int value;
	socklen_t len = sizeof(value);

	return getsockopt(fd, level, name, &value, &len) == -1 ? -1 : value;
}

static int
socket_option(int fd, int name)
{
	return option(fd, SOL_SOCKET, name);
}

static int
is_tuned(int fd)
{
	return option(fd, IPPROTO_TCP, LAST_OPTION) == LAST_VALUE;
}

/*
 * A connection inherits options when it comes, not when it is accepted: one that
 * was there before its listener was set up lacks them.
 */
static void
inherit_late(int fd, int listener)
{
	struct linger l = { .l_onoff = 0 };
	socklen_t len = sizeof(l);

	if (is_tuned(fd) || !is_tuned(listener))
		return;
	net_tune(fd);
	if (getsockopt(listener, SOL_SOCKET, SO_LINGER, &l, &len) == 0 &&
	    l.l_onoff)
		net_linger_reset(fd);
}

int
net_accept(int listener, struct sockaddr_storage *ss, socklen_t *len)
{
	int fd;

	*len = sizeof(*ss);
	fd = accept4(listener, (struct sockaddr *)ss, len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd != -1 && ss->ss_family != AF_UNIX)
		inherit_late(fd, listener);
	return fd;
}

int
net_is_socket(int fd)
{
	if (socket_option(fd, SO_TYPE) == -1)
		return errno == ENOTSOCK ? 0 : -1;
	return 1;
}

int
net_is_unix(int fd)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(ss);
	int error = errno, r;

	r = getsockname(fd, (struct sockaddr *)&ss, &len);
	errno = error;
	return r == 0 && ss.ss_family == AF_UNIX;
}

int
net_error(int fd)
{
	int error = errno, r = socket_option(fd, SO_ERROR);

	errno = error;
	return r == -1 ? 0 : r;
}

int
net_is_listener(int fd)
{
	int value = socket_option(fd, SO_ACCEPTCONN);

	if (value == -1)
		return errno == ENOTSOCK ? 0 : -1;
	return value != 0;
}

/* SO_ERROR would tell as well, but take the error away from the next read. */
int
net_is_reset(int fd)
{
	struct pollfd p = { .fd = fd, .events = 0 };
	int r;

	while ((r = poll(&p, 1, 0)) == -1 && errno == EINTR)
		;
	if (r == -1)
		return -1;
	if (p.revents & POLLNVAL) {
		errno = EBADF;
		return -1;
	}
	return (p.revents & POLLERR) != 0;
}
