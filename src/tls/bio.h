/* SPDX-License-Identifier: ISC */
/*
 * TLS within TLS: the records of one connection are the data of another, as
 * with a wss:// server behind an https:// proxy.
 */
#ifndef TLS_BIO_H
#define TLS_BIO_H

#include "tls/openssl.h"

struct tls;

/*
 * A BIO that reads and writes through an outer connection instead of a socket;
 * tls stays the caller's.  NULL if there is no memory.  *method must be freed
 * after the BIO.
 */
BIO *bio_over_tls(BIO_METHOD **method, struct tls *tls);

#endif
