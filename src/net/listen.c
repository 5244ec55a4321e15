/* SPDX-License-Identifier: ISC */
#include <sys/stat.h>
#include <sys/un.h>

#include <netinet/in.h>

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/socket.h"
#include "os/clock.h"

#define SAME_PORT_TRIES	16
#define IN_USE_MS	500	/* for a predecessor to close it */
#define IN_USE_STEP	10	/* ms, the first one; doubled each time */

/* Where to bind; at most one address of each family. */
struct place {
	struct sockaddr_storage ss;
	socklen_t len;
};

static void
place_v4(struct place *p, in_addr_t address, uint16_t port)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)&p->ss;

	memset(p, 0, sizeof(*p));
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(address);
	sin->sin_port = htons(port);
	p->len = sizeof(*sin);
}

static void
place_v6(struct place *p, const struct in6_addr *address, uint16_t port)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&p->ss;

	memset(p, 0, sizeof(*p));
	six->sin6_family = AF_INET6;
	six->sin6_addr = *address;
	six->sin6_port = htons(port);
	p->len = sizeof(*six);
}

static in_port_t *
place_port(struct place *p)
{
	if (p->ss.ss_family == AF_INET6)
		return &((struct sockaddr_in6 *)&p->ss)->sin6_port;
	return &((struct sockaddr_in *)&p->ss)->sin_port;
}

/* A name stands for its first address of each family. */
static int
places_named(struct place places[2], const struct addr *a, struct error *why)
{
	struct addrinfo hints, *list, *ai;
	char port[8];
	int e, n = 0;

	memset(&hints, 0, sizeof(hints));
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
	snprintf(port, sizeof(port), "%u", a->port);
	if ((e = getaddrinfo(a->host, port, &hints, &list)) != 0) {
		errno = 0;
		return error_set(why, EXIT_SYSTEM, "cannot listen on %s: %s",
		    a->host, gai_strerror(e));
	}
	for (ai = list; ai != NULL && n < 2; ai = ai->ai_next) {
		if (n == 1 && places[0].ss.ss_family == ai->ai_family)
			continue;
		memcpy(&places[n].ss, ai->ai_addr, ai->ai_addrlen);
		places[n++].len = ai->ai_addrlen;
	}
	freeaddrinfo(list);
	return n;
}

static int
bind_tcp(const struct place *p, int backlog, int dual)
{
	int fd, on = 1, v6only = !dual, e;

	fd = socket(p->ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (fd == -1)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    (p->ss.ss_family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6,
	    IPV6_V6ONLY, &v6only, sizeof(v6only)) == 0) &&
	    bind(fd, (const struct sockaddr *)&p->ss, p->len) == 0 &&
	    listen(fd, backlog) == 0)
		return fd;
	e = errno;
	close(fd);
	errno = e;
	return -1;
}

static int
is_missing_family(int e)
{
	return e == EAFNOSUPPORT || e == EADDRNOTAVAIL || e == EPROTONOSUPPORT;
}

static int
cannot_bind(const struct place *p, struct error *why)
{
	char name[NET_NAME_MAX];
	int e = errno;

	net_print((const struct sockaddr *)&p->ss, p->len, name, sizeof(name));
	error_set(why, EXIT_SYSTEM, "cannot listen on %s: %s", name,
	    strerror(e));
	errno = e;
	return -1;
}

/*
 * Binds every place, on the port that the first one got.  -1 with *in_use
 * set if that port, picked by the kernel, is taken in the other family.
 */
static int
bind_places(const struct place *places, int n, int backlog, int fds[2],
    int *in_use, struct error *why)
{
	struct place p;
	in_port_t port = 0;
	int i, got = 0;

	*in_use = 0;
	for (i = 0; i < n; i++) {
		p = places[i];
		if (got == 1)
			*place_port(&p) = port;
		if ((fds[got] = bind_tcp(&p, backlog, 0)) == -1) {
			if (is_missing_family(errno) && (got > 0 || i + 1 < n))
				continue;
			*in_use = errno == EADDRINUSE && got == 1;
			cannot_bind(&p, why);
			if (got == 1)
				close(fds[0]);
			return -1;
		}
		p.len = sizeof(p.ss);
		if (got++ == 0 && getsockname(fds[0],
		    (struct sockaddr *)&p.ss, &p.len) == 0)
			port = *place_port(&p);
	}
	return got;
}

static int
listen_places(const struct place *places, int n, int backlog, int any_port,
    int fds[2], struct error *why)
{
	int tries, in_use, got = -1;

	for (tries = 0; tries < SAME_PORT_TRIES; tries++) {
		got = bind_places(places, n, backlog, fds, &in_use, why);
		if (got != -1 || !in_use || !any_port)
			break;
	}
	return got;
}

