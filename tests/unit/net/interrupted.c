/* SPDX-License-Identifier: ISC */
/*
 * Calls that a signal interrupts are made again.  This program has its own
 * splice(2) and so on, which fail with EINTR every first time.
 *
 * If it fails: a signal ends a session, or a message between processes is lost.
 */
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "net/fdpass.h"
#include "net/io.h"
#include "net/socket.h"
#include "net/splice.h"
#include "tap.h"

#ifdef HAVE_LINUX

static int turn;

static int
interrupts(void)
{
	if (++turn % 2 == 0)
		return 0;
	errno = EINTR;
	return 1;
}

ssize_t
splice(int in, off64_t *in_at, int out, off64_t *out_at, size_t n,
    unsigned int flags)
{
	return interrupts() ? -1 : syscall(SYS_splice, in, in_at, out, out_at,
	    n, flags);
}

ssize_t
tee(int in, int out, size_t n, unsigned int flags)
{
	return interrupts() ? -1 : syscall(SYS_tee, in, out, n, flags);
}

ssize_t
readv(int fd, const struct iovec *iov, int n)
{
	return interrupts() ? -1 : syscall(SYS_readv, fd, iov, n);
}

ssize_t
writev(int fd, const struct iovec *iov, int n)
{
	return interrupts() ? -1 : syscall(SYS_writev, fd, iov, n);
}

ssize_t
sendmsg(int fd, const struct msghdr *m, int flags)
{
	return interrupts() ? -1 : syscall(SYS_sendmsg, fd, m, flags);
}

ssize_t
recvmsg(int fd, struct msghdr *m, int flags)
{
	return interrupts() ? -1 : syscall(SYS_recvmsg, fd, m, flags);
}

int
poll(struct pollfd *p, nfds_t n, int timeout)
{
	struct timespec ts = { timeout / 1000, timeout % 1000 * 1000000L };

	return interrupts() ? -1 : (int)syscall(SYS_ppoll, p, n, &ts, NULL, 8);
}

static void
test_splice(void)
{
	struct splice s = SPLICE_CLOSED, copy = SPLICE_CLOSED;
	char buf[16];
	struct iovec iov = { buf, sizeof(buf) };
	int fd[2], null = open("/dev/null", O_WRONLY);

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd);
	s.bulk = copy.bulk = 1;
	ok(splice_ready(&s, fd[0]) && splice_ready(&copy, fd[0]), "two pipes");
	is(write(fd[0], "1234567890", 10), 10, "some bytes");
	is(splice_from(&s, fd[1], 100), 10, "are moved into one");
	is(splice_both(&s, &copy, 10), 10, "are in the other one too");
	is(splice_read(&copy, &iov, 1), 10, "are read from there");
	ok(memcmp(buf, "1234567890", 10) == 0, "as they are");
	is(splice_to(&s, null, 10, 0), 10, "and are moved away");
	splice_close(&s);
	splice_close(&copy);
	close(fd[0]);
	close(fd[1]);
	close(null);
}

static void
test_sockets(void)
{
	char text[FDPASS_TEXT_MAX] = "";
	int fd[2], passed;

	fdpass_pair(fd);
	is(fdpass_send(fd[0], 'V', "text", fd[0]), 0, "a message is sent");
	is(fdpass_take(fd[1], text, &passed), 'V', "and taken");
	is_str(text, "text", "with its text");
	ok(passed != -1 && close(passed) == 0, "and its descriptor");
	is(net_is_reset(fd[0]), 0, "it is not reset");
	close(fd[0]);
	close(fd[1]);
}

/* An end of a tunnel is tried again by its loop, which looks at signals. */
static void
test_io(void)
{
	char buf[16];
	struct iovec iov = { buf, 1 };
	struct io io;
	int fd[2];

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd);
	io = io_of(fd[0]);
	turn = 0;
	is(io_writev(&io, &iov, 1), -1, "a write is interrupted");
	is(errno, EAGAIN, "and is to be tried again");
	is(io_writev(&io, &iov, 1), 1, "then it writes");
	io = io_of(fd[1]);
	is(io_readv(&io, &iov, 1), -1, "a read is interrupted");
	is(errno, EAGAIN, "and is to be tried again");
	is(io_readv(&io, &iov, 1), 1, "then it reads");
	turn = 1;
	is(io_readv(&io, &iov, 1), -1, "there is nothing");
	is(errno, EAGAIN, "it says so");
	close(fd[0]);
	turn = 1;
	errno = EINTR;
	is(io_readv(&io, &iov, 1), 0, "an end of file");
	is(errno, EINTR, "is no error");
	close(fd[1]);
}

int
main(void)
{
	test_splice();
	test_io();
	test_sockets();
	return done_testing();
}

#else

int
main(void)
{
	ok(1, "no splice(2) here # SKIP");
	return done_testing();
}

#endif
