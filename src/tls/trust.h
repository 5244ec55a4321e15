/* SPDX-License-Identifier: ISC */
/*
 * Whom to trust: the authorities that certificates are verified against.
 */
#ifndef TLS_TRUST_H
#define TLS_TRUST_H

#include "base/error.h"
#include "tls/openssl.h"
#include "tls/tls.h"

/* Fills the store as tls_context() promises.  0, or -1 and why. */
int tls_trust(X509_STORE *, const struct tls_options *, struct error *);

/* The reason of the oldest error that OpenSSL has in store, or of this one. */
const char *tls_reason(void);
const char *tls_reason_of(unsigned long code);

#endif
