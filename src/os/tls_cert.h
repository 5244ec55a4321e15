/* SPDX-License-Identifier: ISC */
/*
 * Words for certificates: one that was refused, and any.
 */
#ifndef OS_TLS_CERT_H
#define OS_TLS_CERT_H

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "proto/cert.h"
#include "proto/why.h"

/*
 * Fills in why (EXIT_DENIED) from inside a verify callback: which check of
 * host's certificate failed, what was seen, and what may help.
 */
void tls_cert_refused(X509_STORE_CTX *, const char *host, struct why *);

/* A distinguished name on one line, "O=bar,CN=foo", escaped.  Returns dst. */
char *tls_cert_name(char *dst, size_t size, const X509_NAME *);

/* All that it is for: "CN=foo / DNS:bar, DNS:baz, ...".  Returns dst. */
char *tls_cert_names(char *dst, size_t size, X509 *);

/* The parts of *c that a chain, leaf first, tells; nothing of an empty one. */
void tls_cert_facts(struct cert *c, const STACK_OF(X509) *chain);

#endif
