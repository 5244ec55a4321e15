/* SPDX-License-Identifier: ISC */
/* If it fails: inetws does not listen or dial where it was told to. */
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <net/if.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/dial.h"
#include "net/socket.h"
#include "os/clock.h"
#include "os/fd.h"
#include "tap.h"

#define SOON	(clock_ms() + 5000)

static struct error why;
static char peer[NET_NAME_MAX];

static struct addr
tcp(const char *host, int port)
{
	struct addr a;

	memset(&a, 0, sizeof(a));
	a.kind = ADDR_TCP;
	a.port = port;
	a.mode = -1;
	strlcpy(a.host, host, sizeof(a.host));
	return a;
}

static struct addr
local(const char *path)
{
	struct addr a = tcp("", 0);

	a.kind = ADDR_UNIX;
	strlcpy(a.path, path, sizeof(a.path));
	return a;
}

static int
port_of(int fd)
{
	struct sockaddr_in6 six;
	socklen_t len = sizeof(six);

	/* the port is at the same place in both families */
	if (getsockname(fd, (struct sockaddr *)&six, &len) == -1)
		return -1;
	return ntohs(six.sin6_port);
}

static int
has_v6(void)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
	    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM, 0), r;

	if (fd == -1)
		return 0;
	r = bind(fd, (struct sockaddr *)&six, sizeof(six));
	close(fd);
	return r == 0;
}

static int
accepts(int listener)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	struct sockaddr_storage ss;
	socklen_t len;
	int fd;

	if (poll(&p, 1, 5000) != 1 ||
	    (fd = net_accept(listener, &ss, &len)) == -1)
		return 0;
	close(fd);
	return 1;
}

static int
is_nonblock_cloexec(int fd)
{
	return (fcntl(fd, F_GETFL) & O_NONBLOCK) &&
	    (fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void
test_print(void)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
	    .sin6_port = htons(22) };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	socklen_t base = offsetof(struct sockaddr_un, sun_path);
	char name[NET_NAME_MAX];

	inet_pton(AF_INET6, "::ffff:192.0.2.1", &six.sin6_addr);
	is_str(net_print((void *)&six, sizeof(six), name, sizeof(name)),
	    "192.0.2.1:22", "a mapped address is IPv4");
	inet_pton(AF_INET6, "2001:db8::1", &six.sin6_addr);
	is_str(net_print((void *)&six, sizeof(six), name, sizeof(name)),
	    "[2001:db8::1]:22", "IPv6 in brackets");
	is_str(net_print((void *)&sun, base, name, sizeof(name)), "unix:",
	    "an unnamed Unix socket");
	memcpy(sun.sun_path, "\0ab\nc", 5);
	is_str(net_print((void *)&sun, base + 5, name, sizeof(name)),
	    "unix:@ab?c", "an abstract one");
	strlcpy(sun.sun_path, "/run/x", sizeof(sun.sun_path));
	is_str(net_print((void *)&sun, sizeof(sun), name, sizeof(name)),
	    "unix:/run/x", "one with a path");
	memset(sun.sun_path, 'a', sizeof(sun.sun_path));
	is(strlen(net_print((void *)&sun, sizeof(sun), name, sizeof(name))),
	    5 + sizeof(sun.sun_path), "the longest one");
	is(strlen(net_print((void *)&sun, sizeof(sun), name, 10)), 9,
	    "into a short buffer");
	is_str(net_peer_name(STDIN_FILENO, name, sizeof(name)), "-",
	    "what is no socket has no name");
}

/* What is dialled and closed at once, as if the process was killed. */
static int
is_reset(int listener, const struct addr *a)
{
	char c;
	int fd = net_dial(a, NET_ANY, SOON, peer, &why), end, r;

	end = accept(listener, NULL, NULL);
	close(fd);
	errno = 0;
	r = read(end, &c, 1) == -1 && errno == ECONNRESET;
	close(end);
	return r;
}

