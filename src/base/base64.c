/* SPDX-License-Identifier: ISC */
#include <stdint.h>

#include "base/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "abcdefghijklmnopqrstuvwxyz0123456789+/";

char *
base64_encode(char *dst, const void *src, size_t n)
{
	const uint8_t *from = src;
	char *to = dst;
	uint32_t bits;
	size_t i, have;

	for (; n > 0; from += have, n -= have) {
		have = n < 3 ? n : 3;
		bits = (uint32_t)from[0] << 16 |
		    (have > 1 ? from[1] << 8 : 0) | (have > 2 ? from[2] : 0);
		for (i = 0; i < 4; i++)
			*to++ = (char)(i > have ? '=' :
			    alphabet[bits >> (18 - 6 * i) & 63]);
	}
	*to = '\0';
	return dst;
}

/* The six bits that a character stands for (RFC 4648 4), or -1. */
static int
value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (str_is_digit(c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/*
 * Decodes four characters.  How many bytes they are: 3, or in the last ones,
 * which may be padded, 1 or 2; -1 if they are malformed.
 */
static int
quartet(uint8_t bytes[3], const char *text, int is_last)
{
	int n = 3, i, v;
	uint32_t bits = 0;

	if (is_last && text[3] == '=')
		n = text[2] == '=' ? 1 : 2;
	for (i = 0; i <= n; i++) {
		if ((v = value(text[i])) == -1)
			return -1;
		bits |= (uint32_t)v << (18 - 6 * i);
	}
	for (i = 0; i < 3; i++)
		bytes[i] = bits >> (16 - 8 * i) & 255;
	for (i = n; i < 3; i++)
		if (bytes[i] != 0)
			return -1;
	return n;
}

ssize_t
base64_decode(void *dst, size_t size, struct slice text)
{
	uint8_t *to = dst, bytes[3];
	size_t at, len = 0;
	int n, i;

	if (text.len % 4 != 0)
		return -1;
	for (at = 0; at < text.len; at += 4) {
		n = quartet(bytes, text.p + at, at + 4 == text.len);
		if (n == -1 || len + (size_t)n > size)
			return -1;
		for (i = 0; i < n; i++)
			to[len++] = bytes[i];
	}
	return (ssize_t)len;
}
