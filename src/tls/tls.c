/* SPDX-License-Identifier: ISC */
/*
 * A connection after its handshake: reading and writing.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "os/clock.h"
#include "tls/internal.h"
#include "tls/openssl.h"

#define RECORD_MAX	16384	/* RFC 8446 5.1 */
#define RECORD_FIRST	1360	/* fits a packet, headers and tag included */
#define IDLE_MS		1000	/* of silence: begin anew */
#define DIRECT_MIN	4096	/* pieces from here on are not copied */

struct tls *
tls_of(const SSL *ssl)
{
	return SSL_get_app_data(ssl);
}

/*
 * The result of an OpenSSL call that moved no bytes: 0 at the peer's
 * close_notify, -1 with errno otherwise.  If there may be more to read in the
 * outer connection, which poll(2) does not know, it need not be waited for.
 */
static int
outcome(struct tls *t, int r, short *needs)
{
	int e = errno;

	switch (SSL_get_error(t->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		*needs = POLLIN;
		if (t->outer != NULL && step_was_cut(t))
			*needs |= POLLOUT;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_WANT_WRITE:
		*needs = POLLOUT;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		errno = e != 0 ? e : EPROTO;
		return -1;
	default:
		t->code = ERR_peek_error();
		errno = EPROTO;
		return -1;
	}
}

static ssize_t
ask(struct tls *t, void *buf, size_t len)
{
	size_t got;
	int r;

	step_begin(t);
	r = SSL_read_ex(t->ssl, buf, len, &got);
	if (ktls_stuck(t)) {
		t->read_error = t->write_error = errno = EPROTO;
		return r == 1 ? (ssize_t)got : -1;
	}
	if (r == 1) {
		t->read_needs = POLLIN;
		return (ssize_t)got;
	}
	return outcome(t, r, &t->read_needs);
}

/*
 * One record, or what the kernel has.  A failure lasts: OpenSSL must not be
 * asked again.
 */
static ssize_t
read_some(struct tls *t, void *buf, size_t len)
{
	ssize_t n;

	if (t->read_error != 0) {
		errno = t->read_error;
		return -1;
	}
	if ((n = ktls_read(t, buf, len)) == KTLS_NOT)
		n = ask(t, buf, len);
	t->drained = n <= 0;
	if (n == -1 && errno != EAGAIN)
		t->read_error = t->write_error = errno;
	return n;
}

/*
 * Fills the pieces for as long as there are records.  An end or error found
 * behind bytes is kept for the next call, and tls_pending() tells of it.
 */
ssize_t
tls_readv(struct tls *t, const struct iovec *iov, int n)
{
	size_t total = 0, off;
	ssize_t got;

	t->due = 0;
	for (; n > 0; iov++, n--)
		for (off = 0; off < iov->iov_len; off += got) {
			got = read_some(t, (char *)iov->iov_base + off,
			    iov->iov_len - off);
			if (got > 0) {
				total += got;
				continue;
			}
			if (total == 0)
				return got;
			t->due = got == 0 || errno != EAGAIN;
			return (ssize_t)total;
		}
	t->due = t->read_error != 0;
	return (ssize_t)total;
}

/*
 * The bytes of the next record: a large piece as it lies there, small ones
 * put together, so that a frame's header and payload travel in one record
 * and one segment.  A write that would have blocked is repeated in its size.
 * The kernel makes full records by itself, of as much as there is.
 */
static const void *
next_record(const struct tls *t, const struct iovec *iov, int n, size_t off,
    size_t *len)
{
	static unsigned char together[RECORD_MAX];
	const char *first = (const char *)iov->iov_base + off;
	size_t have = iov->iov_len - off, part;
	size_t want = t->repeat != 0 ? t->repeat : t->record;

	if (n == 1 || have >= want || (t->repeat == 0 && have >= DIRECT_MIN)) {
		*len = have < want || (t->kernel_sends && want == RECORD_MAX) ?
		    have : want;
		return first;
	}
	for (*len = 0; n > 0 && *len < want; iov++, n--, off = 0) {
		part = iov->iov_len - off;
		if (part > want - *len)
			part = want - *len;
		memcpy(together + *len, (const char *)iov->iov_base + off,
		    part);
		*len += part;
	}
	return together;
}

/* A write or close_notify failed: -1 with errno, which lasts unless EAGAIN. */
static int
write_failed(struct tls *t, int r)
{
	if (outcome(t, r, &t->write_needs) == 0)
		errno = EPROTO;
	if (errno != EAGAIN)
		t->write_error = errno;
	return -1;
}

/* Into the kernel. */
static ssize_t
hand_over(struct tls *t, const void *buf, size_t len, int more)
{
	ssize_t n = ktls_write(t, buf, len, more);

	if (n == -1 && errno != EAGAIN)
		t->write_error = errno;
	return n;
}

/* One record at most, or what the kernel takes. */
static ssize_t
write_some(struct tls *t, const void *buf, size_t len, int more)
{
	size_t put;
	int r;

	if (t->write_error != 0) {
		errno = t->write_error;
		return -1;
	}
	if (t->kernel_sends)
		return hand_over(t, buf, len, more);
	step_begin(t);
	if ((r = SSL_write_ex(t->ssl, buf, len, &put)) == 1) {
		t->repeat = 0;
		t->write_needs = POLLOUT;
		return (ssize_t)put;
	}
	if (write_failed(t, r) == -1 && errno == EAGAIN)
		t->repeat = len;
	return -1;
}

/* A record that was filled lets the next one be longer. */
static void
grow(struct tls *t, size_t written)
{
	if (written < t->record)
		return;
	t->record += RECORD_FIRST;
	if (t->record > RECORD_MAX)
		t->record = RECORD_MAX;
}

ssize_t
tls_writev(struct tls *t, const struct iovec *iov, int n, int more)
{
	size_t total = 0, off = 0, len;
	int64_t now = clock_ms();
	const void *record;
	ssize_t put;

	if (t->record == 0 || now - t->wrote_at >= IDLE_MS)
		t->record = t->is_outer ? RECORD_MAX : RECORD_FIRST;
	t->wrote_at = now;
	for (;;) {
		for (; n > 0 && off >= iov->iov_len; iov++, n--)
			off -= iov->iov_len;
		if (n == 0)
			return (ssize_t)total;
		record = next_record(t, iov, n, off, &len);
		if ((put = write_some(t, record, len, more)) == -1)
			return total > 0 ? (ssize_t)total : -1;
		grow(t, put);
		total += put;
		off += put;
	}
}

/* Sends close_notify.  0, or -1 with errno. */
static int
notify(struct tls *t)
{
	int r;

	if (t->write_error != 0) {
		errno = t->write_error;
		return -1;
	}
	step_begin(t);
	if ((r = SSL_shutdown(t->ssl)) < 0)
		return write_failed(t, r);
	t->finished = 1;
	return 0;
}

int
tls_finish(struct tls *t)
{
	if (!t->finished && notify(t) == -1)
		return -1;
	return t->outer == NULL ? 0 : tls_finish(t->outer);
}

/*
 * With read-ahead OpenSSL may hold a part of a record, which only more bytes
 * from the socket make readable: after a read that wanted more, poll(2) tells.
 */
int
tls_pending(const struct tls *t)
{
	return t->due || (!t->drained && (SSL_has_pending(t->ssl) ||
	    (t->outer != NULL && tls_pending(t->outer))));
}

void
tls_events(const struct tls *t, int want_read, int want_write, short *events)
{
	*events = (short)((want_read ? t->read_needs : 0) |
	    (want_write ? t->write_needs : 0));
	if (t->outer != NULL)
		tls_events(t->outer, *events & POLLIN, *events & POLLOUT,
		    events);
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	BIO_meth_free(t->method);
	tls_free(t->outer);
	OPENSSL_free(t);
}

const char *
tls_describe(const struct tls *t, char *dst, size_t size)
{
	snprintf(dst, size, "%s %s%s, ktls=%s", SSL_get_version(t->ssl),
	    SSL_get_cipher_name(t->ssl),
	    SSL_session_reused(t->ssl) ? ", resumed" : "",
	    ktls_word(t));
	return dst;
}
