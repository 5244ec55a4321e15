/* SPDX-License-Identifier: ISC */
/*
 * Base64 with padding (RFC 4648 4).
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <sys/types.h>

#include <stddef.h>

#include "base/str.h"

/* The number of characters that n bytes are encoded in. */
#define BASE64_LEN(n)	(((n) + 2) / 3 * 4)

/*
 * Encodes n bytes; dst has BASE64_LEN(n) + 1 bytes, with the NUL.  Returns dst.
 */
char *base64_encode(char *dst, const void *src, size_t n);

/*
 * Decodes a text into dst, of size bytes.  The number of bytes, or -1 if they
 * do not fit, or if the text is not what an encoder writes (RFC 4648 3.3, 3.5):
 * it has other characters, too much or too little padding, or unused bits that
 * are set.
 */
ssize_t base64_decode(void *dst, size_t size, struct slice text);

#endif
