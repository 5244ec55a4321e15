/* SPDX-License-Identifier: ISC */
/*
 * Changes of the network, in a network of its own where one can be made, and
 * which tunnels they concern.
 *
 * If it fails: a session notices a lost network only after its pings.
 */
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <net/if.h>

#include <arpa/inet.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "connection/path_table.h"
#include "net/changes.h"
#include "tap.h"

static union net_end
end(const char *address, int port)
{
	union net_end e;

	memset(&e, 0, sizeof(e));
	if (inet_pton(AF_INET, address, &e.in.sin_addr) == 1) {
		e.in.sin_family = AF_INET;
		e.in.sin_port = htons(port);
	} else {
		inet_pton(AF_INET6, address, &e.in6.sin6_addr);
		e.in6.sin6_family = AF_INET6;
		e.in6.sin6_port = htons(port);
	}
	return e;
}

static struct net_path
path(const char *local, const char *remote)
{
	return (struct net_path){ end(local, 40000), end(remote, 80) };
}

static void
test_holds(void)
{
	struct net_path p = path("127.0.0.1", "127.0.0.1"), q;
	int fd;

	ok(net_path_holds(&p), "an address of ours, and a way");
	p = path("192.0.2.1", "127.0.0.1");
	ok(!net_path_holds(&p), "an address that is not ours");
	p = path("127.0.0.2", "127.0.0.1");
	ok(!net_path_holds(&p), "the way begins at another one");
	p = path("2001:db8::1", "::1");
	ok(!net_path_holds(&p), "IPv6: an address that is not ours");

	fd = socket(AF_INET, SOCK_DGRAM, 0);
	p = path("127.0.0.1", "127.0.0.1");
	is(connect(fd, &p.remote.sa, sizeof(p.remote.in)), 0, "(a socket)");
	is(net_path_of(&q, fd), 0, "the path of a socket");
	is(q.local.in.sin_addr.s_addr, htonl(INADDR_LOOPBACK), "its address");
	close(fd);
	is(net_path_of(&q, STDIN_FILENO), -1, "what is none has none");
	is(net_path_of(&q, -1), -1, "nor has what is closed");
}

/* Other processes of the instance may write any path. */
static void
test_rubbish(void)
{
	struct net_path p, q = path("127.0.0.1", "127.0.0.1");
	char name[24];

	snprintf(name, sizeof(name), "/tmp/iw-%d", (int)getpid());
	memset(&p, 0, sizeof(p));
	p.local.sa.sa_family = p.remote.sa.sa_family = AF_UNIX;
	memcpy(p.local.sa.sa_data, name, strlen(name));
	memcpy(p.remote.sa.sa_data, name, strlen(name));
	ok(!net_path_holds(&p), "a path of Unix sockets holds nothing");
	is(access(name, F_OK), -1, "and no socket is made for it");
	unlink(name);
	q.remote.sa.sa_family = AF_UNIX;
	ok(!net_path_holds(&q), "nor one with two kinds of ends");
	memset(&p, 0xff, sizeof(p));
	ok(!net_path_holds(&p), "nor what is none");
}

/* A process without descriptors cannot ask: its path is taken to hold. */
static void
test_without_descriptors(void)
{
	struct rlimit none, before;
	struct net_path p = path("127.0.0.2", "127.0.0.1");
	int holds, asked = -1;

	getrlimit(RLIMIT_NOFILE, &before);
	none = before;
	none.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &none);
	holds = net_path_holds(&p);
	asked = socket(AF_INET, SOCK_DGRAM, 0);
	setrlimit(RLIMIT_NOFILE, &before);
	is(asked, -1, "(no descriptor is free)");
	ok(holds, "without a socket to ask with a path holds");
}

