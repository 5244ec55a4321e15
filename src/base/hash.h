/* SPDX-License-Identifier: ISC */
/*
 * SHA-256, and a fast hash that is not cryptographic.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_HEX	65	/* bytes, with the NUL */
#define HASH_BASE64	45	/* bytes, with the NUL */

/* SHA-256 of len bytes, as lower-case hexadecimal digits, or in base64. */
void hash_sha256(char hex[HASH_HEX], const void *, size_t len);
void hash_sha256_base64(char dst[HASH_BASE64], const void *, size_t len);

/*
 * FNV-1a.  hash is HASH_BEGIN at first, then what the call for the piece before
 * returned.  For hash tables and to compare: who chooses the bytes can make
 * collisions.
 */
#define HASH_BEGIN	14695981039346656037u
uint64_t hash_add(uint64_t hash, const void *, size_t len);

#endif
