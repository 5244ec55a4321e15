/* SPDX-License-Identifier: ISC */
/*
 * How far the next hop has to get for what was written by now.
 *
 * If it fails: a peer that pings keeps a tunnel open that is to end, or what it
 * had still to take is lost.
 */
#include <sys/socket.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "net/socket.h"
#include "tap.h"

static int near, far;

static void
begin(int accepts)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM, 0), small = 16384;
	int dialled = socket(AF_INET, SOCK_STREAM, 0), accepted = -1;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	setsockopt(dialled, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (bind(fd, (struct sockaddr *)&sin, len) == 0 &&
	    listen(fd, 1) == 0 &&
	    getsockname(fd, (struct sockaddr *)&sin, &len) == 0 &&
	    connect(dialled, (struct sockaddr *)&sin, len) == 0)
		accepted = accept(fd, NULL, NULL);
	close(fd);
	setsockopt(dialled, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	setsockopt(accepted, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	near = accepts ? accepted : dialled;
	far = accepts ? dialled : accepted;
	fcntl(near, F_SETFL, O_NONBLOCK);
}

/* What the connection takes while nothing is read at its other end. */
static size_t
fill(void)
{
	static char bytes[65536];
	size_t all = 0;
	ssize_t n;

	while ((n = write(near, bytes, sizeof(bytes))) > 0)
		all += (size_t)n;
	return all;
}

static void
drain(size_t n)
{
	static char bytes[65536];
	struct pollfd p = { .fd = far, .events = POLLIN };
	ssize_t got;

	while (n > 0 && poll(&p, 1, 10000) == 1 &&
	    (got = read(far, bytes, n < sizeof(bytes) ? n :
	    sizeof(bytes))) > 0)
		n -= (size_t)got;
}

static ssize_t
write_soon(const char *bytes, size_t n)
{
	struct pollfd p = { .fd = near, .events = POLLOUT };

	return poll(&p, 1, 10000) == 1 ? write(near, bytes, n) : -1;
}

static void
test(int accepts)
{
	uint64_t end;
	size_t n;
	int i;

	begin(accepts);
	n = fill();
	end = net_written(near);
	ok(n > 8192 && end >= n && end <= n + 2,
	    "%s: to the end of what was written (%llu of %zu)",
	    accepts ? "accepted" : "dialled", (unsigned long long)end, n);
	ok(net_acknowledged(near) < end, "which is not there yet");
	drain(n - n / 4);
	ok(net_written(near) == end, "it is as far when most is read");
	is(write_soon("later", 5), 5, "(more is written)");
	ok(net_written(near) == end + 5, "what is written later is beyond");
	drain(n / 4 + 5);
	for (i = 0; i < 1000 && net_unacknowledged(near); i++)
		poll(NULL, 0, 10);
	ok(net_acknowledged(near) >= end, "then it has been reached");
	close(near);
	close(far);
}

int
main(void)
{
#if !defined(__linux__) || defined(COMPAT_ALL)
	puts("1..0 # skip only Linux is asked");
	return 0;
#else
	begin(0);
	if (net_written(near) == UINT64_MAX) {
		is(write(near, "x", 1), 1, "(a byte)");
		if (net_written(near) == UINT64_MAX) {
			puts("1..1 # this system does not tell");
			return 0;
		}
	}
	close(near);
	close(far);
	test(0);
	test(1);
	return done_testing();
#endif
}
