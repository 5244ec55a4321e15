/* SPDX-License-Identifier: ISC */
/*
 * Where a connection goes to and comes from, step by step: the race of several
 * addresses, --interface, families, Unix sockets, and bytes with a deadline.
 *
 * If it fails: a dead address holds up a good one, a connection leaves by the
 * wrong interface, or a user is told the wrong reason.
 */
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/deadline_io.h"
#include "net/http_read.h"
#include "net/race.h"
#include "os/clock.h"
#include "descriptors.h"
#include "listening.h"
#include "tap.h"

/* For what only an old system calls. */
#include "net/source.c"

static struct error why;
static struct net_found found;

static struct addr
tcp(const char *host, uint16_t port)
{
	struct addr a = { .kind = ADDR_TCP, .port = port };

	strlcpy(a.host, host, sizeof(a.host));
	return a;
}

/* No more is taken: who connects then is kept waiting. */
static void
fill(int listener, int filler[4])
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	int i;

	getsockname(listener, (struct sockaddr *)&in, &len);
	for (i = 0; i < 4; i++) {
		filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(filler[i], (struct sockaddr *)&in, len);
	}
}

static void
find(const char *named, uint16_t port)
{
	struct addr a = tcp("h.example", port);

	if (net_find(&found, &a, named, NET_ANY, &why) == -1)
		abort();
}

/* --- the race --- */

static void
test_race(void)
{
	struct net_race race;
	struct pollfd p[NET_FOUND_MAX];
	uint16_t port = 0;
	int good = listen_at("127.0.0.1", &port, 8), dead, n, i, filler[4];
	int r[2], begins, waits, holds, polled;
	unsigned int started[2];
	int64_t now;
	char want[200];

	dead = listen_at("127.0.0.2", &port, 0);
	fill(dead, filler);
	n = count_open();

	/* one that does not answer is not waited for alone */
	find("127.0.0.2,127.0.0.1", port);
	for (i = 0; i < 5; i++) {	/* a busy machine may be late */
		now = clock_ms();
		net_race_begin(&race, "h.example", &found);
		begins = net_race_time(&race) >= now &&
		    net_race_time(&race) <= clock_ms();
		r[0] = net_race_step(&race);
		started[0] = race.started;
		polled = net_race_poll(&race, p) == 1 && p[0].events == POLLOUT;
		waits = net_race_time(&race) >= now + 250 &&
		    net_race_time(&race) <= clock_ms() + 250;
		holds = net_race_holds(&race);
		r[1] = net_race_step(&race);
		started[1] = race.started;
		if (clock_ms() < now + 250)
			break;
		if (r[1] == 1) {
			close(race.winner);
			close(accept(good, NULL, NULL));
		} else
			net_race_end(&race, NULL);
	}
	ok(begins, "the first one may start at once");
	is(r[0], 0, "it is under way");
	is(started[0], 1, "alone at first");
	ok(polled, "it is waited for");
	ok(waits, "for a quarter of a second");
	is(holds, 1, "its address is ours");
	is(r[1], 0, "(too early for the next)");
	is(started[1], 1, "(alone)");
	while (clock_ms() < net_race_time(&race))
		poll(NULL, 0, 5);
	is(net_race_step(&race), 1, "the second one wins");
	is(net_race_time(&race), CLOCK_NEVER, "no other is started");
	is(net_race_poll(&race, p), 0, "none is waited for");
	is(count_open(), n + 1, "the first one is closed");
	close(race.winner);
	close(accept(good, NULL, NULL));

	/* one that is refused lets the next one start at once */
	find("127.0.0.3,127.0.0.1", port);
	net_race_begin(&race, "h.example", &found);
	is(net_race_step(&race), 1, "the second one is there at once");
	close(race.winner);
	close(accept(good, NULL, NULL));

	/* reasons */
	find("127.0.0.3,127.0.0.4", port);
	net_race_begin(&race, "h.example", &found);
	is(net_race_step(&race), -1, "both are refused");
	snprintf(want, sizeof(want), "Connection refused (127.0.0.3:%u), "
	    "Connection refused (127.0.0.4:%u)", port, port);
	is_str(race.reasons, want, "each with its address");
	is(race.status, EXIT_UNREACHABLE, "69");
	find("127.0.0.3", port);
	net_race_begin(&race, "127.0.0.3", &found);
	is(net_race_step(&race), -1, "an address that was written");
	is_str(race.reasons, "Connection refused", "is not told twice");
	find("127.0.0.2,127.0.0.3", port);
	net_race_begin(&race, "h.example", &found);
	is(net_race_step(&race), 0, "one waits");
	net_race_end(&race, "timed out");
	snprintf(want, sizeof(want), "timed out (127.0.0.2:%u)", port);
	is_str(race.reasons, want, "until its time is over");
	is(race.status, EXIT_AGAIN, "75");
	find("127.0.0.3,127.0.0.2", port);
	net_race_begin(&race, "h.example", &found);
	is(net_race_step(&race), 0, "one is refused, one waits");
	net_race_end(&race, "timed out");
	is(race.status, EXIT_AGAIN, "a timeout outweighs a refusal");
	net_race_begin(&race, "h.example", &found);
	is(net_race_step(&race), 0, "(again)");
	race.reasons[0] = '\0';
	net_race_end(&race, NULL);
	is_str(race.reasons, "", "what is given up has no reason");
	is(count_open(), n, "and nothing stays open");
	find("127.0.0.2,127.0.0.2,127.0.0.2", port);
	net_race_begin(&race, "h.example", &found);
	while (race.started < 3) {
		net_race_step(&race);
		poll(NULL, 0, 5);
	}
	ok(net_race_poll(&race, p) == 3 && p[2].fd != p[1].fd,
	    "several may wait");
	is(net_race_holds(&race), 1, "(ours)");
	net_race_end(&race, NULL);
	is(count_open(), n, "all are closed");
	for (i = 0; i < 4; i++)
		close(filler[i]);
	close(dead);
	close(good);
}

