/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <string.h>

#include "base/punycode.h"
#include "base/utf8.h"

#define LABEL_MAX	63	/* RFC 1035 2.3.4 */

/* RFC 3492 5 */
enum { BASE = 36, TMIN = 1, TMAX = 26, SKEW = 38, DAMP = 700,
    INITIAL_BIAS = 72, INITIAL_N = 128 };

/* A letter in lower case: Latin, Greek and Cyrillic alphabets only. */
static uint32_t
small(uint32_t c)
{
	if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) ||
	    (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
		return c + 0x20;
	if (c >= 0x400 && c <= 0x40f)
		return c + 0x50;
	if ((c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177))
		return c | 1;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
		return c + (c & 1);
	return c;
}

/* RFC 3492 6.1 */
static uint32_t
adapt(uint32_t delta, uint32_t points, int first)
{
	uint32_t k = 0;

	delta = first ? delta / DAMP : delta / 2;
	delta += delta / points;
	for (; delta > (BASE - TMIN) * TMAX / 2; k += BASE)
		delta /= BASE - TMIN;
	return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}

static char
digit(uint32_t d)
{
	return (char)(d < 26 ? 'a' + d : '0' + (d - 26));
}

/*
 * Adds a generalized variable-length integer (RFC 3492 3.3) to the n bytes of
 * out.  The new length, LABEL_MAX at most.
 */
static size_t
put_number(char *out, size_t n, uint32_t q, uint32_t bias)
{
	uint32_t k, t;

	for (k = BASE; n < LABEL_MAX; k += BASE) {
		t = k <= bias ? TMIN : k >= bias + TMAX ? TMAX : k - bias;
		if (q < t)
			break;
		out[n++] = digit(t + (q - t) % (BASE - t));
		q = (q - t) / (BASE - t);
	}
	if (n < LABEL_MAX)
		out[n++] = digit(q);
	return n;
}

/*
 * Encodes a label (RFC 3492 6.3), without its "xn--".  The length, LABEL_MAX if
 * it is too long.
 */
static size_t
encode(char *out, const uint32_t *c, uint32_t len)
{
	uint32_t n = INITIAL_N, bias = INITIAL_BIAS, delta = 0, next;
	uint32_t i, h, b = 0;
	size_t used;

	for (i = 0; i < len; i++)
		if (c[i] < 0x80)
			out[b++] = (char)c[i];
	used = h = b;
	if (b > 0)
		out[used++] = '-';
	while (h < len && used < LABEL_MAX) {
		for (next = UINT32_MAX, i = 0; i < len; i++)
			if (c[i] >= n && c[i] < next)
				next = c[i];
		delta += (next - n) * (h + 1);
		for (n = next, i = 0; i < len; i++) {
			delta += c[i] < n;
			if (c[i] != n)
				continue;
			used = put_number(out, used, delta, bias);
			bias = adapt(delta, h + 1, h == b);
			delta = 0;
			h++;
		}
		delta++;
		n++;
	}
	return used;
}

/* Adds a label, p up to end, to dst.  0, or -1. */
static int
add_label(char *dst, size_t size, const char *p, const char *end)
{
	uint32_t c[LABEL_MAX];
	char out[2 * LABEL_MAX];
	size_t len = 0, i, n;
	int is_ascii = 1;

	for (; p < end && len < LABEL_MAX; len++) {
		p += utf8_first(p, &c[len]);
		c[len] = small(c[len]);
		is_ascii &= c[len] < 0x80;
	}
	if (p < end || len == 0)
		return -1;
	for (i = n = 0; is_ascii && i < len; i++)
		out[n++] = (char)c[i];
	if (!is_ascii)
		n = encode(out, c, (uint32_t)len);
	out[n] = '\0';
	if (n > LABEL_MAX - (is_ascii ? 0 : 4))
		return -1;
	return (is_ascii || strlcat(dst, "xn--", size) < size) &&
	    strlcat(dst, out, size) < size ? 0 : -1;
}

int
punycode_host(char *dst, size_t size, const char *host)
{
	struct utf8 u;
	const char *dot;

	utf8_begin(&u);
	if (utf8_feed(&u, (const uint8_t *)host, strlen(host)) == -1 ||
	    !utf8_complete(&u))
		return -1;
	dst[0] = '\0';
	for (;; host = dot + 1) {
		dot = host + strcspn(host, ".");
		if (add_label(dst, size, host, dot) == -1)
			return -1;
		if (*dot == '\0')
			return 0;
		if (strlcat(dst, ".", size) >= size)
			return -1;
	}
}