/* What is behind a message of odd length is no message. */
static void
test_odd_length(void)
{
	struct { uint32_t len; uint16_t type, rest[7]; } m[40];
	struct net_changes c = NET_CHANGES_NONE;
	int fd[2], i;

#ifndef HAVE_LINUX
	ok(1, "skipped # SKIP no netlink messages on this system");
	return;
#endif
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fd) == -1)
		return;
	memset(m, 0, sizeof(m));
	for (i = 0; i < 40; i++) {
		m[i].len = sizeof(m[i]);
		m[i].type = 20;			/* RTM_NEWADDR */
	}
	c.route = fd[1];
	send(fd[0], m, sizeof(m), 0);
	ok(net_changes_take(&c) & NET_APPEARED, "an address has come");
	m[0].len = 18;
	m[0].type = 1;				/* NLMSG_NOOP */
	send(fd[0], m, m[0].len, 0);
	is(net_changes_take(&c), 0, "of 18 bytes that mean nothing");
	close(fd[0]);
	close(fd[1]);
}

static int
told(unsigned int child, unsigned int what)
{
	struct path_change change = { .what = what };

	return path_table_concerns(child, &change);
}

static void
test_table(void)
{
	struct net_path good = path("127.0.0.1", "127.0.0.1"),
	    bad = path("192.0.2.1", "127.0.0.1");
	struct path_change both = { .what = NET_CHANGED };

	path_table_be(3);
	path_table_up(&good);		/* nothing: there is no table */
	is(path_table_begin(), 0, "a table");
	ok(!told(3, NET_CHANGED | NET_APPEARED | NET_WOKEN),
	    "who has no place is told nothing");
	path_table_be(3);
	path_table_up(&good);
	ok(!told(3, NET_CHANGED | NET_APPEARED), "a path that holds: nothing");
	ok(told(3, NET_WOKEN), "but that the host was suspended");
	path_table_be(4);
	path_table_up(&bad);
	ok(told(4, NET_CHANGED), "a path that is gone");
	ok(!told(3, NET_CHANGED), "is that of one tunnel only");
	ok(!path_table_concerns(3, &both) && path_table_concerns(4, &both) &&
	    !path_table_concerns(3, &both), "also of one change for all");
	path_table_lost();
	ok(!told(4, NET_CHANGED), "one without a path: nothing that is gone");
	ok(told(4, NET_APPEARED), "but what is new");
	path_table_clear(4);
	ok(!told(4, NET_APPEARED), "until its process has ended");
	ok(!told(PATH_TABLE_PLACES, NET_WOKEN), "there are no more places");
	path_table_end();
}

/* The loopback interface of a new network gets its addresses. */
static void
test_messages(void)
{
	struct net_changes c;
	struct ifreq r;
	int fd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == -1) {
		ok(1, "skipped # SKIP no network of its own");
		return;
	}
	net_changes_open(&c);
	if (c.route == -1) {
		ok(1, "skipped # SKIP this system tells of no changes");
		return;
	}
	ok(c.clock != -1, "both are watched");
	is(net_changes_take(&c), 0, "nothing has happened");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	memset(&r, 0, sizeof(r));
	strlcpy(r.ifr_name, "lo", sizeof(r.ifr_name));
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	is(ioctl(fd, SIOCSIFFLAGS, &r), 0, "(up)");
	is(net_changes_take(&c), NET_CHANGED | NET_APPEARED,
	    "addresses and routes have come");
	is(net_changes_take(&c), 0, "which is told once");
	r.ifr_flags = 0;
	is(ioctl(fd, SIOCSIFFLAGS, &r), 0, "(down)");
	ok(net_changes_take(&c) & NET_CHANGED, "and have gone");
	c.asleep -= 10000;
	is(net_changes_take(&c), NET_WOKEN, "ten seconds of suspension");
	close(fd);
	net_changes_close(&c);
}

int
main(void)
{
	test_holds();
	test_rubbish();
	test_odd_length();
	test_without_descriptors();
	test_table();
	test_messages();
	return done_testing();
}
