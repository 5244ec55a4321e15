/* SPDX-License-Identifier: ISC */
/*
 * If it fails: bytes at an end of a tunnel are lost, or a reset looks like an
 * end.
 */
#include <sys/socket.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "net/dial.h"
#include "net/io.h"
#include "net/socket.h"
#include "os/clock.h"
#include "tap.h"

static ssize_t
put(struct io *io, const char *text)
{
	struct iovec iov = { (void *)text, strlen(text) };

	return io_writev(io, &iov, 1);
}

static ssize_t
get(struct io *io, char *buf, size_t size)
{
	struct iovec iov = { buf, size };

	return io_readv(io, &iov, 1);
}

/* Two ends of a TCP connection on the loopback. */
static void
tcp_pair(int fd[2])
{
	struct sockaddr_storage ss;
	struct pollfd p = { .events = POLLIN };
	struct addr a;
	struct error why;
	char peer[NET_NAME_MAX];
	socklen_t len;
	int l[2];

	memset(&a, 0, sizeof(a));
	strlcpy(a.host, "127.0.0.1", sizeof(a.host));
	fd[0] = fd[1] = -1;
	if (net_listen(&a, 8, l, &why) != 1)
		return;
	len = sizeof(ss);
	getsockname(l[0], (struct sockaddr *)&ss, &len);
	a.port = ntohs(((struct sockaddr_in *)&ss)->sin_port);
	fd[0] = net_dial(&a, NET_ANY, clock_ms() + 5000, peer, &why);
	p.fd = l[0];
	poll(&p, 1, 5000);
	fd[1] = net_accept(l[0], &ss, &len);
	close(l[0]);
}

/* Waits until there is something to read, or 5 s. */
static void
readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	poll(&p, 1, 5000);
}

static void
test_socket(void)
{
	struct iovec iov[2];
	struct io a, b;
	char buf[16], buf2[16];
	short rev, wev;
	int fd[2];

	tcp_pair(fd);
	a = io_of(fd[0]);
	b = io_of(fd[1]);
	is(get(&a, buf, sizeof(buf)), -1, "nothing there yet");
	is(errno, EAGAIN, "is EAGAIN");
	iov[0] = (struct iovec){ (char *)"he", 2 };
	iov[1] = (struct iovec){ (char *)"llo", 3 };
	is(io_writev(&a, iov, 2), 5, "two pieces written");
	readable(b.rfd);
	iov[0] = (struct iovec){ buf, 4 };
	iov[1] = (struct iovec){ buf2, 4 };
	is(io_readv(&b, iov, 2), 5, "and read into two others");
	ok(memcmp(buf, "hell", 4) == 0 && buf2[0] == 'o', "as they were");
	is(io_pending(&b), 0, "plain sockets hide nothing");

	io_events(&a, 1, 0, &rev, &wev);
	ok(rev == POLLIN && wev == 0, "events to read");
	io_events(&a, 0, 1, &rev, &wev);
	ok(rev == 0 && wev == POLLOUT, "events to write");

	is(io_finish(&a), 0, "finish");
	ok(a.wfd == a.rfd && a.wfd != -1, "a socket stays open");
	readable(b.rfd);
	is(get(&b, buf, sizeof(buf)), 0, "the other side sees the end");
	is(put(&b, "late"), 4, "and still writes");
	readable(a.rfd);
	is(get(&a, buf, sizeof(buf)), 4, "which still arrives");
	is(put(&a, "x"), -1, "nothing can be written after finish");
	is(errno, EPIPE, "is EPIPE");

	io_close(&a);
	ok(a.rfd == -1 && a.wfd == -1 && a.tls == NULL, "close forgets");
	readable(b.rfd);
	is(get(&b, buf, sizeof(buf)), 0, "close is a clean end");
	io_close(&b);
	io_close(&b);
}

static void
test_reset(void)
{
	struct io a, b;
	char buf[8];
	int fd[2];

	tcp_pair(fd);
	a = io_of(fd[0]);
	b = io_of(fd[1]);
	is(net_is_reset(b.rfd), 0, "not reset yet");
	put(&a, "lost");
	io_reset(&a);
	is(a.rfd, -1, "reset closes");
	readable(b.rfd);
	is(net_is_reset(b.rfd), 1, "the other side is reset");
	is(net_is_reset(b.rfd), 1, "which asking does not consume");
	while (get(&b, buf, sizeof(buf)) > 0)
		;
	is(errno, ECONNRESET, "and reading says so");
	io_close(&b);
}

static void
test_pipes(void)
{
	int to[2], from[2];
	struct io a;
	char buf[8];

	if (pipe2(to, O_NONBLOCK) == -1 || pipe2(from, O_NONBLOCK) == -1)
		return;
	a = (struct io){ .rfd = from[0], .wfd = to[1], .tls = NULL };
	is(put(&a, "abc"), 3, "write to a pipe");
	is(read(to[0], buf, sizeof(buf)), 3, "arrives");
	is(io_finish(&a), 0, "finish of a pipe");
	is(a.wfd, -1, "closes it");
	is(read(to[0], buf, sizeof(buf)), 0, "which is the end");
	is(io_finish(&a), 0, "once is enough");
	is(write(from[1], "de", 2), 2, "the other direction lives");
	is(get(&a, buf, sizeof(buf)), 2, "and is read");
	close(from[1]);
	is(get(&a, buf, sizeof(buf)), 0, "to its end");
	io_reset(&a);
	is(a.rfd, -1, "pipes can be reset, that is closed");
	close(to[0]);
}

/* One socket as two descriptors, as inetd and socat hand it over. */
static void
test_duplicate(void)
{
	struct io a;
	char buf[8];
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == -1)
		return;
	a = (struct io){ .rfd = fd[0], .wfd = dup(fd[0]), .tls = NULL };
	is(io_finish(&a), 0, "finish of a duplicated socket");
	is(read(fd[1], buf, sizeof(buf)), 0, "is seen although one is open");
	is(write(fd[1], "x", 1), 1, "the other direction lives");
	is(get(&a, buf, sizeof(buf)), 1, "and is read");
	io_close(&a);
	close(fd[1]);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	test_socket();
	test_reset();
	test_pipes();
	test_duplicate();
	return done_testing();
}
