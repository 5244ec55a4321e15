/* SPDX-License-Identifier: ISC */
/*
 * Our own certificate: found among what its files hold, and shown on a
 * connection.
 */
#ifndef OS_TLS_OWN_H
#define OS_TLS_OWN_H

#include "base/error.h"
#include "tls/openssl.h"
#include "tls/tls.h"

struct tls_own {
	X509 *leaf;		/* NULL: we have none */
	EVP_PKEY *key;		/* NULL: none, or forgotten */
	STACK_OF(X509) *chain;	/* towards the authority, in order */
};

/* As tls_context() promises.  0, or -1 and why. */
int tls_own_load(struct tls_own *, const struct tls_options *, struct why *);

/* For this connection.  0, or -1 with OpenSSL's errors. */
int tls_own_use(const struct tls_own *, SSL *);

/* Frees all, the key being wiped. */
void tls_own_forget(struct tls_own *);

#endif
