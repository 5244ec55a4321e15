/* SPDX-License-Identifier: ISC */
/*
 * Our own certificates: found in their files, and set on a connection.
 */
#ifndef TLS_OWN_CERT_H
#define TLS_OWN_CERT_H

#include "base/error.h"
#include "tls/openssl.h"
#include "tls/tls.h"

#define OWN_CERTS_MAX	32	/* files of certificates, and of keys */

struct own_cert {
	const char *path;	/* of its file; may be gone after loading */
	X509 *leaf;
	EVP_PKEY *key;
	STACK_OF(X509) *chain;	/* towards the authority, in order */
};

struct own_certs {
	struct own_cert v[OWN_CERTS_MAX];	/* the first is the default */
	unsigned int n;
	int forgotten;		/* none is left to use */
};

/* The option that names files of certificates, for errors. */
const char *own_cert_option(const struct tls_options *);

/*
 * Loads them as tls_context() promises, a file at a call, all with the same
 * options: 1: there is more to do; 0: all are there; -1 and why (64; 71 for
 * memory).  *sources, NULL at first, is what has been read so far, which
 * own_certs_end() frees.
 */
struct own_sources;
int own_certs_load(struct own_certs *, struct own_sources **sources,
    const struct tls_options *, struct error *);
void own_certs_end(struct own_sources **);

/* Sets it on a connection.  0, or -1 with OpenSSL's errors. */
int own_cert_use(const struct own_cert *, SSL *);

/*
 * Frees the keys, which wipes them.  The certificates stay: to take those apart
 * would change as many pages of a child as a handshake does.
 */
void own_certs_forget(struct own_certs *);

/* Frees all. */
void own_certs_free(struct own_certs *);

/*
 * sni.c: sets on a connection what there is; of several those for the name
 * that the client asks for, as soon as it does, or those for the names of the
 * first.  They must stay while the handshake lasts.  0, or -1 with OpenSSL's
 * errors.
 */
int own_certs_use(const struct own_certs *, SSL *);

#endif
