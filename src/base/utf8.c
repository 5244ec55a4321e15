/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/utf8.h"

void
utf8_begin(struct utf8 *u)
{
	u->need = 0;		/* lead() sets the rest */
}

/*
 * Takes the first byte of a character, which says how many follow.  It also
 * limits the range of the second one, so that overlong forms, surrogates and
 * everything above U+10FFFF are refused (RFC 3629 4).
 */
static int
lead(struct utf8 *u, uint8_t c)
{
	u->lo = 0x80;
	u->hi = 0xbf;
	if (c < 0xc2 || c > 0xf4)
		return -1;
	if (c < 0xe0) {
		u->need = 1;
	} else if (c < 0xf0) {
		u->need = 2;
		if (c == 0xe0)
			u->lo = 0xa0;
		else if (c == 0xed)
			u->hi = 0x9f;
	} else {
		u->need = 3;
		if (c == 0xf0)
			u->lo = 0x90;
		else if (c == 0xf4)
			u->hi = 0x8f;
	}
	return 0;
}

int
utf8_feed(struct utf8 *u, const uint8_t *p, size_t n)
{
	uint64_t w;
	size_t i = 0;

	while (i < n) {
		if (u->need > 0) {
			if (p[i] < u->lo || p[i] > u->hi)
				return -1;
			u->lo = 0x80;
			u->hi = 0xbf;
			u->need--;
			i++;
		} else if (p[i] < 0x80) {
			i++;
			/* eight bytes at a time, while all are ASCII */
			for (; i + 8 <= n; i += 8) {
				memcpy(&w, p + i, 8);
				if (w & 0x8080808080808080ULL)
					break;
			}
		} else if (lead(u, p[i++]) == -1)
			return -1;
	}
	return 0;
}

int
utf8_complete(const struct utf8 *u)
{
	return u->need == 0;
}

size_t
utf8_first(const char *p, uint32_t *value)
{
	unsigned char first = (unsigned char)*p;
	struct utf8 u;
	size_t n = 1;

	utf8_begin(&u);
	if (first == '\0' || utf8_feed(&u, &first, 1) == -1)
		return 0;
	*value = u.need == 0 ? first : first & (0x3fu >> u.need);
	for (; u.need > 0; n++) {
		if (utf8_feed(&u, (const uint8_t *)p + n, 1) == -1)
			return 0;
		*value = *value << 6 | ((unsigned char)p[n] & 0x3f);
	}
	return n;
}
