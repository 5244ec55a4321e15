/* SPDX-License-Identifier: ISC */
/*
 * In the place of src/net/splice.c: nothing is moved, all is copied.  For
 * measuring what moving pays, and for nothing else.
 */
#include <errno.h>

#include "net/splice.h"

void
splice_saw(struct splice *s, size_t n)
{
}

int
splice_ready(struct splice *s, int to)
{
	return 0;
}

void
splice_close(struct splice *s)
{
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

ssize_t
splice_read(struct splice *s, const struct iovec *iov, int n)
{
	errno = ENOSYS;
	return -1;
}
