/* SPDX-License-Identifier: ISC */
/*
 * Each case prepares descriptors and environment as a launcher does, in a
 * process of its own, and answers with one line.
 *
 * If it fails: inetws does not work under inetd, systemd or in a shell pipe.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/inherit.h"
#include "apart.h"
#include "tap.h"

#define REPORT	100		/* the pipe to the test */
#define KEEP	101		/* the other ends of things, and above */

static int next_keep = KEEP;

/* Puts a descriptor where a launcher has it. */
static void
put(int fd, int at)
{
	if (dup2(fd, at) == -1)
		_exit(90);
}

/* Out of the way, but open. */
static void
keep(int fd)
{
	put(fd, next_keep++);
	close(fd);
}

static int
listener(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(fd, 5) == -1)
		_exit(91);
	return fd;
}

/* An accepted TCP connection; its other end is kept. */
static int
tcp(void)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);
	int l = listener(), c = socket(AF_INET, SOCK_STREAM, 0), fd;

	getsockname(l, (struct sockaddr *)&sin, &len);
	if (connect(c, (struct sockaddr *)&sin, len) == -1 ||
	    (fd = accept(l, NULL, NULL)) == -1)
		_exit(92);
	close(l);
	keep(c);
	return fd;
}

static int
unix_pair(void)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == -1)
		_exit(93);
	keep(sv[1]);
	return sv[0];
}

static void
systemd(const char *n, const char *names)
{
	char pid[20];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", n, 1);
	if (names != NULL)
		setenv("LISTEN_FDNAMES", names, 1);
}

static int
is_null(int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat("/dev/null", &b) == 0 &&
	    a.st_rdev == b.st_rdev && S_ISCHR(a.st_mode);
}

