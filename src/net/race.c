/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/changes.h"
#include "net/race.h"
#include "os/clock.h"

#define ATTEMPT_DELAY	250	/* ms: Connection Attempt Delay, RFC 8305 5 */

int
net_dial_status(int e)
{
	switch (e) {
	case ETIMEDOUT:
	case EINTR:
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

int
net_dial_failed(const struct addr *a, const char *reasons, int status,
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

void
net_race_begin(struct net_race *race, const char *host,
    const struct net_found *found)
{
	int i;

	memset(race, 0, sizeof(*race));
	race->to = found;
	race->winner = -1;
	race->is_literal = is_literal(host);
	race->next_at = clock_ms();
	for (i = 0; i < NET_FOUND_MAX; i++)
		race->fd[i] = -1;
}

/* Records why attempt i failed.  A timeout outweighs a refusal. */
static void
attempt_failed(struct net_race *race, int i, const char *reason, int status)
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

static void
cannot_bind(struct net_race *race, int i)
{
	char reason[100];

	snprintf(reason, sizeof(reason), "--interface %s: %s", race->to->from,
	    strerror(errno));
	attempt_failed(race, i, reason, EXIT_SYSTEM);
}

/*
 * On this host a connection is there when connect(2) returns, which says
 * nevertheless that it is on its way: asking once more is less than waiting.
 */
static int
begin_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	if (connect(fd, sa, len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -1;
	return connect(fd, sa, len) == 0 || errno == EISCONN ? 0 : -1;
}

/* The next address; one that fails at once lets the one after it start. */
static void
start_attempt(struct net_race *race, int64_t now)
{
	int i = race->started++, fd;
	const struct sockaddr *sa =
	    (const struct sockaddr *)&race->to->at[i].ss;

	fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (fd == -1) {
		attempt_failed(race, i, strerror(errno),
		    net_dial_status(errno));
		return;
	}
	if (race->resets)
		net_linger_reset(fd);
	if (net_bind_source(fd, race->to->from, sa->sa_family) == -1) {
		cannot_bind(race, i);
		close(fd);
		return;
	}
	if (begin_connect(fd, sa, race->to->at[i].len) == 0) {
		race->winner = fd;
		return;
	}
	if (errno != EINPROGRESS && errno != EALREADY && errno != EINTR) {
		attempt_failed(race, i, strerror(errno),
		    net_dial_status(errno));
		close(fd);
		return;
	}
	race->fd[i] = fd;
	race->alive++;
	race->next_at = now + ATTEMPT_DELAY;
}

/* Attempt i is over. */
static void
check_attempt(struct net_race *race, int i, int64_t now)
{
	int e = 0;
	socklen_t len = sizeof(e);

	if (getsockopt(race->fd[i], SOL_SOCKET, SO_ERROR, &e, &len) == -1)
		e = errno;
	if (e == 0)
		race->winner = race->fd[i];
	else {
		attempt_failed(race, i, strerror(e), net_dial_status(e));
		close(race->fd[i]);
		race->next_at = now;
	}
	race->fd[i] = -1;
	race->alive--;
}

int
net_race_poll(const struct net_race *race, struct pollfd *p)
{
	int i, n = 0;

	for (i = 0; i < race->started; i++)
		if (race->fd[i] != -1)
			p[n++] = (struct pollfd){ .fd = race->fd[i],
			    .events = POLLOUT };
	return n;
}

int
net_race_holds(const struct net_race *race)
{
	int i;

	for (i = 0; i < race->started; i++)
		if (race->fd[i] != -1 && net_local_holds(race->fd[i]))
			return 1;
	return race->alive == 0;
}

/* Looks which attempts are over. */
static void
check_attempts(struct net_race *race, int64_t now)
{
	struct pollfd p[NET_FOUND_MAX];
	int i, k = 0, n = net_race_poll(race, p);

	if (n == 0 || poll(p, n, 0) <= 0)
		return;
	for (i = 0; i < race->started; i++)
		if (race->fd[i] != -1 && p[k++].revents != 0 &&
		    race->winner == -1)
			check_attempt(race, i, now);
}

int
net_race_step(struct net_race *race)
{
	int64_t now = clock_ms();

	check_attempts(race, now);
	while (race->winner == -1 && race->started < race->to->n &&
	    (race->alive == 0 || now >= race->next_at))
		start_attempt(race, now);
	if (race->winner == -1)
		return race->alive > 0 ? 0 : -1;
	net_race_end(race, NULL);
	return 1;
}

int64_t
net_race_time(const struct net_race *race)
{
	return race->started < race->to->n ? race->next_at : CLOCK_NEVER;
}

void
net_race_end(struct net_race *race, const char *reason)
{
	int i;

	for (i = 0; i < race->started; i++) {
		if (race->fd[i] == -1)
			continue;
		close(race->fd[i]);
		race->fd[i] = -1;
		if (reason != NULL)
			attempt_failed(race, i, reason, EXIT_AGAIN);
	}
	race->alive = 0;
}
