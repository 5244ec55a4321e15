/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "os/clock.h"
#include "os/io.h"
#include "os/signals.h"
#include "os/tls.h"
#include "os/tls_below.h"
#include "os/tls_cert.h"
#include "os/tls_trust.h"
#include "proto/addr.h"

#define RECORD_MAX	16384	/* RFC 8446 5.1 */
#define DIRECT_MIN	4096	/* pieces from here on are not copied */

struct tls_ctx {
	SSL_CTX *ssl;
	int insecure;
};

struct tls {
	SSL *ssl;
	struct tls *below;	/* whose stream ours travels in, or NULL */
	BIO_METHOD *method;	/* how it does */
	short read_needs;	/* poll(2) event the last read waits for */
	short write_needs;	/* the same for the last write or finish */
	size_t repeat;		/* size of the write that must be repeated */
	int read_error;		/* errno of every further read, 0: none */
	int write_error;	/* the same for writes */
	unsigned int drained : 1;	/* the last read wanted more */
	unsigned int due : 1;	/* end or error found behind bytes returned */
	unsigned int finished : 1;	/* close_notify is out */
};

/* What a verify callback needs to know; lives as long as the handshake. */
struct handshake {
	const char *host;
	struct why *why;
};

/*
 * SSL_OP_IGNORE_UNEXPECTED_EOF would take a cut stream for a whole one.  An
 * authority given by --cacert need not be a root: partial chains will do.
 */
static int
configure(SSL_CTX *ssl)
{
	static const unsigned char alpn[] = "\x08http/1.1";

	SSL_CTX_clear_options(ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(ssl, 1);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ssl),
	    X509_V_FLAG_PARTIAL_CHAIN);
	if (SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_alpn_protos(ssl, alpn, sizeof(alpn) - 1) != 0)
		return -1;
	return 0;
}

struct tls_ctx *
tls_client_ctx(const struct tls_options *o, struct why *why)
{
	struct tls_ctx *ctx;

	ERR_clear_error();
	if ((ctx = OPENSSL_zalloc(sizeof(*ctx))) == NULL ||
	    (ctx->ssl = SSL_CTX_new(TLS_client_method())) == NULL ||
	    configure(ctx->ssl) == -1) {
		why_set(why, EXIT_SYSTEM, "OpenSSL: %s", tls_reason());
		tls_ctx_free(ctx);
		return NULL;
	}
	ctx->insecure = o->insecure;
	if (!o->insecure &&
	    tls_trust(SSL_CTX_get_cert_store(ctx->ssl), o, why) == -1) {
		tls_ctx_free(ctx);
		return NULL;
	}
	return ctx;
}

void
tls_ctx_free(struct tls_ctx *ctx)
{
	if (ctx == NULL)
		return;
	SSL_CTX_free(ctx->ssl);
	OPENSSL_free(ctx);
}

/* The first objection ends the handshake, so it is the one that is told. */
static int
verify(int good, X509_STORE_CTX *store)
{
	struct handshake *h;
	SSL *ssl;

	if (good)
		return 1;
	ssl = X509_STORE_CTX_get_ex_data(store,
	    SSL_get_ex_data_X509_STORE_CTX_idx());
	h = SSL_get_app_data(ssl);
	tls_cert_refused(store, h->host, h->why);
	return 0;
}

/*
 * The host as certificates and SNI have it (RFC 6066 3): no brackets, zone
 * or final dot.
 */
static void
bare_host(char *dst, size_t size, const char *host)
{
	size_t len;

	if (host[0] == '[')
		host++;
	strlcpy(dst, host, size);
	if (strchr(dst, ':') != NULL)
		dst[strcspn(dst, "]%")] = '\0';
	len = strlen(dst);
	if (len > 0 && dst[len - 1] == '.')
		dst[len - 1] = '\0';
}

static int
is_address(const char *host)
{
	struct in6_addr bin;

	return inet_pton(AF_INET, host, &bin) == 1 ||
	    inet_pton(AF_INET6, host, &bin) == 1;
}

