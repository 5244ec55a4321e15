/* SPDX-License-Identifier: ISC */
/*
 * Our own certificate: found among what its files hold, and shown on a
 * connection.
 */
#ifndef TLS_OWN_CERT_H
#define TLS_OWN_CERT_H

#include "base/error.h"
#include "tls/openssl.h"
#include "tls/tls.h"

struct tls_own {
	X509 *leaf;		/* NULL: we have none */
	EVP_PKEY *key;		/* NULL: none, or forgotten */
	STACK_OF(X509) *chain;	/* towards the authority, in order */
};

/* As tls_context() promises.  0, or -1 and why. */
int own_cert_load(struct tls_own *, const struct tls_options *, struct error *);

/* For this connection.  0, or -1 with OpenSSL's errors. */
int own_cert_use(const struct tls_own *, SSL *);

/* Frees all, the key being wiped. */
void own_cert_forget(struct tls_own *);

#endif
