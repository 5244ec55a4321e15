/* SPDX-License-Identifier: ISC */
/*
 * The session tickets that a server gives out.  A resumed session must not
 * outlive what its full handshake stood on: the end is in the ticket, and a
 * further ticket of the same session has the same end.
 */
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "os/clock.h"
#include "os/random.h"
#include "tls/cert_error.h"
#include "tls/internal.h"
#include "tls/openssl.h"

#define KEY_MS		3600000		/* a key of tickets is used */
#define KEYS_MAX	80		/* bytes of OpenSSL's keys */

/* Seconds since 1970: the first end of a certificate of the client's chain. */
static int64_t
valid_until(const SSL *ssl)
{
	const STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
	int64_t end = (int64_t)time(NULL) + TICKET_SECONDS, t;
	int i;

	for (i = 0; i < sk_X509_num(chain); i++) {
		t = cert_not_after(sk_X509_value(chain, i));
		if (t < end)
			end = t;
	}
	return end;
}

/* A resumed session has its end already. */
static int
give(SSL *ssl, void *arg)
{
	int64_t end;

	if (SSL_session_reused(ssl))
		return 1;
	end = valid_until(ssl);
	return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), &end,
	    sizeof(end));
}

static SSL_TICKET_RETURN
take(SSL *ssl, SSL_SESSION *s, const unsigned char *name, size_t len,
    SSL_TICKET_STATUS status, void *arg)
{
	int64_t end;
	void *data;
	size_t n;

	if ((status != SSL_TICKET_SUCCESS &&
	    status != SSL_TICKET_SUCCESS_RENEW) ||
	    SSL_SESSION_get0_ticket_appdata(s, &data, &n) != 1 ||
	    n != sizeof(end))
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	memcpy(&end, data, sizeof(end));
	if ((int64_t)time(NULL) >= end)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	return status == SSL_TICKET_SUCCESS_RENEW ?
	    SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_USE;
}

/*
 * A session belongs to the name that the client asked for: under another one
 * there is a full handshake (RFC 6066 3).  OpenSSL does not see to that, but to
 * the context of a session, which becomes a hash of the name.
 */
static int
look_at_name(SSL *ssl, int *alert, void *arg)
{
	const unsigned char *name;
	char digits[HASH_HEX];
	size_t len;

	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &name,
	    &len) != 1)
		return SSL_CLIENT_HELLO_SUCCESS;
	hash_sha256(digits, name, len);
	return SSL_set_session_id_context(ssl, (unsigned char *)digits,
	    SSL_MAX_SID_CTX_LENGTH) == 1 ? SSL_CLIENT_HELLO_SUCCESS :
	    SSL_CLIENT_HELLO_ERROR;
}

void
server_tickets(struct tls_ctx *ctx)
{
	SSL_CTX_set_client_hello_cb(ctx->ssl, look_at_name, NULL);
	SSL_CTX_set_session_ticket_cb(ctx->ssl, give, take, NULL);
	ctx->new_key_at = clock_ms() + KEY_MS;
}

/* OpenSSL's are made anew; a ticket by an older one is a full handshake. */
int
tls_tickets_rotate(struct tls_ctx *ctx)
{
	unsigned char keys[KEYS_MAX];
	long n;

	if (!ctx->server || clock_ms() < ctx->new_key_at)
		return 0;
	n = SSL_CTX_get_tlsext_ticket_keys(ctx->ssl, NULL, 0);
	if (n <= 0 || n > (long)sizeof(keys))
		return 0;
	random_bytes(keys, n);
	SSL_CTX_set_tlsext_ticket_keys(ctx->ssl, keys, n);
	explicit_bzero(keys, sizeof(keys));
	ctx->new_key_at = clock_ms() + KEY_MS;
	return 1;
}
