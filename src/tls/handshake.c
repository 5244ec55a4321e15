/* SPDX-License-Identifier: ISC */
/*
 * The handshake of a connection, in either role.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "os/signals.h"
#include "tls/bio.h"
#include "tls/cert_error.h"
#include "tls/internal.h"
#include "tls/openssl.h"
#include "tls/secure_heap.h"

/* The leaf comes last.  If it is refused here, the peer gets an alert. */
static int
is_allowed(struct tls *t, X509_STORE_CTX *store)
{
	if (X509_STORE_CTX_get_error_depth(store) > 0 ||
	    allowed_certs_check(t->allowed,
	    X509_STORE_CTX_get_current_cert(store), t->name, t->why) == 0)
		return 1;
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
	return 0;
}

/*
 * The first failed check ends the handshake and is the one reported.
 * Authorities need no revocation list of their own.
 */
static int
verify(int good, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store,
	    SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *t = tls_of(ssl);

	if (good)
		return is_allowed(t, store);
	if (X509_STORE_CTX_get_error(store) == X509_V_ERR_UNABLE_TO_GET_CRL &&
	    X509_STORE_CTX_get_error_depth(store) > 0) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	cert_refused(store, t->name, t->ca_option, t->why);
	return 0;
}

/* The server asks for a certificate; own_certs_use() has set it already. */
static int
was_asked(SSL *ssl, void *arg)
{
	tls_of(ssl)->asked = SSL_get_certificate(ssl) != NULL ?
	    TLS_ASKED_AND_SENT : TLS_ASKED_IN_VAIN;
	return 1;
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

/*
 * What a client asks for and verifies.  0 or -1.  OpenSSL would take an
 * empty name for any one, and one with a dot before it for those below it.
 */
static int
expect(SSL *ssl, const char *host, const struct tls_ctx *ctx)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	int address = is_address(host);

	if (!ctx->insecure && (host[0] == '\0' || host[0] == '.'))
		return -1;
	if (!address && !ctx->no_sni &&
	    SSL_set_tlsext_host_name(ssl, host) != 1)
		return -1;
	if (ctx->insecure) {
		SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
		return 0;
	}
	SSL_set_verify(ssl, SSL_VERIFY_PEER, verify);
	if (address)
		return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1 ? 0 : -1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, host) == 1 ? 0 : -1;
}

/* What OpenSSL wants to be waited for. */
static void
wanted(const struct tls *t, int for_write, struct pollfd *p)
{
	const struct tls *outermost = t;

	while (outermost->outer != NULL)
		outermost = outermost->outer;
	tls_events(t, !for_write, for_write, &p->events);
	p->fd = p->events == POLLOUT ? SSL_get_wfd(outermost->ssl) :
	    SSL_get_rfd(outermost->ssl);
}

/*
 * 1: done; 0: p is to be waited for, which is ready at once if there may be more
 * to read; -1 and why.
 */
static int
shake_hands(struct tls *t, struct pollfd *p)
{
	int r, e, kind;

	step_begin(t);
	if ((r = SSL_do_handshake(t->ssl)) == 1)
		return 1;
	e = errno;
	kind = SSL_get_error(t->ssl, r);
	if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) {
		wanted(t, kind == SSL_ERROR_WANT_WRITE || step_was_cut(t), p);
		return 0;
	}
	if (t->why->status == EXIT_DENIED)
		return -1;
	return tls_explain(t, ERR_peek_error(), e, t->why);
}

/* Where our records go.  0 or -1. */
static int
attach(struct tls *t, int rfd, int wfd, struct tls *outer)
{
	BIO *bio;

	if (outer == NULL)
		return SSL_set_rfd(t->ssl, rfd) == 1 &&
		    SSL_set_wfd(t->ssl, wfd) == 1 ? 0 : -1;
	outer->is_outer = 1;
	if ((bio = bio_over_tls(&t->method, outer)) == NULL)
		return -1;
	SSL_set_bio(t->ssl, bio, bio);
	return 0;
}

/* The outer connection stays the caller's. */
static struct tls *
give_up(struct tls *t)
{
	t->outer = NULL;
	tls_free(t);
	return NULL;
}

/* The one that is ready, in the first connection of a child; or a new one. */
static SSL *
set_up(struct tls_ctx *ctx)
{
	SSL *ssl = ctx->ready;

	if (ssl != NULL) {
		ctx->ready = NULL;
		return ssl;
	}
	if ((ssl = SSL_new(ctx->ssl)) != NULL &&
	    own_certs_use(&ctx->own, ssl) == 0)
		return ssl;
	SSL_free(ssl);
	return NULL;
}

