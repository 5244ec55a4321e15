/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>

#ifdef HAVE_LINUX
#include <sys/timerfd.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#elif !defined(__linux__)
#include <net/route.h>
#endif

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "net/changes.h"
#include "os/clock.h"

#define SLEPT_MS	500	/* less is no suspension */

#ifdef HAVE_LINUX

/*
 * The buffer is small, since thousands of processes may have one: what found no
 * room may have been of any kind, which is as good as to know.
 */
static int
open_route(void)
{
	const int least = 1;
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK,
	    .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
	    RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    NETLINK_ROUTE);

	if (fd != -1)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least));
	if (fd != -1 && bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == -1) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/*
 * Nothing runs while the host is suspended, and timers do not count the time.
 * But one that shall end when the clock is set does so at the wake, too.
 */
static int
open_clock(void)
{
	struct itimerspec never = { .it_value.tv_sec =
	    sizeof(time_t) > 4 ? (time_t)(INT64_MAX >> 32) : INT32_MAX };
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd != -1 && timerfd_settime(fd, TFD_TIMER_ABSTIME |
	    TFD_TIMER_CANCEL_ON_SET, &never, NULL) == -1) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static unsigned int
meaning(const char *buf, size_t len)
{
	const struct nlmsghdr *h = (const void *)buf;
	unsigned int what = 0;

	while (NLMSG_OK(h, len)) {
		switch (h->nlmsg_type) {
		case RTM_NEWADDR:
		case RTM_NEWROUTE:
			what |= NET_CHANGED | NET_APPEARED;
			break;
		case RTM_DELADDR:
		case RTM_DELROUTE:
			what |= NET_CHANGED;
			break;
		}
		/* The last one may end between two multiples of 4. */
		if (NLMSG_ALIGN(h->nlmsg_len) > len)
			break;
		h = NLMSG_NEXT(h, len);
	}
	return what;
}

#else

static int
open_route(void)
{
#ifdef __linux__
	return -1;			/* made as if it had none (compat.h) */
#else
	return socket(PF_ROUTE, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
#endif
}

static int
open_clock(void)
{
	return -1;
}

static unsigned int
meaning(const char *buf, size_t len)
{
#ifndef __linux__
	const struct rt_msghdr *h = (const void *)buf;

	if (len < sizeof(h->rtm_msglen) + 2)
		return 0;
	if (h->rtm_type == RTM_ADD || h->rtm_type == RTM_NEWADDR)
		return NET_CHANGED | NET_APPEARED;
	if (h->rtm_type == RTM_DELETE || h->rtm_type == RTM_DELADDR ||
	    h->rtm_type == RTM_CHANGE)
		return NET_CHANGED;
#endif
	return 0;
}

#endif

void
net_changes_open(struct net_changes *c)
{
	c->route = open_route();
	c->clock = open_clock();
	c->asleep = clock_asleep();
}

void
net_changes_close(struct net_changes *c)
{
	if (c->route != -1)
		close(c->route);
	if (c->clock != -1)
		close(c->clock);
	*c = NET_CHANGES_NONE;
}

/* Those that found no room may have been of any kind. */
static unsigned int
take_messages(int fd)
{
	_Alignas(8) char buf[8192];
	unsigned int what = 0;
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0 ||
	    (n == -1 && errno == ENOBUFS))
		what |= n == -1 ? NET_CHANGED | NET_APPEARED :
		    meaning(buf, (size_t)n);
	return what;
}

unsigned int
net_changes_take(struct net_changes *c)
{
	int64_t asleep = clock_asleep();
	unsigned int what = 0;
	uint64_t times;

	if (c->route != -1)
		what = take_messages(c->route);
	/* A clock that is set is no wake; reading makes it ready for the next. */
	if (c->clock != -1 && read(c->clock, &times, sizeof(times)) == -1)
		times = 0;
	if (asleep - c->asleep >= SLEPT_MS)
		what |= NET_WOKEN;
	c->asleep = asleep;
	return what;
}

static int
is_ip(const union net_end *e)
{
	return e->sa.sa_family == AF_INET || e->sa.sa_family == AF_INET6;
}

int
net_path_of(struct net_path *p, int fd)
{
	socklen_t len = sizeof(p->local);

	memset(p, 0, sizeof(*p));
	if (getsockname(fd, &p->local.sa, &len) == -1)
		return -1;
	len = sizeof(p->remote);
	if (getpeername(fd, &p->remote.sa, &len) == -1)
		return -1;
	return is_ip(&p->local) ? 0 : -1;
}

static socklen_t
length(const union net_end *e)
{
	return e->sa.sa_family == AF_INET ? sizeof(e->in) : sizeof(e->in6);
}

static void
clear_port(union net_end *e)
{
	if (e->sa.sa_family == AF_INET)
		e->in.sin_port = 0;
	else
		e->in6.sin6_port = 0;
}

int
net_local_holds(int fd)
{
	union net_end local = { .sa.sa_family = AF_UNSPEC };
	socklen_t len = sizeof(local);
	int s, holds;

	if (getsockname(fd, &local.sa, &len) == -1 || !is_ip(&local))
		return 1;
	s = socket(local.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s == -1)
		return 1;
	clear_port(&local);
	holds = bind(s, &local.sa, length(&local)) == 0 ||
	    (errno != EADDRNOTAVAIL && errno != ENODEV);
	close(s);
	return holds;
}

/*
 * Can a socket have this address, and reach the other?  0, or errno.  If there
 * is no socket to ask with, all is taken to be as before.
 */
static int
try_ends(const struct net_path *p, union net_end *chosen, int from_local)
{
	union net_end local = p->local;
	int fd = socket(local.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*chosen);
	int e = 0;

	*chosen = p->local;
	if (fd == -1)
		return 0;
	clear_port(&local);
	if ((from_local && bind(fd, &local.sa, length(&local)) == -1) ||
	    connect(fd, &p->remote.sa, length(&p->remote)) == -1 ||
	    getsockname(fd, &chosen->sa, &len) == -1)
		e = errno;
	close(fd);
	return e;
}

/*
 * IPv4 has one address for a route: another one means that packets take another
 * route now.  IPv6 may prefer a newer address on the same route.
 */
int
net_path_holds(const struct net_path *p)
{
	union net_end chosen;

	if (!is_ip(&p->local) ||
	    p->remote.sa.sa_family != p->local.sa.sa_family ||
	    try_ends(p, &chosen, 1) != 0)
		return 0;
	return p->local.sa.sa_family != AF_INET ||
	    (try_ends(p, &chosen, 0) == 0 && chosen.in.sin_addr.s_addr ==
	    p->local.in.sin_addr.s_addr);
}
