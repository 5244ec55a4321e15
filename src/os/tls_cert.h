/* SPDX-License-Identifier: ISC */
/*
 * Words for a certificate that was refused.
 */
#ifndef OS_TLS_CERT_H
#define OS_TLS_CERT_H

#include <openssl/x509_vfy.h>

#include "proto/why.h"

/*
 * Fills in why (EXIT_DENIED) from inside a verify callback: which check of
 * host's certificate failed, what was seen, and what may help.
 */
void tls_cert_refused(X509_STORE_CTX *, const char *host, struct why *);

#endif