static void
test_listen(void)
{
	struct addr a = tcp("127.0.0.1", 0);
	char name[NET_NAME_MAX], want[NET_NAME_MAX];
	int fds[2], again[2], fd, port, n;

	is(net_listen(&a, 8, fds, &why), 1, "an address is one socket");
	ok(is_nonblock_cloexec(fds[0]), "non-blocking, close-on-exec");
	is(net_is_socket(fds[0]), 1, "it is a socket");
	is(net_is_listener(fds[0]), 1, "it listens");
	a.port = port = port_of(fds[0]);
	is(net_listen(&a, 8, again, &why), -1, "twice is refused");
	is(why.status, EXIT_SYSTEM, "with 71");
	snprintf(want, sizeof(want), "cannot listen on 127.0.0.1:%d: "
	    "Address already in use", port);
	is_str(why.text, want, "and words");
	fd = net_dial(&a, NET_ANY, SOON, peer, &why);
	ok(fd != -1 && accepts(fds[0]), "it can be dialled");
	snprintf(want, sizeof(want), "127.0.0.1:%d", port);
	is_str(peer, want, "and names who answered");
	is_str(net_peer_name(fd, name, sizeof(name)), want, "peer's name");
	is_str(net_local_name(fds[0], name, sizeof(name)), want, "own name");
	ok(is_nonblock_cloexec(fd), "dialled non-blocking, close-on-exec");
	is(net_is_listener(fd), 0, "which does not listen");
	close(fd);
	ok(is_reset(fds[0], &a), "no end is told before there is one");
	close(fds[0]);

	a = tcp("localhost", 0);
	a.loopback = 1;
	n = net_listen(&a, 8, fds, &why);
	is(n, has_v6() ? 2 : 1, "a bare port is both loopbacks");
	if (n == 2)
		is(port_of(fds[1]), port_of(fds[0]), "on one port");
	while (n > 0)
		close(fds[--n]);

	a = tcp("", 0);
	a.any = 1;
	is(net_listen(&a, 8, fds, &why), 1, "all addresses are one socket");
	a = tcp("127.0.0.1", port_of(fds[0]));
	fd = net_dial(&a, NET_ANY, SOON, peer, &why);
	ok(fd != -1 && accepts(fds[0]), "that takes IPv4");
	close(fd);
	if (has_v6()) {
		strlcpy(a.host, "::1", sizeof(a.host));
		fd = net_dial(&a, NET_IPV6, SOON, peer, &why);
		ok(fd != -1 && accepts(fds[0]), "and IPv6");
		close(fd);
	}
	close(fds[0]);
}

static void
test_unix(const char *dir)
{
	struct addr a;
	struct stat st;
	struct net_file file;
	char path[100], want[128];
	int fds[2], again[2], fd, filler[8], n;
	int64_t begun;

	snprintf(path, sizeof(path), "%s/sock", dir);
	a = local(path);
	a.mode = 0640;
	is(net_dial(&a, NET_ANY, SOON, peer, &why), -1, "no Unix socket there");
	is(why.status, EXIT_UNREACHABLE, "is 69");
	is(net_listen(&a, 1, fds, &why), 1, "listen on a Unix socket");
	stat(path, &st);
	is(st.st_mode & 07777, 0640, "with the mode that was given");
	fd = net_dial(&a, NET_ANY, SOON, peer, &why);
	ok(fd != -1 && accepts(fds[0]), "dial it");
	snprintf(want, sizeof(want), "unix:%s", path);
	is_str(peer, want, "it has a name");
	ok(is_nonblock_cloexec(fd), "non-blocking, close-on-exec");
	close(fd);
	is(net_listen(&a, 1, again, &why), -1, "a live one is not replaced");
	is(why.status, EXIT_SYSTEM, "but 71");
	ok(accepts(fds[0]), "(the probe was a connection)");

	begun = clock_ms();
	for (n = 0; n < 8; n++)
		if ((filler[n] = net_dial(&a, NET_ANY, clock_ms() + 100, peer,
		    &why)) == -1)
			break;
	ok(n < 8, "a full backlog");
	is(why.status, EXIT_AGAIN, "is a timeout");
	ok(clock_ms() - begun >= 95, "after the deadline");
	while (n > 0)
		close(filler[--n]);

	close(fds[0]);
	is(net_listen(&a, 1, fds, &why), 1, "a stale one is replaced");
	file = net_file_of(fds[0]);
	ok(net_has_file(fds[0], &file), "its file is known");
	unlink(path);
	ok(!net_has_file(fds[0], &file), "and that it is gone");
	is(net_listen(&a, 1, again, &why), 1, "another takes its path");
	ok(!net_has_file(fds[0], &file), "whose file it is then");
	net_unlisten(fds[0], &file);
	ok(stat(path, &st) == 0, "which is not removed");
	file = net_file_of(again[0]);
	net_unlisten(again[0], &file);
	ok(stat(path, &st) == -1, "but by its own");
	net_unlisten(again[0], &file);
	file = net_file_of(again[0]);
	ok(!net_has_file(again[0], &file), "no file, none of it");
	close(again[0]);
	close(fds[0]);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	is(net_listen(&a, 1, fds, &why), -1, "a file is not replaced");
	ok(stat(path, &st) == 0 && S_ISREG(st.st_mode), "and is still there");
	unlink(path);
}

