/* SPDX-License-Identifier: ISC */
/*
 * What every child would do first is done once, before the fork: OpenSSL looks
 * for its algorithms at their first use and keeps what it has found, and a
 * connection is set up long before its first byte.
 */
#include "tls/internal.h"
#include "tls/openssl.h"

#if OPENSSL_VERSION_NUMBER >= 0x30000000L

#define SECONDS		3600	/* of the certificate that is shown */
#define TURNS		8	/* of both sides, in a handshake */

/* A certificate that nobody trusts, for the side of a server.  0 or -1. */
static int
certify(SSL_CTX *ctx)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	int good = key != NULL && x != NULL && X509_set_pubkey(x, key) == 1 &&
	    X509_gmtime_adj(X509_getm_notBefore(x), 0) != NULL &&
	    X509_gmtime_adj(X509_getm_notAfter(x), SECONDS) != NULL &&
	    X509_sign(x, key, EVP_sha256()) > 0 &&
	    SSL_CTX_use_certificate(ctx, x) == 1 &&
	    SSL_CTX_use_PrivateKey(ctx, key) == 1;

	EVP_PKEY_free(key);
	X509_free(x);
	return good ? 0 : -1;
}

/* A byte from one to the other, which takes tickets in on its way. */
static void
send_byte(SSL *from, SSL *to)
{
	char c = 'x';
	size_t n;

	if (SSL_write_ex(from, &c, 1, &n) == 1)
		(void)!SSL_read_ex(to, &c, 1, &n);
}

static void
play(SSL *client, SSL *server)
{
	BIO *a, *b;
	int i, done = 0;

	if (BIO_new_bio_pair(&a, 0, &b, 0) != 1)
		return;
	SSL_set_bio(client, a, a);
	SSL_set_bio(server, b, b);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	for (i = 0; done != 2 && i < TURNS; i++)
		done = (SSL_do_handshake(client) == 1) +
		    (SSL_do_handshake(server) == 1);
	if (done != 2)
		return;
	send_byte(server, client);
	send_byte(client, server);
	SSL_shutdown(client);
	SSL_shutdown(server);
}

/* A handshake, by the session of an earlier one.  Its own, or NULL. */
static SSL_SESSION *
rehearse(SSL_CTX *as_client, SSL_CTX *as_server, SSL_SESSION *earlier)
{
	SSL *client = SSL_new(as_client), *server = SSL_new(as_server);
	unsigned char *der = NULL;
	const unsigned char *from;
	SSL_SESSION *s = NULL;
	int len;

	if (client != NULL && server != NULL && (earlier == NULL ||
	    SSL_set_session(client, earlier) == 1)) {
		play(client, server);
		len = i2d_SSL_SESSION(SSL_get_session(client), &der);
		from = der;
		if (len > 0)
			s = d2i_SSL_SESSION(NULL, &from, len);
		OPENSSL_free(der);
	}
	SSL_free(client);
	SSL_free(server);
	return s;
}

static void
rehearse_all(void)
{
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());
	SSL_CTX *server = SSL_CTX_new(TLS_server_method());
	SSL_SESSION *full = NULL, *resumed = NULL;

	if (client != NULL && server != NULL && certify(server) == 0)
		full = rehearse(client, server, NULL);
	if (full != NULL)
		resumed = rehearse(client, server, full);
	SSL_SESSION_free(full);
	SSL_SESSION_free(resumed);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	ERR_clear_error();
}

#else

static void
rehearse_all(void)
{
}

#endif

void
tls_before_fork(struct tls_ctx *ctx)
{
	static int rehearsed;

	if (!rehearsed)
		rehearse_all();
	rehearsed = 1;
	ERR_clear_error();
	ctx->ready = SSL_new(ctx->ssl);
	if (ctx->ready != NULL && own_certs_use(&ctx->own, ctx->ready) == -1) {
		SSL_free(ctx->ready);
		ctx->ready = NULL;
	}
	ERR_clear_error();
}
