/* SPDX-License-Identifier: ISC */
/*
 * TLS within TLS: the records of one connection are the data of another, as
 * on the way to a server behind a proxy that is itself spoken TLS to.
 */
#ifndef TLS_BIO_H
#define TLS_BIO_H

#include "tls/openssl.h"

struct tls;

/*
 * What OpenSSL reads and writes by instead of a socket; tls stays the
 * caller's.  NULL if there is no memory.  *method is to be freed last of all.
 */
BIO *tls_bio(BIO_METHOD **method, struct tls *tls);

#endif