/* A loopback port without a listener. */
static int
closed_port(void)
{
	struct addr a = tcp("127.0.0.1", 0);
	int fds[2], port;

	if (net_listen(&a, 1, fds, &why) != 1)
		return -1;
	port = port_of(fds[0]);
	close(fds[0]);
	return port;
}

/*
 * A listener that does not answer: Linux drops a SYN when the backlog is
 * full.  Returns how many connections fill it.
 */
static int
fill_backlog(int listener, int filler[8])
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct pollfd p = { .events = POLLOUT };
	int n;

	getsockname(listener, (struct sockaddr *)&ss, &len);
	for (n = 0; n < 8; n++) {
		filler[n] = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK,
		    0);
		connect(filler[n], (struct sockaddr *)&ss, len);
		p.fd = filler[n];
		if (poll(&p, 1, 150) == 0)
			return n + 1;
	}
	return n;
}

/* "%lo", "%1": the number of the interface, without a resolver. */
static void
test_zone(void)
{
	const struct sockaddr_in6 *in6;
	struct net_found found;
	struct addr a = tcp("fe80::1%lo", 443);
	uint32_t lo = if_nametoindex("lo");

	if (lo == 0) {
		ok(1, "# SKIP no interface lo");
		return;
	}
	in6 = (const void *)&found.at[0].ss;
	is(net_find(&found, &a, NULL, NET_ANY, &why), 0, "a zone by name");
	ok(found.n == 1 && in6->sin6_scope_id == lo, "is its number");
	a = tcp("fe80::1%7", 443);
	is(net_find(&found, &a, NULL, NET_ANY, &why), 0, "a zone by number");
	is(in6->sin6_scope_id, 7, "is that number");
	a = tcp("fe80::1%no-such-if", 443);
	is(net_find(&found, &a, NULL, NET_ANY, &why), -1, "no such interface");
}

/* Addresses that are given are not looked up. */
static void
test_named(void)
{
	struct addr a = tcp("elsewhere.invalid", 443);
	struct net_found found;
	char text[NET_NAME_MAX];

	is(net_find(&found, &a, "127.0.0.1,[::1],::2,192.0.2.1", NET_ANY,
	    &why), 0, "named addresses");
	is(found.n, 4, "all of them");
	is_str(net_print((struct sockaddr *)&found.at[1].ss, found.at[1].len,
	    text, sizeof(text)), "[::1]:443", "in their order");
	is(net_find(&found, &a, "::1,127.0.0.1", NET_IPV4, &why), 0,
	    "of one family");
	is(found.n, 1, "the others do not count");
	is(net_find(&found, &a, "::1", NET_IPV4, &why), -1, "of none");
	is(why.status, EXIT_NAME, "is 68");
}

