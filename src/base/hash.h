/* SPDX-License-Identifier: ISC */
/*
 * SHA-256 in hexadecimal digits, or in base64; and a quick hash.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_HEX	65	/* bytes with the NUL */

/* Lower case, terminated. */
void hash_sha256(char hex[HASH_HEX], const void *, size_t);

#define HASH_BASE64	45	/* likewise */

void hash_sha256_base64(char dst[HASH_BASE64], const void *, size_t);

/*
 * FNV-1a: begins with HASH_BEGIN, and goes on with what came of the piece before.
 * For tables and comparing; whoever chooses the text can make two meet.
 */
#define HASH_BEGIN	14695981039346656037u
uint64_t hash_add(uint64_t, const void *, size_t);

#endif
