/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <unistd.h>

#include "net/io.h"
#include "net/socket.h"
#include "os/fd.h"
#include "tls/tls.h"

struct io
io_of(int fd)
{
	return (struct io){ .rfd = fd, .wfd = fd, .tls = NULL };
}

/*
 * A terminal is never made non-blocking, so a call on it may be interrupted
 * by a signal; the caller's loop is where signals are looked at.
 */
static ssize_t
result(ssize_t n)
{
	if (n == -1 && (errno == EINTR || errno == EWOULDBLOCK))
		errno = EAGAIN;
	return n;
}

ssize_t
io_readv(struct io *io, const struct iovec *iov, int n)
{
	if (io->tls != NULL)
		return tls_readv(io->tls, iov, n);
	return result(readv(io->rfd, iov, n));
}

ssize_t
io_writev(struct io *io, const struct iovec *iov, int n)
{
	if (io->tls != NULL)
		return tls_writev(io->tls, iov, n, 0);
	return result(writev(io->wfd, iov, n));
}

ssize_t
io_writev_more(struct io *io, const struct iovec *iov, int n)
{
	if (io->tls != NULL)
		return tls_writev(io->tls, iov, n, 1);
#ifdef HAVE_LINUX
	struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)iov,
	    .msg_iovlen = n };
	ssize_t put;

	put = sendmsg(io->wfd, &m, MSG_MORE);
	if (put != -1 || errno != ENOTSOCK)
		return result(put);
#endif
	return io_writev(io, iov, n);
}

/*
 * Two descriptors may still be one socket (socat and inetd duplicate it), of
 * which closing one would tell the peer nothing: so a socket is shut down
 * first, and what is no socket is closed if it is not read from as well.
 */
int
io_finish(struct io *io)
{
	int r;

	if (io->wfd == -1)
		return 0;
	if (io->tls != NULL && tls_finish(io->tls) == -1)
		return -1;
	r = shutdown(io->wfd, SHUT_WR);
	if (r == -1 && errno == ENOTSOCK)
		r = 0;
	if (r == 0 && io->wfd != io->rfd) {
		net_linger_default(io->wfd);
		r = fd_close(io->wfd);
		io->wfd = -1;
	}
	return r;
}

int
io_pending(const struct io *io)
{
	return io->tls != NULL && tls_pending(io->tls);
}

int
io_moves_from(const struct io *io)
{
	return io->tls == NULL || ktls_receives(io->tls);
}

int
io_moves_to(const struct io *io)
{
	return io->tls == NULL || ktls_sends(io->tls);
}

void
io_events(const struct io *io, int want_read, int want_write, short *rev,
    short *wev)
{
	short events;

	if (io->tls != NULL) {
		tls_events(io->tls, want_read, want_write, &events);
		*rev = (short)(events & POLLIN);
		*wev = (short)(events & POLLOUT);
		return;
	}
	*rev = want_read ? POLLIN : 0;
	*wev = want_write ? POLLOUT : 0;
}

void
io_close(struct io *io)
{
	if (io->tls != NULL)
		tls_free(io->tls);
	if (io->rfd != -1)
		close(io->rfd);
	if (io->wfd != -1 && io->wfd != io->rfd)
		close(io->wfd);
	*io = IO_CLOSED;
}

void
io_bye(struct io *io)
{
	if (io->tls != NULL)
		(void)!tls_finish(io->tls);
	io_close(io);
}

void
io_end(struct io *io)
{
	if (io->rfd != -1)
		net_linger_default(io->rfd);
	if (io->wfd != -1 && io->wfd != io->rfd)
		net_linger_default(io->wfd);
	io_close(io);
}

void
io_reset(struct io *io)
{
	if (io->rfd != -1)
		net_linger_reset(io->rfd);
	if (io->wfd != -1 && io->wfd != io->rfd)
		net_linger_reset(io->wfd);
	io_close(io);
}
