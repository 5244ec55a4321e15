/* SPDX-License-Identifier: ISC */
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/race.h"
#include "os/clock.h"
#include "os/signals.h"

#define LOOK_EVERY	20	/* ms: has a full backlog of a Unix socket room? */

/* Waits for a step; signals and the deadline end what is on its way. */
static int
wait_for_race(struct net_race *race, int64_t deadline)
{
	struct pollfd p[NET_FOUND_MAX];
	int64_t next = net_race_time(race);
	int64_t now = clock_ms();

	if (now >= deadline || signal_terminated()) {
		net_race_end(race, now >= deadline ? "timed out" :
		    "interrupted");
		return -1;
	}
	signals_poll(p, net_race_poll(race, p),
	    clock_poll(next < deadline ? next : deadline));
	return 0;
}

static int
dial_tcp(const struct addr *a, const struct net_found *found,
    int64_t deadline, char *peer, struct error *why)
{
	struct net_race race;
	int r;

	if (clock_ms() >= deadline)
		return net_dial_failed(a, "timed out while resolving",
		    EXIT_AGAIN, why);
	net_race_begin(&race, a->host, found);
	race.resets = 1;
	while ((r = net_race_step(&race)) == 0 &&
	    wait_for_race(&race, deadline) == 0)
		;
	if (r != 1)
		return net_dial_failed(a, race.reasons, race.status, why);
	if (peer != NULL)
		net_peer_name(race.winner, peer, NET_NAME_MAX);
	return race.winner;
}

/*
 * A full backlog lets connect(2) of a Unix socket fail, and poll(2) cannot tell
 * when there is room.  One that blocks would wait for it, and signals with it.
 */
int
net_connect_unix(int fd, const struct sockaddr_un *sun, socklen_t len,
    int64_t deadline)
{
	int64_t look;

	while (clock_ms() < deadline) {
		if (connect(fd, (const struct sockaddr *)sun, len) == 0)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return -1;
		look = clock_ms() + LOOK_EVERY;
		if (signals_wait(NULL, 0, look < deadline ? look : deadline) ==
		    -1 && errno == EINTR)
			return -1;
	}
	errno = ETIMEDOUT;
	return -1;
}

/*
 * fd, if it could be connected (or made, or set up), and its name in peer; else
 * closes it: -1, why and errno.
 */
static int
dialled_unix(const struct addr *a, int fd, int is_connected, char *peer,
    struct error *why)
{
	int e = errno;

	if (is_connected) {
		if (peer != NULL)
			snprintf(peer, NET_NAME_MAX, "unix:%s", a->path);
		return fd;
	}
	if (fd != -1)
		close(fd);
	net_dial_failed(a, e == EINTR ? "interrupted" : strerror(e),
	    net_dial_status(e), why);
	errno = e;
	return -1;
}

static int
dial_unix(const struct addr *a, int64_t deadline, char *peer, struct error *why)
{
	struct sockaddr_un sun;
	socklen_t len = net_unix_address(&sun, a->path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return dialled_unix(a, fd, fd != -1 &&
	    net_connect_unix(fd, &sun, len, deadline) == 0, peer, why);
}

int
net_dial_unix(const struct addr *a, char *peer, struct error *why)
{
	struct sockaddr_un sun;
	socklen_t len = net_unix_address(&sun, a->path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return dialled_unix(a, fd, fd != -1 &&
	    connect(fd, (const struct sockaddr *)&sun, len) == 0, peer, why);
}

int
net_dial_found(const struct addr *a, const struct net_found *found,
    int64_t deadline, char *peer, struct error *why)
{
	if (a->kind == ADDR_UNIX)
		return dial_unix(a, deadline, peer, why);
	if (a->kind == ADDR_TCP)
		return dial_tcp(a, found, deadline, peer, why);
	return error_set(why, EXIT_SYSTEM, "not an address to dial");
}
