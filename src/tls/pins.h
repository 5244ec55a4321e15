/* SPDX-License-Identifier: ISC */
/*
 * The public keys that alone are accepted, as hashes (RFC 7469 2.4).
 */
#ifndef TLS_PINS_H
#define TLS_PINS_H

#include "base/error.h"
#include "tls/openssl.h"

#define TLS_PINS_MAX	16
#define TLS_PIN_BYTES	32	/* of SHA-256 */

struct tls_pins {
	unsigned int n;		/* 0: any key */
	unsigned char hash[TLS_PINS_MAX][TLS_PIN_BYTES];
};

/*
 * From "sha256//BASE64;sha256//BASE64", as curl(1) has it, or NULL.  0, or -1
 * and why (64).
 */
int pins_parse(struct tls_pins *, const char *words, struct error *);

/* Is the certificate's key among them?  0, or -1 and why (77). */
int pins_check(const struct tls_pins *, X509 *, const char *name,
    struct error *);

/* A certificate's key in that form, "" if it cannot be read.  Returns dst. */
char *pins_print(char *dst, size_t size, X509 *);

#endif
