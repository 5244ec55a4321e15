/* SPDX-License-Identifier: ISC */
/*
 * SHA-256 in hexadecimal digits, or in base64.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>

#define HASH_HEX	65	/* bytes with the NUL */

/* Lower case, terminated. */
void hash_sha256(char hex[HASH_HEX], const void *, size_t);

#define HASH_BASE64	45	/* likewise */

void hash_sha256_base64(char dst[HASH_BASE64], const void *, size_t);

#endif
