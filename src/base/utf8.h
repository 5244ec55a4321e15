/* SPDX-License-Identifier: ISC */
/*
 * Incremental check of UTF-8 (RFC 3629) for text messages.
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

/* Does the text end on a character's boundary? */
int utf8_complete(const struct utf8 *);

#endif