/* What to ask for and to verify.  0 or -1. */
static int
expect(SSL *ssl, const char *host, int insecure)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	int address = is_address(host);

	if (!address && SSL_set_tlsext_host_name(ssl, host) != 1)
		return -1;
	if (insecure) {
		SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
		return 0;
	}
	SSL_set_verify(ssl, SSL_VERIFY_PEER, verify);
	if (address)
		return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1 ? 0 : -1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, host) == 1 ? 0 : -1;
}

/* A handshake that failed for other reasons than the certificate. */
static int
handshake_broke(int e, const char *host, struct why *why)
{
	unsigned long code = ERR_peek_error();
	const char *text = tls_reason();

	if (code == 0)
		text = e != 0 ? strerror(e) : "the connection was closed";
	else if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		text = "the connection was closed";
	else if (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER)
		text = "the other side does not speak TLS";
	else if (ERR_GET_REASON(code) == SSL_R_UNSUPPORTED_PROTOCOL ||
	    ERR_GET_REASON(code) == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION)
		text = "no common version of TLS (1.2 or later is needed)";
	return why_set(why, EXIT_PROTOCOL, "TLS with %s: %s", host, text);
}

static int
attach(struct tls *t, const struct io *io)
{
	BIO *bio;

	if (io->tls == NULL)
		return SSL_set_fd(t->ssl, io->wfd) == 1 ? 0 : -1;
	if ((bio = tls_below_bio(&t->method, io->tls)) == NULL)
		return -1;
	SSL_set_bio(t->ssl, bio, bio);
	return 0;
}

static int
shake_hands(const struct tls *t, int fd, struct handshake *h,
    int64_t deadline)
{
	struct pollfd p = { .fd = fd };
	SSL *ssl = t->ssl;
	int r, e;

	for (;;) {
		ERR_clear_error();
		errno = 0;
		if ((r = SSL_connect(ssl)) == 1)
			return 0;
		e = errno;
		switch (SSL_get_error(ssl, r)) {
		case SSL_ERROR_WANT_READ:
			tls_events(t, 1, 0, &p.events);
			break;
		case SSL_ERROR_WANT_WRITE:
			tls_events(t, 0, 1, &p.events);
			break;
		default:
			if (SSL_get_verify_result(ssl) != X509_V_OK &&
			    h->why->status == EXIT_DENIED)
				return -1;
			return handshake_broke(e, h->host, h->why);
		}
		if (clock_ms() >= deadline || signal_terminated())
			return why_set(h->why, EXIT_AGAIN, "TLS with %s: %s",
			    h->host, signal_terminated() ? "interrupted" :
			    "timed out");
		signals_poll(&p, 1, clock_poll(deadline));
	}
}

struct tls *
tls_connect(struct tls_ctx *ctx, const struct io *io, const char *host,
    int64_t deadline, struct why *why)
{
	char bare[ADDR_HOST_MAX + 1];
	struct handshake h = { bare, why };
	struct tls *t;

	bare_host(bare, sizeof(bare), host);
	why->status = 0;
	ERR_clear_error();
	if ((t = OPENSSL_zalloc(sizeof(*t))) == NULL ||
	    (t->ssl = SSL_new(ctx->ssl)) == NULL ||
	    attach(t, io) == -1 ||
	    expect(t->ssl, bare, ctx->insecure) == -1) {
		why_set(why, EXIT_PROTOCOL, "TLS with %s: %s", bare,
		    tls_reason());
		tls_free(t);
		return NULL;
	}
	t->read_needs = POLLIN;
	t->write_needs = POLLOUT;
	SSL_set_app_data(t->ssl, &h);
	t->below = io->tls;
	if (shake_hands(t, io->rfd, &h, deadline) == -1) {
		t->below = NULL;	/* stays the caller's */
		tls_free(t);
		return NULL;
	}
	SSL_set_app_data(t->ssl, NULL);
	return t;
}

/*
 * What came of an OpenSSL call that moved nothing: 0 at the peer's
 * close_notify, -1 with errno otherwise.
 */
