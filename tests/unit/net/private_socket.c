/* SPDX-License-Identifier: ISC */
/*
 * Sockets by which processes of one user find each other: their flags, and how
 * long one waits for another.
 *
 * If it fails: a session is not handed over, or a program as target gets its
 * socket.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/private_socket.h"
#include "os/clock.h"
#include "tap.h"

static int
is_private(int fd)
{
	return fd > STDERR_FILENO && (fcntl(fd, F_GETFD) & FD_CLOEXEC) &&
	    (fcntl(fd, F_GETFL) & O_NONBLOCK);
}

int
main(void)
{
	char name[64], other[64], c = 0;
	int listener, to[16], from, n;
	int64_t begun;

	snprintf(name, sizeof(name), "test-%d", (int)getpid());
	snprintf(other, sizeof(other), "test-%d-other", (int)getpid());
	errno = 0;
	is(private_socket_connect(name, clock_ms() + 100), -1, "nobody is there");
	ok(errno == ECONNREFUSED || errno == ENOENT, "it says so");
	listener = private_socket_listen(name);
	ok(is_private(listener), "a listener that no program gets");
	is(private_socket_listen(name), -1, "of one name there is one");
	is(errno, EADDRINUSE, "it says so");
	is(private_socket_accept(listener), -1, "nobody has come");
	is(errno, EAGAIN, "nor does it wait");
	is(private_socket_connect(other, clock_ms() + 100), -1,
	    "another name leads nowhere");

	to[0] = private_socket_connect(name, clock_ms() + 10000);
	ok(is_private(to[0]), "a connection");
	from = private_socket_accept(listener);
	ok(is_private(from), "both ends of it");
	is(write(to[0], "x", 1), 1, "a byte is sent");
	ok(read(from, &c, 1) == 1 && c == 'x', "and comes");
	is(read(from, &c, 1), -1, "there is no other");
	is(errno, EAGAIN, "nor does it wait");
	close(from);
	close(to[0]);

	/* Connections that nobody takes. */
	for (n = 0; n < 16; n++)
		if ((to[n] = private_socket_connect(name, clock_ms() + 20)) == -1)
			break;
	ok(n > 0 && n < 16, "a full queue (%d)", n);
	is(errno, ETIMEDOUT, "it says so");
	begun = clock_ms();
	is(private_socket_connect(name, begun + 50), -1, "one more waits");
	ok(clock_ms() >= begun + 40, "for as long as it may");
	from = private_socket_accept(listener);
	close(from);
	ok(is_private(to[n] = private_socket_connect(name, clock_ms() + 10000)),
	    "where one was taken there is room again");
	for (; n >= 0; n--)
		close(to[n]);
	private_socket_close(listener, name);
	listener = private_socket_listen(name);
	ok(is_private(listener), "a name may be used again");
	private_socket_close(listener, name);
	return done_testing();
}