/* Steps until the race is over. */
static int
run_race(struct net_race *race)
{
	struct pollfd p[NET_FOUND_MAX];
	int64_t end = clock_ms() + 30000;
	int r;

	while ((r = net_race_step(race)) == 0 && clock_ms() < end)
		poll(p, net_race_poll(race, p), 1000);
	return r;
}

/* An answer that comes a second later, as the first SYN was dropped. */
static void
test_late(void)
{
	struct net_race race;
	uint16_t port = 0;
	int l = listen_at("127.0.0.1", &port, 0), filler[4], i;

	find("127.0.0.1", port);
	fill(l, filler);
	net_race_begin(&race, "127.0.0.1", &found);
	is(net_race_step(&race), 0, "it is under way");
	for (i = 0; i < 2; i++)
		close(accept(l, NULL, NULL));
	is(run_race(&race), 1, "and is there later");
	close(race.winner);
	for (i = 0; i < 4; i++)
		close(filler[i]);
	close(l);
	l = listen_at("127.0.0.1", &port, 0);
	fill(l, filler);
	net_race_begin(&race, "127.0.0.1", &found);
	is(net_race_step(&race), 0, "another one is under way");
	close(l);
	is(run_race(&race), -1, "and refused later");
	is_str(race.reasons, "Connection refused", "says so");
	is(race.status, EXIT_UNREACHABLE, "69");
	for (i = 0; i < 4; i++)
		close(filler[i]);
}

static void
test_status(void)
{
	struct addr a = tcp("::1", 80);

	is(net_dial_status(ETIMEDOUT), EXIT_AGAIN, "no answer: 75");
	is(net_dial_status(EMFILE), EXIT_SYSTEM, "no descriptors: 71");
	is(net_dial_status(ENFILE), EXIT_SYSTEM, "of the system: 71");
	is(net_dial_status(ENOBUFS), EXIT_SYSTEM, "no buffers: 71");
	is(net_dial_status(ENOMEM), EXIT_SYSTEM, "no memory: 71");
	is(net_dial_status(EHOSTUNREACH), EXIT_UNREACHABLE, "no way: 69");
	is(net_dial_failed(&a, "x", 69, &why), -1, "an IPv6 address");
	is_str(why.text, "cannot connect to [::1]:80: x", "has brackets");
	a = (struct addr){ .kind = ADDR_UNIX, .path = "/x" };
	is(net_dial_failed(&a, "y", 75, &why), -1, "a Unix socket");
	is_str(why.text, "cannot connect to unix:/x: y", "has none");
	is(why.status, 75, "the status that is given");
	a.kind = ADDR_STDIO;
	is(net_dial_found(&a, &found, CLOCK_NEVER, NULL, &why), -1,
	    "what is no address");
	is_str(why.text, "not an address to dial", "cannot be dialled");
}

