/* SPDX-License-Identifier: ISC */
/*
 * PEM files read as a whole, in memory that is wiped after use.
 */
#ifndef TLS_PEM_H
#define TLS_PEM_H

#include "base/error.h"
#include "tls/openssl.h"

/* A file and the option that named it, for errors. */
struct pem_file {
	const char *option, *path;
	char *text;		/* NUL-terminated */
	size_t len;
};

/*
 * Reads a file; pem_close() wipes it.  0, or -1 and why (64), also if it has
 * no PEM block.
 */
int pem_open(struct pem_file *, const char *option, const char *path,
    struct error *);
void pem_close(struct pem_file *);

/* Adds all certificates to the stack.  0, or -1 and why (64). */
int pem_certs(const struct pem_file *, STACK_OF(X509) *, struct error *);

/* The next block that holds a private key from p on, or NULL. */
const char *pem_key(const char *p);

/* "--cert FILE: " and OpenSSL's reason, as why (64).  Returns -1. */
int pem_fail(const struct pem_file *, const char *what, struct error *);

#endif
