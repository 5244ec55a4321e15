/* SPDX-License-Identifier: ISC */
/*
 * Facts about a server's certificate and connection, as printable text: filled
 * in by a handshake (see tls_ctx_watch()).
 */
#ifndef TLS_CERT_H
#define TLS_CERT_H

#include <stdint.h>

#define CERT_CHAIN_MAX	8

struct cert {
	int known;		/* 0: nothing of this is filled in */
	int verified;		/* 0: refused, or not asked for */
	char version[16];	/* "TLSv1.3" */
	char cipher[64];
	char names[160];	/* of the leaf: subject / alternative names */
	char issuer[120];
	char pin[64];		/* "sha256//" and base64, as --pinnedpubkey */
	char from[24], until[24];	/* "2026-11-21T08:00:00Z" */
	unsigned int n;		/* of the chain, the leaf is its first */
	struct {
		char subject[120];
		int64_t not_after;	/* seconds since 1970 */
	} chain[CERT_CHAIN_MAX];
};

#endif