/* One socket for both families, or what there is of IPv4. */
static int
listen_any(const struct addr *a, int backlog, int fds[2], struct error *why)
{
	struct place p;

	place_v6(&p, &in6addr_any, a->port);
	if ((fds[0] = bind_tcp(&p, backlog, 1)) != -1)
		return 1;
	if (is_missing_family(errno)) {
		place_v4(&p, INADDR_ANY, a->port);
		if ((fds[0] = bind_tcp(&p, backlog, 0)) != -1)
			return 1;
	}
	return cannot_bind(&p, why);
}

/*
 * Only a refused connection proves it; a full backlog (EAGAIN) belongs to a
 * process that is alive.
 */
int
net_is_stale(const char *path)
{
	struct sockaddr_un sun;
	struct stat st;
	socklen_t len;
	int fd, stale;

	if (lstat(path, &st) == -1 || !S_ISSOCK(st.st_mode))
		return 0;
	len = net_unix_address(&sun, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return 0;
	stale = connect(fd, (struct sockaddr *)&sun, len) == -1 &&
	    errno == ECONNREFUSED;
	close(fd);
	return stale;
}

/* The file is born with its mode: there is no moment of a wider one. */
static int
bind_unix(int fd, const struct sockaddr_un *sun, socklen_t len, int mode)
{
	mode_t old = 0;
	int r;

	if (mode != -1)
		old = umask(~mode & 0777);
	r = bind(fd, (const struct sockaddr *)sun, len);
	if (mode != -1)
		umask(old);
	return r;
}

static int
listen_unix(const struct addr *a, int backlog, int fds[2], struct error *why)
{
	struct sockaddr_un sun;
	socklen_t len = net_unix_address(&sun, a->path);
	int fd, r, e;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return error_set(why, EXIT_SYSTEM, "socket: %s",
		    strerror(errno));
	r = bind_unix(fd, &sun, len, a->mode);
	e = errno;
	if (r == -1 && e == EADDRINUSE && net_is_stale(a->path)) {
		unlink(sun.sun_path);
		r = bind_unix(fd, &sun, len, a->mode);
		e = errno;
	}
	if (r == 0 && (r = listen(fd, backlog)) == -1)
		e = errno;
	if (r == 0) {
		fds[0] = fd;
		return 1;
	}
	close(fd);
	error_set(why, EXIT_SYSTEM, "cannot listen on unix:%s: %s", a->path,
	    strerror(e));
	errno = e;
	return -1;
}

/* The path that a Unix socket was bound to, or "". */
static const char *
path_of(int fd, struct sockaddr_un *sun)
{
	socklen_t len = sizeof(*sun) - 1;

	memset(sun, 0, sizeof(*sun));
	if (getsockname(fd, (struct sockaddr *)sun, &len) == -1 ||
	    sun->sun_family != AF_UNIX)
		return "";
	return sun->sun_path;
}

struct net_file
net_file_of(int fd)
{
	struct net_file file = { 0, 0 };
	struct sockaddr_un sun;
	struct stat st;

	if (lstat(path_of(fd, &sun), &st) == 0) {
		file.device = st.st_dev;
		file.number = st.st_ino;
	}
	return file;
}

int
net_has_file(int fd, const struct net_file *file)
{
	struct net_file there = net_file_of(fd);

	return file->number != 0 && there.number == file->number &&
	    there.device == file->device;
}

void
net_unlisten(int fd, const struct net_file *file)
{
	struct sockaddr_un sun;

	if (net_has_file(fd, file))
		unlink(path_of(fd, &sun));
}

int
net_listen_now(const struct addr *a, int backlog, int fds[2], struct error *why)
{
	struct place places[2];
	int n = 2;

	if (a->kind == ADDR_UNIX)
		return listen_unix(a, backlog, fds, why);
	if (a->kind != ADDR_TCP) {
		errno = EINVAL;
		return error_set(why, EXIT_SYSTEM,
		    "not an address to listen on");
	}
	if (a->loopback) {
		place_v4(&places[0], INADDR_LOOPBACK, a->port);
		place_v6(&places[1], &in6addr_loopback, a->port);
	} else if (a->any || a->host[0] == '\0')
		return listen_any(a, backlog, fds, why);
	else if ((n = places_named(places, a, why)) == -1)
		return -1;
	return listen_places(places, n, backlog, a->port == 0, fds, why);
}

/*
 * The last child of a predecessor that has just ended may still hold the
 * listener it inherited.  Few tries, as each one connects to a live owner of a
 * Unix socket.
 */
int
net_listen(const struct addr *a, int backlog, int fds[2], struct error *why)
{
	int64_t until = clock_ms() + IN_USE_MS;
	useconds_t step = IN_USE_STEP * 1000;
	int n;

	while ((n = net_listen_now(a, backlog, fds, why)) == -1 &&
	    errno == EADDRINUSE && clock_ms() < until) {
		usleep(step);
		step *= 2;
	}
	return n;
}
