/* SPDX-License-Identifier: ISC */
#include <sys/time.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/socket.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/signals.h"

#define ATTEMPT_DELAY	250	/* ms: Connection Attempt Delay, RFC 8305 5 */

/* The race of RFC 8305: the attempts and their results. */
struct race {
	const struct net_found *to;
	struct pollfd attempt[NET_FOUND_MAX];	/* fd -1: not or no more */
	int started;		/* attempts made, the first and on */
	int alive;		/* attempts that may still succeed */
	int64_t next_at;	/* when the next attempt may start */
	int winner;		/* connected descriptor, or -1 */
	int is_literal;		/* the address is what the user wrote */
	int status;		/* exit status for the failures */
	char reasons[256];
};

/* What a failed connect(2) means for the exit status. */
static int
status_of(int e)
{
	switch (e) {
	case ETIMEDOUT:
		return EXIT_AGAIN;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return EXIT_SYSTEM;
	default:
		return EXIT_UNREACHABLE;
	}
}

/* Records why attempt i failed.  A timeout outweighs a refusal. */
static void
attempt_failed(struct race *race, int i, const char *reason, int status)
{
	size_t len = strlen(race->reasons);
	char name[NET_NAME_MAX];

	if (race->status == 0 || status != EXIT_UNREACHABLE)
		race->status = status;
	net_print((const struct sockaddr *)&race->to->at[i].ss,
	    race->to->at[i].len, name, sizeof(name));
	if (race->is_literal)
		strlcpy(race->reasons, reason, sizeof(race->reasons));
	else
		snprintf(race->reasons + len, sizeof(race->reasons) - len,
		    "%s%s (%s)", len > 0 ? ", " : "", reason, name);
}

/* The next address; one that fails at once lets the one after it start. */
static void
start_attempt(struct race *race, int64_t now)
{
	int i = race->started++, fd;
	const struct sockaddr *sa =
	    (const struct sockaddr *)&race->to->at[i].ss;

	fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (fd == -1) {
		attempt_failed(race, i, strerror(errno), status_of(errno));
		return;
	}
	if (connect(fd, sa, race->to->at[i].len) == 0) {
		race->winner = fd;
		return;
	}
	if (errno != EINPROGRESS && errno != EINTR) {
		attempt_failed(race, i, strerror(errno), status_of(errno));
		close(fd);
		return;
	}
	race->attempt[i].fd = fd;
	race->attempt[i].events = POLLOUT;
	race->alive++;
	race->next_at = now + ATTEMPT_DELAY;
}

/* Looks at attempt i after poll(2). */
static void
check_attempt(struct race *race, int i, int64_t now)
{
	struct pollfd *p = &race->attempt[i];
	int e = 0;
	socklen_t len = sizeof(e);

	if (p->fd == -1 || p->revents == 0 || race->winner != -1)
		return;
	if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &e, &len) == -1)
		e = errno;
	if (e == 0)
		race->winner = p->fd;
	else {
		attempt_failed(race, i, strerror(e), status_of(e));
		close(p->fd);
		race->next_at = now;
	}
	p->fd = -1;
	race->alive--;
}

static void
give_up(struct race *race, const char *reason)
{
	int i;

	for (i = 0; i < race->started; i++) {
		if (race->attempt[i].fd == -1)
			continue;
		close(race->attempt[i].fd);
		race->attempt[i].fd = -1;
		if (reason != NULL)
			attempt_failed(race, i, reason, EXIT_AGAIN);
	}
	race->alive = 0;
}