static int
outcome(struct tls *t, int r, int e, short *needs)
{
	switch (SSL_get_error(t->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		*needs = POLLIN;
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
		errno = EPROTO;
		return -1;
	}
}

/* One record at most.  A failure lasts: OpenSSL must not be asked again. */
static ssize_t
read_some(struct tls *t, void *buf, size_t len)
{
	size_t got;
	int r;

	if (t->read_error != 0) {
		errno = t->read_error;
		return -1;
	}
	ERR_clear_error();
	errno = 0;
	if ((r = SSL_read_ex(t->ssl, buf, len, &got)) == 1) {
		t->drained = 0;
		t->read_needs = POLLIN;
		return got;
	}
	r = outcome(t, r, errno, &t->read_needs);
	t->drained = 1;
	if (r == -1 && errno != EAGAIN) {
		t->read_error = errno;
		t->write_error = errno;
	}
	return r;
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
			return total;
		}
	return total;
}

/*
 * The bytes of the next record: a large piece as it lies there, small ones
 * put together, so that a frame's header and payload travel in one record
 * and one segment.  A write that would have blocked is repeated in its size.
 */
static const void *
next_record(const struct tls *t, const struct iovec *iov, int n, size_t off,
    size_t *len)
{
	static unsigned char together[RECORD_MAX];
	const char *first = (const char *)iov->iov_base + off;
	size_t have = iov->iov_len - off, part;
	size_t want = t->repeat != 0 ? t->repeat : RECORD_MAX;

	if (n == 1 || have >= want || (t->repeat == 0 && have >= DIRECT_MIN)) {
		*len = have < want ? have : want;
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

/* One record at most. */
static ssize_t
write_some(struct tls *t, const void *buf, size_t len)
{
	size_t put;
	int r;

	if (t->write_error != 0) {
		errno = t->write_error;
		return -1;
	}
	ERR_clear_error();
	errno = 0;
	if ((r = SSL_write_ex(t->ssl, buf, len, &put)) == 1) {
		t->repeat = 0;
		t->write_needs = POLLOUT;
		return put;
	}
	if (outcome(t, r, errno, &t->write_needs) == 0)
		errno = EPROTO;
	if (errno == EAGAIN)
		t->repeat = len;
	else
		t->write_error = errno;
	return -1;
}

ssize_t
tls_writev(struct tls *t, const struct iovec *iov, int n)
{
	size_t total = 0, off = 0, len;
	const void *record;
	ssize_t put;

	for (;;) {
		for (; n > 0 && off >= iov->iov_len; iov++, n--)
			off -= iov->iov_len;
		if (n == 0)
			return total;
		record = next_record(t, iov, n, off, &len);
		if ((put = write_some(t, record, len)) == -1)
			return total > 0 ? (ssize_t)total : -1;
		total += put;
		off += put;
	}
}

int
tls_finish(struct tls *t)
{
	int r;

	if (t->finished)
		return t->below == NULL ? 0 : tls_finish(t->below);
	if (t->write_error != 0) {
		errno = t->write_error;
		return -1;
	}
	ERR_clear_error();
	errno = 0;
	if ((r = SSL_shutdown(t->ssl)) >= 0) {
		t->finished = 1;
		return t->below == NULL ? 0 : tls_finish(t->below);
	}
	if (outcome(t, r, errno, &t->write_needs) == 0)
		errno = EPROTO;
	if (errno != EAGAIN)
		t->write_error = errno;
	return -1;
}

/*
 * With read-ahead OpenSSL may hold a part of a record, which only more bytes
 * from the socket make readable: after a read that wanted more, poll(2) tells.
 */
int
tls_pending(const struct tls *t)
{
	return t->due || (!t->drained && (SSL_has_pending(t->ssl) ||
	    (t->below != NULL && tls_pending(t->below))));
}

void
tls_events(const struct tls *t, int want_read, int want_write, short *events)
{
	*events = (want_read ? t->read_needs : 0) |
	    (want_write ? t->write_needs : 0);
	if (t->below != NULL)
		tls_events(t->below, *events & POLLIN, *events & POLLOUT,
		    events);
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	BIO_meth_free(t->method);
	tls_free(t->below);
	OPENSSL_free(t);
}

const char *
tls_describe(const struct tls *t, char *dst, size_t size)
{
	snprintf(dst, size, "%s %s", SSL_get_version(t->ssl),
	    SSL_get_cipher_name(t->ssl));
	return dst;
}

const char *
tls_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}
