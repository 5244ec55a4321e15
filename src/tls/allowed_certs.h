/* SPDX-License-Identifier: ISC */
/*
 * The only end-entity certificates that are accepted, --peer-certs.
 */
#ifndef TLS_ALLOWED_CERTS_H
#define TLS_ALLOWED_CERTS_H

#include "base/error.h"
#include "tls/openssl.h"
#include "tls/tls.h"

struct allowed_certs {
	STACK_OF(X509) *list;	/* NULL: any that verifies */
	const char *option;
};

/*
 * Loads the file if the option is set.  Unless authorities are named, which
 * must have issued them then, its certificates are added to the store.  A
 * private key in it is ignored with a warning.  0, or -1 and why.
 */
int allowed_certs_load(struct allowed_certs *, const struct tls_options *,
    X509_STORE *, struct error *);
void allowed_certs_free(struct allowed_certs *);

/* 0 if the certificate is one of them, or -1 and why (77). */
int allowed_certs_check(const struct allowed_certs *, X509 *, const char *name,
    struct error *);

#endif