static int
is_good(int fd)
{
	return fd > 2 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0 &&
	    (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

static int
all_good(const struct inherited *a)
{
	const struct inherited_extra *d;
	unsigned int i;

	for (i = 0; i < a->nlisteners; i++)
		if (!is_good(a->listener[i]) ||
		    net_is_listener(a->listener[i]) != 1)
			return 0;
	for (d = a->extra; d < a->extra + INHERIT_EXTRA; d++)
		for (i = 0; i < d->n; i++)
			if (!is_good(d->fd[i]) ||
			    net_is_listener(d->fd[i]) != 1)
				return 0;
	return a->rfd == -1 || (is_good(a->rfd) && is_good(a->wfd));
}

/* The port is another one each time. */
static char *
without_port(char *peer)
{
	char *p = strrchr(peer, ':');

	if (p != NULL && strncmp(peer, "127.0.0.1:", 10) == 0 &&
	    strtol(p + 1, NULL, 10) > 1023)
		strcpy(p, ":*");
	return peer;
}

static void
report(int r, int early, struct inherited *a, const struct error *why)
{
	if (r == -1)
		dprintf(REPORT, "%d %s", why->status, why->text);
	else
		dprintf(REPORT, "%u listeners, %s, peer '%s', null %d%d%d%s%s",
		    a->nlisteners, a->rfd == -1 ? "no connection" :
		    a->rfd == a->wfd ? "one socket" : "a pair",
		    without_port(a->peer), is_null(0), is_null(1), is_null(2),
		    early || a->no_stderr ? ", no stderr" : "",
		    getenv("LISTEN_FDS") != NULL ? ", LISTEN_FDS" : "");
	if (r == 0 && a->extra[0].n + a->extra[1].n > 0)
		dprintf(REPORT, ", extra %u+%u", a->extra[0].n, a->extra[1].n);
	if (r == 0 && !all_good(a))
		dprintf(REPORT, ", BAD FLAGS");
}

static void
forget_environment(void)
{
	static const char *const names[] = {
		"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "TCPREMOTEIP",
		"TCPREMOTEPORT", "REMOTE_ADDR", "REMOTE_PORT", "REMOTE_HOST",
		"SOCAT_PEERADDR", "SOCAT_PEERPORT"
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
}

static _Noreturn void
in_child(void (*launcher)(void), const char *word)
{
	struct inherited a;
	struct error why;
	struct addr words[2], other[INHERIT_EXTRA];
	const struct addr *extra[INHERIT_EXTRA] = { NULL };
	char err[200], *copy, *one;
	unsigned int n = 0, k = 0;
	int early, r, fd;

	forget_environment();
	fd = open("/dev/null", O_RDONLY);
	put(fd, 0);
	/* descriptors 1 and 2 are pipes without a reader, unless changed */
	{
		int p[2];

		if (pipe(p) == -1)
			_exit(94);
		put(p[1], 1);
		put(p[1], 2);
		keep(p[0]);
		close(p[1]);
	}
	if (fd > 2)
		close(fd);
	launcher();
	if ((early = inherit_stderr()) == -1)
		_exit(95);
	copy = strdup(word);
	while ((one = strsep(&copy, " ")) != NULL && n < 2) {
		if (*one == '+' && k < INHERIT_EXTRA) {
			extra[k] = &other[k];
			if (addr_listen(&other[k++], one + 1, err,
			    sizeof(err)) == -1)
				_exit(96);
		} else if (*one != '\0' && addr_listen(&words[n++], one, err,
		    sizeof(err)) == -1)
			_exit(96);
	}
	r = inherit(&a, words, n, k > 0 ? extra : NULL, &why);
	report(r, early, &a, &why);
	_exit(0);
}

static void
check(const char *name, void (*launcher)(void), const char *word,
    const char *want)
{
	char got[600];
	size_t len = 0;
	ssize_t n;
	int p[2], status = -1;
	pid_t pid;

	fflush(stdout);
	if (pipe(p) == -1)
		exit(1);
	if ((pid = fork()) == 0) {
		put(p[1], REPORT);
		close(p[0]);
		close(p[1]);
		in_child(launcher, word);
	}
	close(p[1]);
	while ((n = read(p[0], got + len, sizeof(got) - 1 - len)) > 0)
		len += n;
	got[len] = '\0';
	close(p[0]);
	waitpid(pid, &status, 0);
	if (status != 0)
		snprintf(got, sizeof(got), "status %x", (unsigned int)status);
	is_str(got, want, name);
}

/* --- the launchers --- */

static void
shell(void)
{
}

static void
closed_output(void)
{
	close(1);
}

static void
unwritable(void)
{
	put(open("/dev/null", O_RDONLY), 1);
}

static void
closed(void)
{
	close(0);
	close(1);
	close(2);
}

static void
inetd_nowait(void)
{
	int fd = tcp();

	put(fd, 0);
	put(fd, 1);
	put(fd, 2);
	close(fd);
}

static void
inetd_wait(void)
{
	int fd = listener();

	put(fd, 0);
	put(fd, 1);
	put(fd, 2);
	close(fd);
}

static void
inetd_udp(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	put(fd, 0);
	close(fd);
}

static void
tcpserver(void)
{
	int fd = tcp();

	setenv("TCPREMOTEIP", "192.0.2.9", 1);
	setenv("TCPREMOTEPORT", "999", 1);
	put(fd, 0);
	put(fd, 1);
	close(fd);
}

static void
socat(void)
{
	int fd = unix_pair();

	setenv("SOCAT_PEERADDR", "[2001:0db8:0000:0000:0000:0000:0000:0001]",
	    1);
	setenv("SOCAT_PEERPORT", "555", 1);
	put(fd, 0);
	put(fd, 1);
	close(fd);
}

static void
pair_with(const char *ip, const char *port)
{
	int fd = unix_pair();

	setenv("TCPREMOTEIP", ip, 1);
	setenv("TCPREMOTEPORT", port, 1);
	setenv("REMOTE_ADDR", "::ffff:198.51.100.7", 1);
	setenv("REMOTE_PORT", "77", 1);
	setenv("SOCAT_PEERADDR", "192.0.2.1", 1);
	put(fd, 0);
	put(fd, 1);
	close(fd);
}

static void
first_wins(void)
{
	pair_with("192.0.2.9", "999");
}

static void
not_numeric(void)
{
	pair_with("evil.example\nname", "999");
}

static void
bad_port(void)
{
	pair_with("192.0.2.9", "http");
}

static void
unknown_peer(void)
{
	int fd = unix_pair();

	put(fd, 0);
	put(fd, 1);
	close(fd);
}

static void
pipes(void)
{
	int in[2], out[2];

	if (pipe(in) == -1 || pipe(out) == -1)
		_exit(97);
	put(in[0], 0);
	put(out[1], 1);
	close(in[0]);
	close(out[1]);
	keep(in[1]);
	keep(out[0]);
}

static void
accept_yes(void)
{
	int fd = tcp();

	setenv("REMOTE_ADDR", "192.0.2.9", 1);
	setenv("REMOTE_PORT", "999", 1);
	put(fd, 3);
	if (fd != 3)
		close(fd);
	systemd("1", "connection");
}

static void
accept_yes_stderr(void)
{
	accept_yes();
	put(3, 2);
}

static void
standard_input_socket(void)
{
	int fd = tcp();

	put(fd, 0);
	close(fd);
}

static void
accept_no(void)
{
	int a = listener(), b = listener(), c = listener();

	put(a, 51);
	put(b, 52);
	put(c, 53);
	close(a);
	close(b);
	close(c);
	put(51, 3);
	put(52, 4);
	put(53, 5);
	systemd("3", "web:ssh:web");
}

static void
of_our_parent(void)
{
	accept_no();
	setenv("LISTEN_PID", "1", 1);
}

static void
nonsense(void)
{
	accept_no();
	setenv("LISTEN_FDS", "3x", 1);
}

static void
socket_at_9(void)
{
	int fd = tcp();

	put(fd, 9);
	put(fd, 2);
	close(fd);
}

static void
two_kinds(void)
{
	int fd = tcp(), l = listener();

	put(fd, 60);
	put(l, 61);
	close(fd);
	close(l);
}

/* --- what does not fit into a line --- */

/* O_NONBLOCK is not set for others who hold the same pipe or terminal. */
static void
flags_of_others(void)
{
	struct addr word = { .kind = ADDR_STDIO };
	struct inherited a;
	struct error why;
	int in[2], out[2], master, slave, saved0, saved1;

	if (pipe(in) == -1 || pipe(out) == -1)
		return;
	saved0 = dup(0);
	saved1 = dup(1);
	fflush(stdout);
	put(in[0], 0);
	put(out[1], 1);
	is(inherit(&a, &word, 1, NULL, &why), 0, "pipes taken");
	put(saved0, 0);
	put(saved1, 1);
	ok((fcntl(a.rfd, F_GETFL) & O_NONBLOCK) != 0 &&
	    (fcntl(a.wfd, F_GETFL) & O_NONBLOCK) != 0, "ours do not block");
	ok((fcntl(in[0], F_GETFL) & O_NONBLOCK) == 0 &&
	    (fcntl(out[1], F_GETFL) & O_NONBLOCK) == 0, "others' pipes do");
	ok(write(in[1], "x", 1) == 1 && read(a.rfd, &master, 1) == 1 &&
	    write(a.wfd, "x", 1) == 1 && read(out[0], &master, 1) == 1,
	    "and they are the same pipes");
	close(a.rfd);
	close(a.wfd);
	master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master == -1 || grantpt(master) == -1 || unlockpt(master) == -1 ||
	    (slave = open(ptsname(master), O_RDWR | O_NOCTTY)) == -1) {
		ok(1, "a terminal # SKIP no pseudo terminal");
		return;
	}
	fflush(stdout);
	put(slave, 0);
	put(slave, 1);
	is(inherit(&a, &word, 1, NULL, &why), 0, "a terminal taken");
	put(saved0, 0);
	put(saved1, 1);
	ok((fcntl(slave, F_GETFL) & O_NONBLOCK) == 0,
	    "the terminal's flags are left alone");
}

/* 0: a leaked descriptor is closed and what is needed is kept. */
static int
leaks(void)
{
	struct addr words[2];
	struct inherited a;
	struct error why;
	int l = listener(), leaked, high;

	put(l, 40);
	put(l, 44);
	leaked = fcntl(l, F_DUPFD, 42);
	high = fcntl(l, F_DUPFD, 80);
	memset(words, 0, sizeof(words));
	words[0].kind = words[1].kind = ADDR_FD;
	words[0].number = 40;
	words[1].number = 44;
	if (inherit(&a, words, 2, NULL, &why) == -1 || a.nlisteners != 2)
		return 1;
	inherit_close_others(&a);
	if (fcntl(leaked, F_GETFD) != -1 || fcntl(high, F_GETFD) != -1 ||
	    fcntl(l, F_GETFD) != -1)
		return 2;
	if (fcntl(40, F_GETFD) == -1 || fcntl(44, F_GETFD) == -1 ||
	    fcntl(2, F_GETFD) == -1)
		return 3;
	return 0;
}

#define NOTHING	\
	"64 nothing to listen on: expected -l LISTEN, or a socket from " \
	"systemd or inetd"

int
main(void)
{
	check("a shell, no -l", shell, "", NOTHING);
	check("pipes, no -l", pipes, "", NOTHING);
	check("closed descriptors", closed, "", NOTHING);
	check("closed descriptors as stdio", closed, "-",
	    "64 standard output is closed, or not open for writing");
	check("standard output is closed", closed_output, "-",
	    "64 standard output is closed, or not open for writing");
	check("standard output is for reading only", unwritable, "-",
	    "64 standard output is closed, or not open for writing");
	check("closed descriptors become /dev/null", closed, "127.0.0.1:0",
	    "1 listeners, no connection, peer '', null 111");
	check("two words", shell, "127.0.0.1:0 127.0.0.1:0",
	    "2 listeners, no connection, peer '', null 100");

	check("inetd nowait", inetd_nowait, "",
	    "0 listeners, one socket, peer '127.0.0.1:*', null 111, no stderr");
	check("inetd nowait, by word", inetd_nowait, "inetd",
	    "0 listeners, one socket, peer '127.0.0.1:*', null 111, no stderr");
	check("inetd nowait, as stdio", inetd_nowait, "-",
	    "0 listeners, one socket, peer '127.0.0.1:*', null 111, no stderr");
	check("inetd wait", inetd_wait, "",
	    "1 listeners, no connection, peer '', null 111, no stderr");
	check("inetd with a datagram socket", inetd_udp, "",
	    "71 descriptor 0: Protocol wrong type for socket");
	check("tcpserver: the socket knows better", tcpserver, "",
	    "0 listeners, one socket, peer '127.0.0.1:*', null 110");
	check("socat", socat, "",
	    "0 listeners, one socket, peer '[2001:db8::1]:555', null 110");
	check("TCPREMOTEIP comes first", first_wins, "",
	    "0 listeners, one socket, peer '192.0.2.9:999', null 110");
	check("a name is passed over, mapped is IPv4", not_numeric, "",
	    "0 listeners, one socket, peer '198.51.100.7:77', null 110");
	check("a bad port too", bad_port, "",
	    "0 listeners, one socket, peer '198.51.100.7:77', null 110");
	check("the peer is not known", unknown_peer, "",
	    "0 listeners, one socket, peer 'unix:', null 110");
	check("two pipes", pipes, "-",
	    "0 listeners, a pair, peer '', null 110");
	check("two pipes as inetd", pipes, "inetd",
	    "0 listeners, a pair, peer '', null 110");

	check("systemd Accept=yes", accept_yes, "",
	    "0 listeners, one socket, peer '127.0.0.1:*', null 100");
	check("the same, descriptor 2 is the socket", accept_yes_stderr, "",
	    "0 listeners, one socket, peer '127.0.0.1:*', null 101, no stderr");
	check("StandardInput=socket", standard_input_socket, "",
	    "0 listeners, one socket, peer '127.0.0.1:*', null 100");
	check("systemd Accept=no", accept_no, "",
	    "3 listeners, no connection, peer '', null 100");
	check("by name", accept_no, "systemd:web",
	    "2 listeners, no connection, peer '', null 100");
	check("by another name and an address", accept_no,
	    "systemd:ssh 127.0.0.1:0",
	    "2 listeners, no connection, peer '', null 100");
	check("by a wrong name", accept_no, "systemd:we",
	    "64 systemd has passed no socket named we: see "
	    "FileDescriptorName= in its .socket unit");
	check("extra listener by name, no word", accept_no, "+systemd:ssh",
	    "2 listeners, no connection, peer '', null 100, extra 1+0");
	check("extra listener by name, the rest", accept_no,
	    "systemd +systemd:ssh",
	    "2 listeners, no connection, peer '', null 100, extra 1+0");
	check("two extra listeners by name, one of two sockets", accept_no,
	    "127.0.0.1:0 +systemd:web +systemd:ssh",
	    "1 listeners, no connection, peer '', null 100, extra 2+1");
	check("extra listener that is the rest", accept_no,
	    "systemd:ssh +systemd",
	    "1 listeners, no connection, peer '', null 100, extra 2+0");
	check("extra listener that is opened later", accept_no,
	    "systemd +127.0.0.1:0 +systemd:ssh",
	    "2 listeners, no connection, peer '', null 100, extra 0+1");
	check("extra listeners by number", accept_no, "fd:3 +fd:4 +fd:5",
	    "1 listeners, no connection, peer '', null 100, extra 1+1");
	check("nothing is left", accept_no, "systemd +systemd:web +systemd:ssh",
	    "64 systemd has passed no other socket to this process: "
	    "start its .socket unit");
	check("too many for one extra listener", accept_no,
	    "127.0.0.1:0 +systemd",
	    "64 more than 2 listeners for one purpose");
	check("the same twice", accept_no, "systemd:ssh +systemd:ssh",
	    "64 descriptor 4 is to be listened on twice");
	check("the same number twice", accept_no, "fd:4 fd:4",
	    "64 descriptor 4 is to be listened on twice");
	check("extra listener by a wrong name", accept_no,
	    "fd:3 +systemd:we",
	    "64 systemd has passed no socket named we: see "
	    "FileDescriptorName= in its .socket unit");
	check("extra listener that is a connection", accept_yes,
	    "127.0.0.1:0 +fd:3",
	    "64 descriptor 3 is a connection, and no listener");
	check("meant for our parent", of_our_parent, "systemd",
	    "64 systemd has passed no socket to this process: start "
	    "its .socket unit");
	check("meant for our parent, no -l", of_our_parent, "", NOTHING);
	check("unused but ours", accept_no, "127.0.0.1:0",
	    "1 listeners, no connection, peer '', null 100");
	check("a bad number", nonsense, "systemd",
	    "64 systemd has passed no socket to this process: start "
	    "its .socket unit");

	check("fd:9, a connection that is descriptor 2 too", socket_at_9,
	    "fd:9",
	    "0 listeners, one socket, peer '127.0.0.1:*', null 101, no stderr");
	check("fd:61, a listener", two_kinds, "fd:61",
	    "1 listeners, no connection, peer '', null 100");
	check("a connection and a listener", two_kinds, "fd:60 fd:61",
	    "64 cannot serve a connection and a listener at once: leave "
	    "one --listen out");
	check("a listener and a connection", two_kinds, "fd:61 fd:60",
	    "64 a connection that was handed over must be the only one: "
	    "leave the other --listen out");
	check("not open", shell, "fd:70",
	    "71 descriptor 70: Bad file descriptor");
	check("a pipe", shell, "fd:2", "71 descriptor 2 is no socket: "
	    "expected one that listens or is connected");

	flags_of_others();
	is(run(leaks), 0, "leaked descriptors are closed");
	return done_testing();
}
