/* SPDX-License-Identifier: ISC */
/*
 * One call of OpenSSL that may read.  It reads on by itself as long as there is
 * more, and a peer may send what is no data for ever: HelloRequest (RFC 5246
 * 7.4.1.1), tickets and new keys (RFC 8446 4.6).  So a step has some reads only;
 * then it wants to read, and signals and times are looked at before the next.
 */
#include <errno.h>

#include "tls/internal.h"

#define STEP_READS	3	/* of a record's size at most */

static long
count_read(BIO *bio, int what, const char *dst, size_t size, int i, long l,
    int result, size_t *done)
{
	struct tls *t = (void *)BIO_get_callback_arg(bio);

	if (what != BIO_CB_READ || t->reads++ < STEP_READS)
		return result;
	BIO_set_retry_read(bio);
	return -1;
}

void
step_limit(struct tls *t)
{
	BIO *bio = SSL_get_rbio(t->ssl);

	BIO_set_callback_arg(bio, (char *)t);
	BIO_set_callback_ex(bio, count_read);
}

void
step_begin(struct tls *t)
{
	t->reads = 0;
	ERR_clear_error();
	errno = 0;
}

int
step_was_cut(const struct tls *t)
{
	return t->reads > STEP_READS;
}
