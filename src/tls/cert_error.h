/* SPDX-License-Identifier: ISC */
/*
 * Texts about certificates, above all why one was refused.
 */
#ifndef TLS_CERT_ERROR_H
#define TLS_CERT_ERROR_H

#include <stddef.h>

#include "base/error.h"
#include "tls/cert.h"
#include "tls/openssl.h"

/*
 * Fills in why (EXIT_DENIED) from inside a verify callback: which check of
 * the certificate of name failed, what was seen, and what may help; ca_option
 * is the option that names trusted authorities.
 */
void cert_refused(X509_STORE_CTX *, const char *name,
    const char *ca_option, struct error *);

/* A distinguished name on one line, "O=bar,CN=foo", escaped.  Returns dst. */
char *cert_name(char *dst, size_t size, const X509_NAME *);

/* What it is for: "CN=foo / DNS:bar, DNS:baz, ...".  Returns dst. */
char *cert_names(char *dst, size_t size, X509 *);

/* Its whole subject as RFC 2253 has it.  0, or -1 if it does not fit. */
int cert_subject(char *dst, size_t size, X509 *);

/* The end of its validity, in seconds since 1970; 0 if it is unreadable. */
int64_t cert_not_after(const X509 *);

/* Fills in the parts of *c that come from a chain, leaf first. */
void cert_info(struct cert *c, const STACK_OF(X509) *chain);

#endif