static void
test_failures(void)
{
	struct addr a;
	char want[200];
	int fds[2], filler[8], n;
	int64_t begun;

	a = tcp("127.0.0.1", closed_port());
	is(net_dial(&a, NET_ANY, SOON, peer, &why), -1, "no listener");
	is(why.status, EXIT_UNREACHABLE, "is 69");
	snprintf(want, sizeof(want), "cannot connect to 127.0.0.1:%u: "
	    "Connection refused", a.port);
	is_str(why.text, want, "in words");
	is(net_dial(&a, NET_IPV6, SOON, peer, &why), -1, "the wrong family");
	is(why.status, EXIT_NAME, "is 68");
	strlcpy(a.host, "localhost", sizeof(a.host));
	is(net_dial(&a, NET_IPV4, SOON, peer, &why), -1, "by name");
	snprintf(want, sizeof(want), "cannot connect to localhost:%u: "
	    "Connection refused (127.0.0.1:%u)", a.port, a.port);
	is_str(why.text, want, "names name and address");
	/* RFC 6761 6.4: never resolves, here without asking anybody */
	strlcpy(a.host, "no..such.invalid", sizeof(a.host));
	is(net_dial(&a, NET_ANY, SOON, peer, &why), -1, "no such name");
	ok(why.status == EXIT_NAME || why.status == EXIT_AGAIN,
	    "is 68, or 75 without a resolver");
	ok(strstr(why.text, "no..such.invalid") != NULL, "and is named");

	a = tcp("127.0.0.1", 0);
	net_listen(&a, 0, fds, &why);
	n = fill_backlog(fds[0], filler);
	a.port = port_of(fds[0]);
	begun = clock_ms();
	is(net_dial(&a, NET_ANY, begun + 200, peer, &why), -1, "no answer");
	is(why.status, EXIT_AGAIN, "is 75");
	ok(clock_ms() - begun >= 200 && clock_ms() - begun < 2000,
	    "at the deadline");
	ok(strstr(why.text, "timed out") != NULL, "in words");
	while (n > 0)
		close(filler[--n]);
	close(fds[0]);
}

/* Does this machine know both loopbacks by that name? */
static int
is_both(const char *name)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *ai;
	int seen = 0;

	if (getaddrinfo(name, NULL, &hints, &list) != 0)
		return 0;
	for (ai = list; ai != NULL; ai = ai->ai_next)
		seen |= ai->ai_family == AF_INET6 ? 2 : 1;
	freeaddrinfo(list);
	return seen == 3;
}

static void
test_eyeballs(void)
{
	struct addr a = tcp("localhost", 0);
	int fds[2], filler[8], fd, n;
	int64_t begun, took;

	a.loopback = 1;
	if (!has_v6() || !is_both("localhost") ||
	    net_listen(&a, 0, fds, &why) != 2) {
		ok(1, "happy eyeballs # SKIP localhost is not both families");
		return;
	}
	a = tcp("localhost", port_of(fds[0]));
	fd = net_dial(&a, NET_ANY, SOON, peer, &why);
	ok(strncmp(peer, "[::1]", 5) == 0, "IPv6 goes first");
	close(fd);
	accepts(fds[1]);
	fd = net_dial(&a, NET_IPV4, SOON, peer, &why);
	ok(strncmp(peer, "127.0.0.1", 9) == 0, "unless IPv4 is asked for");
	close(fd);
	accepts(fds[0]);

	n = fill_backlog(fds[1], filler);
	begun = clock_ms();
	fd = net_dial(&a, NET_ANY, SOON, peer, &why);
	took = clock_ms() - begun;
	ok(fd != -1 && strncmp(peer, "127.0.0.1", 9) == 0,
	    "IPv4 wins where IPv6 does not answer");
	ok(took >= 245 && took < 2000, "a quarter of a second later");
	close(fd);
	accepts(fds[0]);
	while (n > 0)
		close(filler[--n]);

	close(fds[1]);
	for (n = 0, took = 200; n < 5 && took >= 200; n++) {
		begun = clock_ms();
		fd = net_dial(&a, NET_ANY, SOON, peer, &why);
		took = clock_ms() - begun;
		close(fd);
		accepts(fds[0]);
	}
	ok(fd != -1 && took < 200, "and at once where it is refused");
	close(fds[0]);
	is(net_dial(&a, NET_ANY, SOON, peer, &why), -1, "both refused");
	ok(strstr(why.text, "([::1]:") != NULL &&
	    strstr(why.text, "(127.0.0.1:") != NULL, "and both are named");
}

