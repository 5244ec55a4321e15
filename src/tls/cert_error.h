/* SPDX-License-Identifier: ISC */
/*
 * Words about a certificate, above all one that was refused.
 */
#ifndef TLS_CERT_ERROR_H
#define TLS_CERT_ERROR_H

#include <stddef.h>

#include "base/error.h"
#include "tls/cert.h"
#include "tls/openssl.h"

/*
 * Fills in why (EXIT_DENIED) from inside a verify callback: which check of
 * the certificate of name failed, what was seen, and what may help: ca_option
 * names a trusted authority.
 */
void tls_cert_refused(X509_STORE_CTX *, const char *name,
    const char *ca_option, struct error *);

/* A distinguished name on one line, "O=bar,CN=foo", escaped.  Returns dst. */
char *tls_cert_name(char *dst, size_t size, const X509_NAME *);

/* What it is for: "CN=foo / DNS:bar, DNS:baz, ...".  Returns dst. */
char *tls_cert_names(char *dst, size_t size, X509 *);

/* Its subject as RFC 2253 has it.  0, or -1 if it does not fit. */
int tls_cert_subject(char *dst, size_t size, X509 *);

/* The parts of *c that a chain, leaf first, tells; nothing of an empty one. */
void cert_info(struct cert *c, const STACK_OF(X509) *chain);

#endif
