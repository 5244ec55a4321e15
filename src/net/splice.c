/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "net/splice.h"

#define WANTED	1048576		/* bytes: capacity of the pipe */
#define WORTH	262144		/* with less there is no gain */
#define MANY	65536		/* bytes at once: moving begins */
#define FEW	16384		/* with less, SHORTS times in a row, it ends */
#define SHORTS	4

static int
interrupted(ssize_t n)
{
	return n == -1 && errno == EINTR;
}

#ifdef HAVE_LINUX

static int
open_pipe(struct splice *s)
{
	int p[2], size;

	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) == -1)
		return -1;
	size = fcntl(p[1], F_SETPIPE_SZ, WANTED);
	if (size == -1)
		size = fcntl(p[1], F_SETPIPE_SZ, WORTH);
	if (size == -1) {
		close(p[0]);
		close(p[1]);
		return -1;
	}
	s->r = p[0];
	s->w = p[1];
	s->size = size;
	return 0;
}

/*
 * Can bytes be moved to it?  To sockets and pipes always; a file that is
 * appended to, some devices and file systems take none.  Not by fstat(2),
 * which the sandbox keeps: it takes names, too.
 */
static int
takes(int fd)
{
	socklen_t len = sizeof(int);
	int type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 ||
	    fcntl(fd, F_GETPIPE_SZ) > 0;
}

ssize_t
splice_from(struct splice *s, int fd, size_t max)
{
	ssize_t n;

	do
		n = splice(fd, NULL, s->w, NULL, max < s->size ? max : s->size,
		    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	while (interrupted(n));
	if (n > 0)
		s->held += n;
	else if (n == 0 || errno == EINVAL)
		s->refused = 1;
	return n;
}

ssize_t
splice_to(struct splice *s, int fd, size_t max, int more)
{
	ssize_t n;

	do
		n = splice(s->r, NULL, fd, NULL, max, SPLICE_F_MOVE |
		    SPLICE_F_NONBLOCK | (more ? SPLICE_F_MORE : 0));
	while (interrupted(n));
	if (n > 0)
		s->held -= n;
	return n;
}

ssize_t
splice_both(struct splice *s, struct splice *copy, size_t max)
{
	ssize_t n;

	do
		n = tee(s->r, copy->w, max, SPLICE_F_NONBLOCK);
	while (interrupted(n));
	if (n > 0)
		copy->held += n;
	return n;
}

#else

static int
takes(int fd)
{
	return 0;
}

static int
open_pipe(struct splice *s)
{
	errno = ENOSYS;
	return -1;
}

ssize_t
splice_from(struct splice *s, int fd, size_t max)
{
	errno = ENOSYS;
	return -1;
}

ssize_t
splice_to(struct splice *s, int fd, size_t max, int more)
{
	errno = ENOSYS;
	return -1;
}

ssize_t
splice_both(struct splice *s, struct splice *copy, size_t max)
{
	errno = ENOSYS;
	return -1;
}

#endif

ssize_t
splice_read(struct splice *s, const struct iovec *iov, int n)
{
	ssize_t got;

	do
		got = readv(s->r, iov, n);
	while (interrupted(got));
	if (got > 0)
		s->held -= got;
	return got;
}

void
splice_saw(struct splice *s, size_t n)
{
	s->shorts = n < FEW ? s->shorts + 1 : 0;
	if (n >= MANY)
		s->bulk = 1;
	else if (s->shorts >= SHORTS)
		s->bulk = 0;
}

int
splice_ready(struct splice *s, int to)
{
	if (!s->bulk || s->refused)
		return 0;
	if (s->r == -1 && (!takes(to) || open_pipe(s) == -1))
		s->refused = 1;
	return !s->refused;
}

void
splice_close(struct splice *s)
{
	if (s->r != -1) {
		close(s->r);
		close(s->w);
	}
	s->r = s->w = -1;
	s->held = 0;
	s->bulk = 0;
}
