/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <poll.h>

#include "net/deadline_io.h"
#include "os/clock.h"
#include "os/signals.h"

int
deadline_wait(const struct io *io, int for_write, int64_t deadline)
{
	struct pollfd p[2] = {
		{ .fd = io->rfd }, { .fd = io->wfd }
	};

	io_events(io, !for_write, for_write, &p[0].events, &p[1].events);
	/* poll(2) tells of errors and hang-ups unasked: not of both. */
	if (p[0].events == 0)
		p[0].fd = -1;
	if (p[1].events == 0)
		p[1].fd = -1;
	return signals_wait(p, 2, deadline) == -1 ? -1 : 0;
}

/*
 * A request is there, mostly, when a process for it has been made, so a socket
 * is polled only after EAGAIN; what is no socket is polled first, since an
 * inherited pipe or terminal may be blocking.
 */
ssize_t
deadline_read(struct io *io, void *dst, size_t size, int64_t deadline)
{
	struct iovec iov = { dst, size };
	ssize_t n;

	if (clock_ms() > deadline) {
		errno = ETIMEDOUT;
		return -1;
	}
	for (;;) {
		if (io->rfd != io->wfd && !io_pending(io) &&
		    deadline_wait(io, 0, deadline) == -1)
			return -1;
		n = io_readv(io, &iov, 1);
		if (n != -1 || errno != EAGAIN)
			return n;
		if (deadline_wait(io, 0, deadline) == -1)
			return -1;
	}
}

/*
 * There nearly always is room, so a socket is polled only after EAGAIN; what is
 * no socket is polled first, since a terminal would block.
 */
int
deadline_write(struct io *io, const void *src, size_t len, int64_t deadline)
{
	struct iovec iov = { (void *)(uintptr_t)src, len };
	ssize_t n;

	while (iov.iov_len > 0) {
		if (io->rfd != io->wfd && deadline_wait(io, 1, deadline) == -1)
			return -1;
		n = io_writev(io, &iov, 1);
		if (n == -1 && (errno != EAGAIN ||
		    deadline_wait(io, 1, deadline) == -1))
			return -1;
		if (n > 0) {
			iov.iov_base = (char *)iov.iov_base + n;
			iov.iov_len -= n;
		}
	}
	return 0;
}

int
deadline_finish(struct io *io, int64_t deadline)
{
	int r;

	while ((r = io_finish(io)) == -1 && errno == EAGAIN &&
	    deadline_wait(io, 1, deadline) == 0)
		;
	return r;
}
