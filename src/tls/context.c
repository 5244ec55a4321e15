/* SPDX-License-Identifier: ISC */
/*
 * The context that all connections share: made before the first fork.
 */
#include <string.h>

#include "tls/internal.h"
#include "tls/openssl.h"
#include "tls/trust.h"

/*
 * Mozilla's intermediate profile, version 5: forward secrecy and AEAD.  Those
 * of TLS 1.3 are all of that kind.
 */
#define CIPHERS								\
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"	\
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"	\
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"	\
	"DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"		\
	"DHE-RSA-CHACHA20-POLY1305"

static const unsigned char alpn[] = { 8, 'h', 't', 't', 'p', '/', '1', '.', '1' };

/* A client that offers protocols without ours gets an alert (RFC 7301 3.2). */
static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *outlen,
    const unsigned char *in, unsigned int inlen, void *arg)
{
	unsigned char *chosen;

	if (SSL_select_next_proto(&chosen, outlen, alpn, sizeof(alpn), in,
	    inlen) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/*
 * SSL_OP_IGNORE_UNEXPECTED_EOF would take a cut stream for a whole one.  An
 * authority that was given need not be a root: partial chains will do.
 */
static int
configure(SSL_CTX *ssl, int server)
{
	SSL_CTX_clear_options(ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(ssl, 1);
	ktls_allow(ssl);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(ssl, TICKET_SECONDS);
	SSL_CTX_set_dh_auto(ssl, 1);
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ssl),
	    X509_V_FLAG_PARTIAL_CHAIN);
	if (server) {
		SSL_CTX_set_alpn_select_cb(ssl, choose_protocol, NULL);
		return SSL_CTX_set_session_id_context(ssl, alpn,
		    sizeof(alpn)) == 1 ? 0 : -1;
	}
	return SSL_CTX_set_alpn_protos(ssl, alpn, sizeof(alpn)) == 0 ?
	    0 : -1;
}

static int
set_strength(SSL_CTX *ssl, const struct tls_options *o, struct error *why)
{
	SSL_CTX_set_min_proto_version(ssl, o->only_13 ? TLS1_3_VERSION :
	    TLS1_2_VERSION);
	ERR_clear_error();
	if (SSL_CTX_set_cipher_list(ssl, o->ciphers != NULL ? o->ciphers :
	    CIPHERS) != 1)
		return error_set(why, EXIT_BADUSAGE, "--ciphers '%s': %s",
		    o->ciphers != NULL ? o->ciphers : CIPHERS,
		    openssl_reason());
	if (o->ciphers13 != NULL &&
	    SSL_CTX_set_ciphersuites(ssl, o->ciphers13) != 1)
		return error_set(why, EXIT_BADUSAGE, "--tls13-ciphers '%s': %s",
		    o->ciphers13, openssl_reason());
	return 0;
}

/* OpenSSL looks at a certificate's strength when it is to be used. */
static int
try_own(const struct tls_ctx *ctx, const struct tls_options *o,
    struct error *why)
{
	const struct own_cert *one;
	SSL *ssl;
	int r = 0;

	for (one = ctx->own.v; r == 0 && one < ctx->own.v + ctx->own.n;
	    one++) {
		ssl = SSL_new(ctx->ssl);
		r = ssl == NULL ? -1 : own_cert_use(one, ssl);
		SSL_free(ssl);
		if (r == -1)
			error_set(why, EXIT_BADUSAGE, "%s %s: %s",
			    own_cert_option(o), one->path, openssl_reason());
	}
	return r;
}

static int
load_own(struct tls_ctx *ctx, X509_STORE *store, const struct tls_options *o,
    struct error *why)
{
	int r = own_certs_load(&ctx->own, &ctx->sources, o, why);

	if (r == 1)
		return 1;
	own_certs_end(&ctx->sources);
	return r == -1 ? -1 : try_own(ctx, o, why);
}

static int
load_crls(struct tls_ctx *ctx, X509_STORE *store, const struct tls_options *o,
    struct error *why)
{
	return o->insecure ? 0 : trust_load_crls(store, o, why);
}

static int
load_trust(struct tls_ctx *ctx, X509_STORE *store,
    const struct tls_options *o, struct error *why)
{
	return o->insecure ? 0 : trust_load(store, o, why);
}

static int
load_allowed(struct tls_ctx *ctx, X509_STORE *store,
    const struct tls_options *o, struct error *why)
{
	return allowed_certs_load(&ctx->allowed, o, store, why);
}

/*
 * What a server has besides: the names of authorities that it sends when it asks
 * for a certificate, and tickets.
 */
static int
load_server(struct tls_ctx *ctx, X509_STORE *store,
    const struct tls_options *o, struct error *why)
{
	if (!o->server)
		return 0;
	if (o->cafile != NULL)
		SSL_CTX_set_client_CA_list(ctx->ssl,
		    SSL_load_client_CA_file(o->cafile));
	ctx->asks = o->cafile != NULL || o->peer_certs != NULL;
	server_tickets(ctx);
	return 0;
}

int
tls_context_load(struct tls_ctx *ctx, const struct tls_options *o,
    struct error *why)
{
	static int (*const steps[])(struct tls_ctx *, X509_STORE *,
	    const struct tls_options *, struct error *) = { load_own,
	    load_crls, load_trust, load_allowed, load_server };
	unsigned int n = sizeof(steps) / sizeof(steps[0]);
	int r;

	ERR_clear_error();
	r = steps[ctx->loaded](ctx, SSL_CTX_get_cert_store(ctx->ssl), o, why);
	ctx->loaded += r == 0;
	return r == -1 ? -1 : ctx->loaded < n;
}

struct tls_ctx *
tls_context_begin(const struct tls_options *o, struct error *why)
{
	struct tls_ctx *ctx;

	if (openssl_load(why) == -1)
		return NULL;
	ERR_clear_error();
	if ((ctx = OPENSSL_zalloc(sizeof(*ctx))) == NULL) {
		error_set(why, EXIT_SYSTEM, "out of memory");
		return NULL;
	}
	ctx->tickets[0] = ctx->tickets[1] = -1;
	ctx->server = o->server;
	ctx->insecure = o->insecure;
	ctx->no_sni = o->no_sni;
	ctx->ca_option = trust_option(o);
	ctx->ssl = SSL_CTX_new(o->server ? TLS_server_method() :
	    TLS_client_method());
	if (ctx->ssl == NULL || configure(ctx->ssl, o->server) == -1)
		error_set(why, EXIT_SYSTEM, "OpenSSL: %s", openssl_reason());
	else if (set_strength(ctx->ssl, o, why) == 0 &&
	    pins_parse(&ctx->pins, o->pins, why) == 0)
		return ctx;
	tls_ctx_free(ctx);
	return NULL;
}

struct tls_ctx *
tls_context(const struct tls_options *o, struct error *why)
{
	struct tls_ctx *ctx = tls_context_begin(o, why);
	int r = 1;

	while (ctx != NULL && (r = tls_context_load(ctx, o, why)) == 1)
		;
	if (r != -1)
		return ctx;
	tls_ctx_free(ctx);
	return NULL;
}

void
tls_ctx_free(struct tls_ctx *ctx)
{
	if (ctx == NULL)
		return;
	tls_tickets_close(ctx);
	own_certs_end(&ctx->sources);
	own_certs_free(&ctx->own);
	allowed_certs_free(&ctx->allowed);
	SSL_free(ctx->ready);
	SSL_CTX_free(ctx->ssl);
	OPENSSL_free(ctx);
}

/*
 * What is freed is wiped in this process's copy of the memory.  The key of
 * tickets is as secret as our private key.
 */
void
tls_forget_keys(struct tls_ctx *ctx, struct tls *t)
{
	unsigned char nothing[80];
	long n;

	if (t != NULL)
		SSL_certs_clear(t->ssl);
	SSL_free(ctx->ready);
	ctx->ready = NULL;
	own_certs_forget(&ctx->own);
	n = SSL_CTX_get_tlsext_ticket_keys(ctx->ssl, NULL, 0);
	memset(nothing, 0, sizeof(nothing));
	if (ctx->server && n > 0 && n <= (long)sizeof(nothing))
		SSL_CTX_set_tlsext_ticket_keys(ctx->ssl, nothing, n);
}

int
tls_prepare(struct error *why)
{
	return openssl_load(why);
}

const char *
tls_version(struct error *why)
{
	return openssl_load(why) == -1 ? NULL :
	    OpenSSL_version(OPENSSL_VERSION);
}
