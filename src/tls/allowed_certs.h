/* SPDX-License-Identifier: ISC */
/*
 * The end-entity certificates that alone are accepted, --peer-certs.
 */
#ifndef TLS_ALLOWED_CERTS_H
#define TLS_ALLOWED_CERTS_H

#include "base/error.h"
#include "tls/openssl.h"
#include "tls/tls.h"

struct tls_peers {
	STACK_OF(X509) *list;	/* NULL: whoever is verified */
	const char *option;
};

/*
 * Loads the file if there is one, and trusts its certificates by the store.
 * A private key in it is passed over, and the log says so.  0, or -1 and why.
 */
int allowed_certs_load(struct tls_peers *, const struct tls_options *,
    X509_STORE *, struct error *);
void allowed_certs_free(struct tls_peers *);

/* May it be?  0, or -1 and why (77). */
int allowed_certs_check(const struct tls_peers *, X509 *, const char *name,
    struct error *);

#endif
