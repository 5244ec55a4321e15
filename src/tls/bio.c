/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "tls/bio.h"
#include "tls/tls.h"

/* As a socket BIO: EAGAIN sets a retry flag, an end of file another one. */
static int
outcome(BIO *bio, ssize_t n, int retry)
{
	BIO_clear_retry_flags(bio);
	if (n == 0)
		BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
	if (n == -1 && errno == EAGAIN)
		BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
	return (int)n;
}

static int
read_outer(BIO *bio, char *dst, int size)
{
	struct iovec iov = { dst, size };

	return outcome(bio, tls_readv(BIO_get_data(bio), &iov, 1),
	    BIO_FLAGS_READ);
}

static int
write_outer(BIO *bio, const char *src, int len)
{
	struct iovec iov = { (void *)(uintptr_t)src, len };

	return outcome(bio, tls_writev(BIO_get_data(bio), &iov, 1, 0),
	    BIO_FLAGS_WRITE);
}

static long
control(BIO *bio, int what, long number, void *p)
{
	switch (what) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_EOF:
		return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
	default:
		return 0;
	}
}

BIO *
bio_over_tls(BIO_METHOD **method, struct tls *tls)
{
	BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "TLS in TLS");
	BIO *bio;

	*method = m;
	if (m == NULL || BIO_meth_set_read(m, read_outer) != 1 ||
	    BIO_meth_set_write(m, write_outer) != 1 ||
	    BIO_meth_set_ctrl(m, control) != 1 || (bio = BIO_new(m)) == NULL)
		return NULL;
	BIO_set_data(bio, tls);
	BIO_set_init(bio, 1);
	return bio;
}