/* RFC 8305 5.  Returns the connected descriptor, or -1. */
static int
run_race(struct race *race, int64_t deadline)
{
	int64_t now = clock_ms(), until;
	int i;

	race->next_at = now;
	while (race->winner == -1) {
		if (race->started < race->to->n &&
		    (race->alive == 0 || now >= race->next_at)) {
			start_attempt(race, now);
			continue;
		}
		if (race->alive == 0)
			break;
		if (now >= deadline || signal_terminated()) {
			give_up(race, now >= deadline ? "timed out" :
			    "interrupted");
			break;
		}
		until = deadline;
		if (race->started < race->to->n && race->next_at < until)
			until = race->next_at;
		if (signals_poll(race->attempt, race->started,
		    clock_poll(until)) == -1)
			for (i = 0; i < race->started; i++)
				race->attempt[i].revents = 0;
		now = clock_ms();
		for (i = 0; i < race->started; i++)
			check_attempt(race, i, now);
	}
	give_up(race, NULL);
	return race->winner;
}

/* Names the target as it was written, and why it cannot be reached. */
static int
cannot_connect(const struct addr *a, const char *reasons, int status,
    struct error *why)
{
	int v6 = strchr(a->host, ':') != NULL;

	if (a->kind == ADDR_UNIX)
		return error_set(why, status, "cannot connect to unix:%s: %s",
		    a->path, reasons);
	return error_set(why, status, "cannot connect to %s%s%s:%u: %s",
	    v6 ? "[" : "", a->host, v6 ? "]" : "", a->port, reasons);
}

static int
is_literal(const char *host)
{
	struct in_addr v4;

	return strchr(host, ':') != NULL || inet_pton(AF_INET, host, &v4) == 1;
}

static int
dial_tcp(const struct addr *a, const struct net_found *found,
    int64_t deadline, char *peer, struct error *why)
{
	struct race race;
	int i, fd;

	memset(&race, 0, sizeof(race));
	race.to = found;
	race.winner = -1;
	race.is_literal = is_literal(a->host);
	for (i = 0; i < NET_FOUND_MAX; i++)
		race.attempt[i].fd = -1;
	if (clock_ms() >= deadline)
		return cannot_connect(a, "timed out while resolving",
		    EXIT_AGAIN, why);
	if ((fd = run_race(&race, deadline)) == -1)
		return cannot_connect(a, race.reasons, race.status, why);
	if (peer != NULL)
		net_peer_name(fd, peer, NET_NAME_MAX);
	return fd;
}

/*
 * A full backlog lets a non-blocking connect(2) of a Unix socket fail, and
 * poll(2) cannot tell when there is room.  A blocking one waits for it, as
 * long as the socket's send timeout allows.
 */
static int
connect_unix(int fd, const struct sockaddr_un *sun, int64_t deadline)
{
	struct timeval tv = { 0, 0 };
	int64_t left;
	int r;

	do {
		left = deadline == CLOCK_NEVER ? 0 : deadline - clock_ms();
		if (left <= 0 && deadline != CLOCK_NEVER) {
			errno = ETIMEDOUT;
			return -1;
		}
		tv.tv_sec = left / 1000;
		tv.tv_usec = left % 1000 * 1000;
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
		r = connect(fd, (const struct sockaddr *)sun, sizeof(*sun));
	} while (r == -1 && errno == EINTR);
	if (r == -1 && errno == EAGAIN)
		errno = ETIMEDOUT;
	memset(&tv, 0, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	return r;
}

static int
dial_unix(const struct addr *a, int64_t deadline, char *peer, struct error *why)
{
	struct sockaddr_un sun;
	int fd, e;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	strlcpy(sun.sun_path, a->path, sizeof(sun.sun_path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd != -1 && connect_unix(fd, &sun, deadline) == 0 &&
	    fd_nonblock(fd) == 0) {
		if (peer != NULL)
			snprintf(peer, NET_NAME_MAX, "unix:%s", a->path);
		return fd;
	}
	e = errno;
	if (fd != -1)
		close(fd);
	return cannot_connect(a, strerror(e), status_of(e), why);
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

int
net_dial(const struct addr *a, int family, int64_t deadline, char *peer,
    struct error *why)
{
	struct net_found found;

	if (net_find(&found, a, NULL, family, why) == -1)
		return -1;
	return net_dial_found(a, &found, deadline, peer, why);
}
