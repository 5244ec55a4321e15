/* SPDX-License-Identifier: ISC */
/*
 * UTF-8 (RFC 3629): an incremental check, for text messages; characters.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

struct utf8 {
	uint8_t need;		/* continuation bytes still missing */
	uint8_t lo, hi;		/* range of the next one */
};

void utf8_begin(struct utf8 *);

/* 0, or -1 as soon as no continuation could make the bytes valid. */
int utf8_feed(struct utf8 *, const uint8_t *, size_t);

/*
 * The first character of a text: its value and how many bytes it has, 0 if they
 * are not UTF-8 or there is none.
 */
size_t utf8_first(const char *, uint32_t *value);

/* Does the text end on a character's boundary? */
int utf8_complete(const struct utf8 *);

#endif
