/* SPDX-License-Identifier: ISC */
/*
 * SHA-256 in hexadecimal digits.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>

#define HASH_HEX	65	/* bytes with the NUL */

/* Lower case, terminated. */
void hash_sha256(char hex[HASH_HEX], const void *, size_t);

#endif
