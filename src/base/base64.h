/* SPDX-License-Identifier: ISC */
/*
 * base64 with padding (RFC 4648 4).
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <sys/types.h>

#include <stddef.h>

#include "base/str.h"

/* Characters that stand for n bytes. */
#define BASE64_LEN(n)	(((n) + 2) / 3 * 4)

/* Into dst of BASE64_LEN(n) + 1 bytes, with a NUL.  Returns dst. */
char *base64_encode(char *dst, const void *src, size_t n);

/*
 * The bytes it stands for, into dst; how many, or -1 if there is no room or
 * an encoder would have spelled them otherwise (RFC 4648 3.3, 3.5): blanks,
 * padding that is missing or too much, bits that stand for nothing.
 */
ssize_t base64_decode(void *dst, size_t size, struct slice text);

#endif
