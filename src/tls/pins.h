/* SPDX-License-Identifier: ISC */
/*
 * The only public keys that are accepted, as hashes (RFC 7469 2.4).
 */
#ifndef TLS_PINS_H
#define TLS_PINS_H

#include "base/error.h"
#include "tls/openssl.h"

#define PINS_MAX	16
#define PIN_BYTES	32	/* of SHA-256 */

struct pins {
	unsigned int n;		/* 0: any key */
	unsigned char hash[PINS_MAX][PIN_BYTES];
};

/*
 * From "sha256//BASE64;sha256//BASE64", as curl(1) has it, or NULL.  0, or -1
 * and why (64).
 */
int pins_parse(struct pins *, const char *words, struct error *);

/* Is the certificate's key among them?  0, or -1 and why (77). */
int pins_check(const struct pins *, X509 *, const char *name,
    struct error *);

/* A certificate's key in that form, "" if it cannot be read.  Returns dst. */
char *pins_print(char *dst, size_t size, X509 *);

#endif
