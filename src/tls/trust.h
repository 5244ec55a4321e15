/* SPDX-License-Identifier: ISC */
/*
 * The trusted authorities that certificates are verified against.
 */
#ifndef TLS_TRUST_H
#define TLS_TRUST_H

#include "base/error.h"
#include "tls/openssl.h"
#include "tls/tls.h"

/* The option that names the file of authorities, for errors. */
const char *trust_option(const struct tls_options *);

/*
 * Fills the store as tls_context() promises, with revocation lists and with
 * authorities.  0, or -1 and why (64; 71 if the system has none).
 */
int trust_load_crls(X509_STORE *, const struct tls_options *, struct error *);
int trust_load(X509_STORE *, const struct tls_options *, struct error *);

#endif
