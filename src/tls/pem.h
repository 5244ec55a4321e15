/* SPDX-License-Identifier: ISC */
/*
 * PEM files as a whole, in memory that does not keep what was in it.
 */
#ifndef OS_TLS_PEM_H
#define OS_TLS_PEM_H

#include "base/error.h"
#include "tls/openssl.h"

/* A file and the option that named it, for errors. */
struct tls_pem {
	const char *option, *path;
	char *text;		/* NUL-terminated */
	size_t len;
};

/*
 * Reads a file, which stays until tls_pem_close() wipes it.  0, or -1 and why
 * (64), also if it has nothing of the PEM kind.
 */
int tls_pem_open(struct tls_pem *, const char *option, const char *path,
    struct why *);
void tls_pem_close(struct tls_pem *);

/* Adds all certificates to the stack.  0, or -1 and why (64). */
int tls_pem_certs(const struct tls_pem *, STACK_OF(X509) *, struct why *);

/* The next block that holds a private key from p on, or NULL. */
const char *tls_pem_key(const char *p);

/* "--cert FILE: " and OpenSSL's reason, as why (64).  Returns -1. */
int tls_pem_fail(const struct tls_pem *, const char *what, struct why *);

#endif
