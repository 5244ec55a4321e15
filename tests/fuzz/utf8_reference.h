/* SPDX-License-Identifier: ISC */
/*
 * UTF-8 as the harnesses understand it, written without looking at
 * src/base/utf8.c: a prefix stands for a range of code points, and is good
 * as long as one of them may be written in that many bytes.
 */
#ifndef UTF8_REFERENCE_H
#define UTF8_REFERENCE_H

#include <stdint.h>

struct utf8_reference {
	uint32_t value;		/* the bits so far */
	int left;		/* bytes still to come */
	uint32_t least;		/* that needs so many bytes */
};

/* 0, or -1 if nothing that begins like this is UTF-8. */
static int
utf8_reference(struct utf8_reference *u, uint8_t c)
{
	uint32_t low, high;

	if (u->left == 0) {
		if (c < 0x80)
			return 0;
		if ((c & 0xe0) == 0xc0) {
			u->left = 1;
			u->least = 0x80;
			u->value = c & 0x1f;
		} else if ((c & 0xf0) == 0xe0) {
			u->left = 2;
			u->least = 0x800;
			u->value = c & 0x0f;
		} else if ((c & 0xf8) == 0xf0) {
			u->left = 3;
			u->least = 0x10000;
			u->value = c & 0x07;
		} else
			return -1;
	} else {
		if ((c & 0xc0) != 0x80)
			return -1;
		u->value = u->value << 6 | (c & 0x3f);
		u->left--;
	}
	low = u->value << (6 * u->left);
	high = low | ((1u << (6 * u->left)) - 1);
	if (high < u->least || low > 0x10ffff)
		return -1;
	return low >= 0xd800 && high <= 0xdfff ? -1 : 0;
}

#endif