static void
test_options(void)
{
	struct addr a = tcp("127.0.0.1", 0);
	int fds[2], p[2], fd, on = 0;
	socklen_t len = sizeof(on);

	net_listen(&a, 8, fds, &why);
	a.port = port_of(fds[0]);
	fd = net_dial(&a, NET_ANY, SOON, peer, &why);
	net_tune(fd);
	getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len);
	is(on, 1, "no delay");
#if defined(TCP_NOTSENT_LOWAT) && !defined(COMPAT_ALL)
	getsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &on, &len);
	is(on, 262144, "a bound for what cannot be sent yet");
#endif
	getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &len);
	is(on, 1, "keepalive");
	close(fd);
	close(fds[0]);
	if (pipe(p) == -1)
		return;
	is(net_is_socket(p[0]), 0, "a pipe is no socket");
	is(net_is_listener(p[0]), 0, "nor does it listen");
	net_tune(p[0]);
	net_linger_reset(p[0]);
	is(fd_nonblock(p[0]), 0, "but it can be made non-blocking");
	ok(is_nonblock_cloexec(p[0]), "and is");
	close(p[0]);
	close(p[1]);
	is(net_is_socket(p[0]), -1, "a closed one is an error");
	is(net_is_reset(p[0]), -1, "everywhere");
	is(errno, EBADF, "is EBADF");
}

static int
lingers(int fd)
{
	struct linger l = { .l_onoff = 0 };
	socklen_t len = sizeof(l);

	getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &len);
	return l.l_onoff;
}

/* A connection that came before its listener was set up. */
static void
test_accepts_early(void)
{
	static const struct {
		const char *name;
		int tune, reset, early;
	} row[] = {
		{ "a listener that is left alone", 0, 0, 1 },
		{ "one that resets, and no more", 0, 1, 1 },
		{ "tuned", 1, 0, 1 }, { "tuned, and it resets", 1, 1, 1 },
		{ "tuned, not early", 1, 0, 0 },
		{ "tuned, and it resets, not early", 1, 1, 0 },
	};
	struct sockaddr_storage ss;
	struct addr a;
	int fds[2], fd, mine, on, delay;
	socklen_t len;
	size_t i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		a = tcp("127.0.0.1", 0);
		net_listen(&a, 8, fds, &why);
		a.port = port_of(fds[0]);
		mine = row[i].early ? net_dial(&a, NET_ANY, SOON, peer, &why) :
		    -1;
		if (row[i].tune)
			net_tune(fds[0]);
		if (row[i].reset)
			net_linger_reset(fds[0]);
		if (mine == -1)
			mine = net_dial(&a, NET_ANY, SOON, peer, &why);
		fd = net_accept(fds[0], &ss, &len);
		len = sizeof(on);
		getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &len);
		getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &delay, &len);
		ok(on == row[i].tune && delay == row[i].tune,
		    "%s: its connection is tuned or not", row[i].name);
		ok(lingers(fd) == (row[i].tune && row[i].reset),
		    "%s: and ends so", row[i].name);
		close(fd);
		close(mine);
		close(fds[0]);
	}
}

/* Of a process that ends meanwhile, as a predecessor's last child does. */
static void
test_lets_go(void)
{
	struct addr a = tcp("127.0.0.1", 0);
	int fds[2], again[2], i, n = -1;
	pid_t pid;

	for (i = 0; i < 3 && n != 1; i++) {	/* it may be slow to end */
		a.port = 0;
		is(net_listen(&a, 8, fds, &why), 1, "a listener");
		a.port = port_of(fds[0]);
		if ((pid = fork()) == 0) {
			usleep(20000);
			_exit(0);
		}
		close(fds[0]);
		if ((n = net_listen(&a, 8, again, &why)) == 1)
			close(again[0]);
		waitpid(pid, NULL, 0);
	}
	is(n, 1, "is had once it is let go");
}

int
main(void)
{
	char dir[] = "/tmp/inetws-net-XXXXXX";

	if (mkdtemp(dir) == NULL)
		return 1;
	test_print();
	test_listen();
	test_unix(dir);
	test_named();
	test_zone();
	test_failures();
	test_eyeballs();
	test_options();
	test_accepts_early();
	rmdir(dir);
	test_lets_go();
	return done_testing();
}