/* --- --interface --- */

static void
test_source(void)
{
	struct net_race race;
	struct addr a;
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	char name[NET_NAME_MAX];
	uint16_t port = 0;
	int l = listen_at("127.0.0.1", &port, 8), fd, n = count_open();

	find("127.0.0.1", port);
	found.from = "127.0.0.7";
	net_race_begin(&race, "127.0.0.1", &found);
	is(net_race_step(&race), 1, "from an address");
	fd = accept(l, NULL, NULL);
	net_peer_name(fd, name, sizeof(name));
	ok(strncmp(name, "127.0.0.7:", 10) == 0, "it is: %s", name);
	close(fd);
	close(race.winner);
	found.from = "192.0.2.1";
	net_race_begin(&race, "127.0.0.1", &found);
	is(net_race_step(&race), -1, "from one that is not ours");
	is_str(race.reasons, "--interface 192.0.2.1: Cannot assign requested "
	    "address", "says so");
	is(race.status, EXIT_SYSTEM, "71");
	is(count_open(), n, "nothing stays open");

	fd = socket(AF_INET, SOCK_STREAM, 0);
	is(net_bind_source(fd, NULL, AF_INET), 0, "from anywhere");
	is(net_bind_source(fd, "::1", AF_INET), -1, "from the other family");
	is(errno, EAFNOSUPPORT, "that cannot be");
	is(net_bind_source(fd, "300.1.1.1 x", AF_INET), -1, "from nonsense");
	is(errno, EINVAL, "nor that");
	is(net_bind_source(fd, "no-such-if0", AF_INET), -1, "from nowhere");
	is(errno, ENODEV, "nor that");
	is(net_bind_source(fd, "nonsense", AF_UNIX), 0,
	    "a Unix socket is from nowhere");
	is(net_bind_source(fd, "127.0.0.9", AF_INET), 0, "from an address");
	getsockname(fd, (struct sockaddr *)&in, &len);
	ok(in.sin_addr.s_addr == inet_addr("127.0.0.9"), "(it is)");
	close(fd);
	if (if_nametoindex("lo") != 0)
		is(net_source_check("lo"), 0, "by the name of an interface");
	is(net_source_check("127.0.0.1"), 0, "an address of ours");
	is(net_source_check("192.0.2.1"), -1, "another one");
	is(errno, EADDRNOTAVAIL, "is not");
	n = count_open();
	net_source_check("192.0.2.1");
	is(count_open(), n, "nothing stays open");
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	if (fd != -1) {
		is(net_bind_source(fd, "fe80::1%no-such", AF_INET6), -1,
		    "a zone that is not there");
		is(errno, ENODEV, "is no interface");
		close(fd);
	}
	/* what remains of a name */
	a = tcp("192.0.2.9", 1);
	is(net_find_from(&found, &a, NULL, "::1", NET_ANY, &why), -1,
	    "an address leaves its family");
	ok(strstr(why.text, " (--interface ::1 leaves only IPv6 addresses: give "
	    "an IPv4 address of this host, or the interface by name)") != NULL,
	    "%s", why.text);
	is(why.status, EXIT_NAME, "68");
	is(net_find_from(&found, &a, NULL, NULL, NET_IPV6, &why), -1,
	    "and so does --ipv6");
	ok(strstr(why.text, " (-6 leaves only IPv6 addresses)") != NULL, "%s",
	    why.text);
	is(net_find_from(&found, &a, NULL, "lo", NET_ANY, &why), 0,
	    "a name leaves both");
	is_str(found.from, "lo", "(by which it is dialled)");
	close(l);
}

