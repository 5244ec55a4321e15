/* SPDX-License-Identifier: ISC */
/*
 * TLS by OpenSSL: the one file behind this header is the only one that
 * includes OpenSSL's TLS.  Verified by default.
 */
#ifndef OS_TLS_H
#define OS_TLS_H

#include <sys/types.h>
#include <sys/uio.h>

#include <stddef.h>
#include <stdint.h>

#include "proto/why.h"

struct io;
struct tls;			/* one connection */
struct tls_ctx;			/* what all connections share */

struct tls_options {
	const char *cafile;	/* NULL: the system's */
	const char *capath;	/* NULL: the system's hashed directory */
	int insecure;		/* do not verify */
};

/*
 * Makes the shared context of a client: trust store, TLS >= 1.2, ALPN
 * http/1.1.  To be called once, before the first fork.  The hashed directory
 * is preferred to the bundle, which costs 25 ms to load; cafile and capath
 * replace both.  NULL and why: 64 if cafile or capath cannot be used, 71 if
 * the system has no trusted certificates.
 */
struct tls_ctx *tls_client_ctx(const struct tls_options *, struct why *);
void tls_ctx_free(struct tls_ctx *);

/*
 * Does the handshake over an end that is connected, a non-blocking socket or
 * TLS over one, until deadline (of clock_ms()).  host is verified against the certificate and sent as server
 * name, unless it is an address, which is verified as one.  On success
 * returns the connection, which owns the TLS of io from then on; otherwise
 * all of io stays the caller's, as its descriptors always do.  NULL and why: 75 at the
 * deadline, 77 if the certificate is refused (the text says which check
 * failed and what was seen), 76 for everything else.
 */
struct tls *tls_connect(struct tls_ctx *, const struct io *, const char *host,
    int64_t deadline, struct why *);

/*
 * As io.h has them.  tls_writev puts small pieces together into one record by
 * way of a static buffer; tls_finish is only for when all is written.
 */
ssize_t tls_readv(struct tls *, const struct iovec *, int);
ssize_t tls_writev(struct tls *, const struct iovec *, int);
int tls_finish(struct tls *);
int tls_pending(const struct tls *);
void tls_events(const struct tls *, int want_read, int want_write,
    short *events);
void tls_free(struct tls *);

/* "TLSv1.3 TLS_AES_256_GCM_SHA384", for -v.  Returns dst. */
const char *tls_describe(const struct tls *, char *dst, size_t size);

/* OpenSSL's version, for --version. */
const char *tls_version(void);

#endif