static struct tls *
begin(struct tls_ctx *ctx, int rfd, int wfd, struct tls *outer,
    const char *name, struct error *why)
{
	struct tls *t;

	why->status = 0;
	if (ctx->ready != NULL)
		secure_heap_leave();
	ERR_clear_error();
	if ((t = OPENSSL_zalloc(sizeof(*t))) == NULL ||
	    (t->ssl = set_up(ctx)) == NULL ||
	    attach(t, rfd, wfd, outer) == -1) {
		error_set(why, EXIT_PROTOCOL, "TLS with %s: %s", name,
		    openssl_reason());
		tls_free(t);
		return NULL;
	}
	strlcpy(t->name, name, sizeof(t->name));
	t->why = why;
	t->allowed = &ctx->allowed;
	t->ca_option = ctx->ca_option;
	t->read_needs = POLLIN;
	t->write_needs = POLLOUT;
	t->outer = outer;
	SSL_set_app_data(t->ssl, t);
	step_limit(t);
	return t;
}

void
tls_ctx_watch(struct tls_ctx *ctx, struct cert *cert)
{
	ctx->watch = cert;
}

/* Fills in what is watched: of a refused chain, as much as could be built. */
static void
learn(const struct tls_ctx *ctx, const SSL *ssl, int refused)
{
	const STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
	struct cert *c = ctx->watch;

	if (c == NULL)
		return;
	memset(c, 0, sizeof(*c));
	if (chain == NULL)
		chain = SSL_get_peer_cert_chain(ssl);
	strlcpy(c->version, SSL_get_version(ssl), sizeof(c->version));
	strlcpy(c->cipher, SSL_get_cipher_name(ssl), sizeof(c->cipher));
	c->verified = !refused && !ctx->insecure &&
	    SSL_get_verify_result(ssl) == X509_V_OK;
	cert_info(c, chain);
}

/*
 * Pins and allowed certificates hold for a resumed or unverified one too: with
 * them a ticket keeps the certificate.
 */
static int
check_peer(struct tls_ctx *ctx, struct tls *t)
{
	X509 *cert = SSL_get0_peer_certificate(t->ssl);

	return allowed_certs_check(&ctx->allowed, cert, t->name, t->why) ==
	    -1 || pins_check(&ctx->pins, cert, t->name, t->why) == -1 ? -1 : 1;
}

int
tls_go_on(struct tls_ctx *ctx, struct tls *t, struct pollfd *p)
{
	int r = shake_hands(t, p);

	if (r == 0)
		return 0;
	if (r == 1)
		r = check_peer(ctx, t);
	learn(ctx, t->ssl, r == -1);
	if (!SSL_session_reused(t->ssl))
		t->verified_at = ticket_clock();
	t->why = NULL;
	t->allowed = NULL;
	if (r == 1)
		ktls_begin(t);
	else
		give_up(t);
	return r;
}

void
tls_cancel(struct tls *t, int error, struct error *why)
{
	error_set(why, EXIT_AGAIN, "TLS with %s: %s", t->name,
	    error == EINTR ? "interrupted" : error == ETIMEDOUT ?
	    "timed out" : strerror(error));
	give_up(t);
}

struct tls *
tls_dial(struct tls_ctx *ctx, int rfd, int wfd, struct tls *outer,
    const char *host, struct error *why)
{
	char bare[ADDR_HOST_MAX + 1];
	struct tls *t;

	bare_host(bare, sizeof(bare), host);
	if ((t = begin(ctx, rfd, wfd, outer, bare, why)) == NULL)
		return NULL;
	if (expect(t->ssl, bare, ctx) == -1) {
		error_set(why, EXIT_PROTOCOL, "TLS with %s: %s", host,
		    ERR_peek_error() != 0 ? openssl_reason() :
		    "no certificate can be for such a name");
		return give_up(t);
	}
	SSL_set_cert_cb(t->ssl, was_asked, NULL);
	SSL_set_connect_state(t->ssl);
	ticket_use(ctx, t);
	return t;
}

/*
 * After a refusal the alert is still on its way: the caller must let the peer
 * read it before it closes the socket.
 */
struct tls *
tls_accept(struct tls_ctx *ctx, int rfd, int wfd, int64_t deadline,
    struct error *why)
{
	struct tls *t = begin(ctx, rfd, wfd, NULL, "the client", why);
	struct pollfd p;
	int r;

	if (t == NULL)
		return NULL;
	if (ctx->asks)
		SSL_set_verify(t->ssl, SSL_VERIFY_PEER |
		    SSL_VERIFY_FAIL_IF_NO_PEER_CERT, verify);
	SSL_set_accept_state(t->ssl);
	while ((r = tls_go_on(ctx, t, &p)) == 0)
		if (signals_wait(&p, 1, deadline) == -1) {
			tls_cancel(t, errno, why);
			return NULL;
		}
	return r == 1 ? t : NULL;
}

enum tls_asked
tls_was_asked(const struct tls *t)
{
	return t->asked;
}

int
tls_subject(const struct tls *t, char *dst, size_t size)
{
	X509 *cert = SSL_get0_peer_certificate(t->ssl);

	dst[0] = '\0';
	if (cert == NULL)
		return 0;
	return cert_subject(dst, size, cert);
}