/* Where only root may choose a device, its first address is taken. */
static void
test_device(void)
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (if_nametoindex("lo") == 0) {
		ok(1, "an interface: # SKIP no lo here");
		close(fd);
		return;
	}
	is(bind_address_of(fd, "no-such-if0", AF_INET), -1, "no interface");
	is(errno, ENODEV, "says so");
	is(bind_address_of(fd, "lo", AF_APPLETALK), -1, "no address of it");
	is(errno, EADDRNOTAVAIL, "says so");
	is(bind_address_of(fd, "lo", AF_INET), 0, "the first address of it");
	getsockname(fd, (struct sockaddr *)&in, &len);
	ok(in.sin_addr.s_addr == htonl(INADDR_LOOPBACK), "is bound");
	close(fd);
}

/* 0, or what is said. */
static const char *
family(const char *host, const char *named, const char *word, int only)
{
	struct addr a = tcp(host, 80);

	if (net_family_check(&a, named, "the host", word, only, &why) == 0)
		return "";
	is(why.status, EXIT_BADUSAGE, "64");
	return why.text;
}

static void
test_families(void)
{
	struct addr a = { .kind = ADDR_UNIX };

	is_str(family("::1", NULL, NULL, NET_ANY), "", "any");
	is_str(family("::1", NULL, NULL, NET_IPV6), "", "the same");
	is_str(family("h", NULL, NULL, NET_IPV6), "", "a name may have both");
	is_str(family("::1", NULL, NULL, NET_IPV4), "--ipv4: the host is an "
	    "IPv6 address: give an IPv4 address, or leave --ipv4 out",
	    "the other one");
	is_str(family("127.0.0.1", NULL, NULL, NET_IPV6), "--ipv6: the host is "
	    "an IPv4 address: give an IPv6 address, or leave --ipv6 out",
	    "the other way round");
	is_str(family("::ffff:127.0.0.1", NULL, NULL, NET_IPV6), "",
	    "a mapped one is of both");
	is_str(family("::ffff:127.0.0.1", NULL, NULL, NET_IPV4), "",
	    "(likewise)");
	is_str(family("h", "192.0.2.1,::1", NULL, NET_IPV6), "",
	    "one of several is enough");
	is_str(family("h", "192.0.2.1,192.0.2.2", NULL, NET_IPV6), "--ipv6: "
	    "--resolve has no IPv6 address for h: give an IPv6 address, or "
	    "leave --ipv6 out", "none is not");
	is_str(family("::1", NULL, "127.0.0.1", NET_ANY), "--interface "
	    "127.0.0.1: the host is an IPv6 address: give an IPv6 address of "
	    "this host, or the interface by name", "from an address");
	is_str(family("::1", NULL, "lo", NET_ANY), "", "from an interface");
	is_str(family("::1", NULL, "127.0.0.1", NET_IPV6), "--interface "
	    "127.0.0.1: is an IPv4 address: give an IPv6 address of this host, "
	    "or leave --ipv6 out", "that contradicts --ipv6");
	is(net_family_check(&a, NULL, "x", NULL, NET_IPV4, &why), 0,
	    "a Unix socket has none");
}

/* --- names --- */

static void
test_names(void)
{
	static const char *const local[] = { "localhost", "LOCALHOST",
	    "localhost.", "a.localhost", "a.localhost." };
	char text[NET_NAME_MAX], many[400] = "127.0.0.1";
	struct addr a;
	size_t i;

	for (i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
		a = tcp(local[i], 80);
		if (i >= 2 && net_find(&found, &a, NULL, NET_IPV4, &why) == -1)
			continue;	/* not every library knows these */
		is(net_find(&found, &a, NULL, NET_IPV4, &why), 0, local[i]);
		is_str(net_print((struct sockaddr *)&found.at[0].ss,
		    found.at[0].len, text, sizeof(text)), "127.0.0.1:80",
		    "is this host");
	}
	a = tcp("192.0.2.1", 80);
	is(net_find(&found, &a, NULL, NET_IPV6, &why), -1,
	    "a number of the other family");
	is(why.status, EXIT_NAME, "68");
	ok(strncmp(why.text, "cannot resolve 192.0.2.1: ", 26) == 0, "%s",
	    why.text);
	for (i = 1; i < 20; i++)
		strlcat(many, ",127.0.0.1", sizeof(many));
	a = tcp("h", 80);
	is(net_find(&found, &a, many, NET_ANY, &why), 0, "very many");
	is(found.n, NET_FOUND_MAX, "are taken as far as there is room");
	is(net_find(&found, &a, "::1,::2", NET_IPV4, &why), -1, "none");
	is_str(why.text, "h has no address of that family: ::1,::2", "says so");
	is(net_zone("7"), 7, "a zone by its number");
	is(net_zone("0"), 0, "0 is none");
	is(net_zone("4294967295"), 4294967295U, "the largest");
	is(net_zone("an-interface-with-a-long-name"), 0, "nor is this");
	if (if_nametoindex("lo") != 0)
		is(net_zone("lo"), if_nametoindex("lo"), "an interface");
	a = (struct addr){ .kind = ADDR_UNIX };
	is(net_find(&found, &a, NULL, NET_ANY, &why), 0, "a Unix socket");
	is(found.n, 0, "has none");
}

