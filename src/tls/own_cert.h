/* SPDX-License-Identifier: ISC */
/*
 * Our own certificate: found in its files, and set on a connection.
 */
#ifndef TLS_OWN_CERT_H
#define TLS_OWN_CERT_H

#include "base/error.h"
#include "tls/openssl.h"
#include "tls/tls.h"

struct own_cert {
	X509 *leaf;		/* NULL: we have none */
	EVP_PKEY *key;		/* NULL: none, or forgotten */
	STACK_OF(X509) *chain;	/* towards the authority, in order */
};

/* As tls_context() promises.  0, or -1 and why. */
int own_cert_load(struct own_cert *, const struct tls_options *,
    struct error *);

/* Sets it on a connection.  0, or -1 with OpenSSL's errors. */
int own_cert_use(const struct own_cert *, SSL *);

/* Frees all, the key being wiped. */
void own_cert_forget(struct own_cert *);

#endif