/* --- Unix sockets --- */

static void
test_unix(void)
{
	struct addr a = { .kind = ADDR_UNIX };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct timeval tv = { 9, 9 };
	socklen_t len = sizeof(tv);
	char folder[] = "/tmp/inetws-ways-XXXXXX", name[NET_NAME_MAX],
	    want[200];
	int l, fd, filler[8], k = 0, n;
	int64_t begun;

	if (mkdtemp(folder) == NULL)
		abort();
	snprintf(a.path, sizeof(a.path), "%s/s", folder);
	strlcpy(sun.sun_path, a.path, sizeof(sun.sun_path));
	n = count_open();
	is(net_dial_unix(&a, name, &why), -1, "nothing is there");
	is(errno, ENOENT, "(no file)");
	is(why.status, EXIT_UNREACHABLE, "69");
	is(net_dial_found(&a, NULL, CLOCK_NEVER, name, &why), -1, "likewise");
	is(count_open(), n, "nothing stays open");
	l = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(l, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(l, 0) == -1)
		abort();
	snprintf(want, sizeof(want), "unix:%s", a.path);
	fd = net_dial_unix(&a, name, &why);
	ok(fd != -1 && (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0, "dialled");
	is_str(name, want, "its name");
	close(fd);
	close(accept(l, NULL, NULL));
	name[0] = '\0';
	fd = net_dial_found(&a, NULL, clock_ms() + 20000, name, &why);
	ok(fd != -1 && (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0, "dialled");
	is_str(name, want, "its name");
	getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, &len);
	ok(tv.tv_sec == 0 && tv.tv_usec == 0, "without a limit for writing");
	close(fd);
	close(accept(l, NULL, NULL));
	fd = net_dial_found(&a, NULL, CLOCK_NEVER, NULL, &why);
	ok(fd != -1, "without a deadline, nor a name");
	close(fd);
	close(accept(l, NULL, NULL));
	while (k < 8 && (filler[k] = net_dial_unix(&a, NULL, &why)) != -1)
		k++;
	is(errno, EAGAIN, "its backlog is full");
	n = count_open();
	begun = clock_ms();
	is(net_dial_found(&a, NULL, begun + 1100, name, &why), -1,
	    "that is waited for");
	ok(clock_ms() >= begun + 1100 && clock_ms() < begun + scaled(5000),
	    "until the deadline");
	is(why.status, EXIT_AGAIN, "75");
	snprintf(want, sizeof(want), "cannot connect to unix:%s: Connection "
	    "timed out", a.path);
	is_str(why.text, want, "says so");
	is(net_dial_found(&a, NULL, clock_ms(), name, &why), -1,
	    "there may be no time at all");
	is(why.status, EXIT_AGAIN, "75");
	is(count_open(), n, "nothing stays open");
	while (k-- > 0)
		close(filler[k]);
	close(l);
	unlink(a.path);
	rmdir(folder);
}

/* TCP, until a deadline that is over. */
static void
test_deadline(void)
{
	struct addr a = tcp("127.0.0.1", 1);

	find("127.0.0.1", 1);
	is(net_dial_found(&a, &found, clock_ms(), NULL, &why), -1,
	    "no time is left");
	is_str(why.text, "cannot connect to 127.0.0.1:1: timed out while "
	    "resolving", "says where it went");
	is(why.status, EXIT_AGAIN, "75");
}

/* --- bytes with a deadline --- */

static void
test_bytes(void)
{
	static char big[1024 * 1024], buf[HTTP_HEAD_MAX];
	struct http_read r = { .buf = buf, .size = sizeof(buf) };
	struct http_head head;
	struct io io;
	char got[10];
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1 ||
	    fcntl(pair[1], F_SETFL, O_NONBLOCK) == -1)
		abort();
	io = io_of(pair[1]);
	r.io = &io;
	is(deadline_wait(&io, 1, clock_ms() + 5000), 0, "there is room");
	is(deadline_wait(&io, 0, clock_ms() + 20), -1, "and no byte");
	is(errno, ETIMEDOUT, "until the deadline");
	is(deadline_read(&io, got, sizeof(got), clock_ms() + 20), -1,
	    "nor is one read");
	is(errno, ETIMEDOUT, "until then");
	is(write(pair[0], "ab", 2), 2, "(two bytes)");
	is(deadline_wait(&io, 0, clock_ms() + 5000), 0, "some are there");
	is(deadline_read(&io, got, sizeof(got), clock_ms() + 5000), 2,
	    "what is there is read");
	is(deadline_write(&io, "cd", 2, clock_ms() + 5000), 0, "and written");
	is(read(pair[0], got, sizeof(got)), 2, "whole");
	is(deadline_write(&io, big, sizeof(big), clock_ms() + 30), -1,
	    "a peer that does not read");
	is(errno, ETIMEDOUT, "is waited for until the deadline");

	/* a head in pieces, and what follows it */
	is(write(pair[0], "GET / HTTP/1.1\r\n", 16), 16, "(half a head)");
	is(http_read(&r, &head, clock_ms() + 300), -1, "half a head");
	is(errno, ETIMEDOUT, "is waited for");
	is(r.len, 16, "and kept");
	is(write(pair[0], "Host: h\r\n\r\nxyz", 14), 14, "(the rest)");
	is(http_read(&r, &head, clock_ms() + 5000), 27, "the rest");
	is(r.len, 30, "what follows is there, too");
	ok(slice_is(head.method, "GET"), "it is parsed");
	r.len = 0;
	is(write(pair[0], "GET\r\n", 5), 5, "(nonsense)");
	is(http_read(&r, &head, clock_ms() + 5000), -1, "nonsense");
	is(errno, EBADMSG, "is malformed");
	is(r.status, 400, "400");
	ok(r.err[0] != '\0', "%s", r.err);
	r.len = 0;
	is(write(pair[0], "GET", 3), 3, "(a part)");
	shutdown(pair[0], SHUT_WR);
	is(http_read(&r, &head, clock_ms() + 5000), 0, "and an end");
	close(pair[0]);
	is(deadline_write(&io, "x", 1, clock_ms() + 5000), -1, "(gone)");
	is(errno, EPIPE, "an error is told as it is");
	io_close(&io);
}

/* What does not fit at once goes on where it ended. */
static void
test_much(void)
{
	static char big[1024 * 1024], got[1024 * 1024];
	struct io io;
	int pair[2], status;
	size_t i, len = 0;
	ssize_t n;
	pid_t pid;

	for (i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 + (i >> 8) * 13 + (i >> 16));
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1 ||
	    fcntl(pair[1], F_SETFL, O_NONBLOCK) == -1)
		abort();
	if ((pid = fork()) == 0) {
		close(pair[1]);
		while ((n = read(pair[0], got + len, sizeof(got) - len)) > 0)
			len += n;
		_exit(len != sizeof(big) || memcmp(big, got, len) != 0);
	}
	close(pair[0]);
	io = io_of(pair[1]);
	is(deadline_write(&io, big, sizeof(big), clock_ms() + 60000), 0,
	    "much is written");
	io_close(&io);
	waitpid(pid, &status, 0);
	is(status, 0, "and arrives as it was");
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	alarm(120);
	test_race();
	test_late();
	test_status();
	test_source();
	test_device();
	test_families();
	test_names();
	test_unix();
	test_deadline();
	test_bytes();
	test_much();
	return done_testing();
}
