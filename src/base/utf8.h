/* SPDX-License-Identifier: ISC */
/*
 * UTF-8 (RFC 3629): a check that goes on from one piece of a text to the next,
 * as for text messages; and characters.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The state of a check. */
struct utf8 {
	uint8_t need;		/* continuation bytes that are missing */
	uint8_t lo, hi;		/* range of the next one */
};

void utf8_begin(struct utf8 *);

/* Checks the next n bytes: 0, or -1 if the text cannot be UTF-8 any more. */
int utf8_feed(struct utf8 *, const uint8_t *, size_t n);

/*
 * The first character of a string: its number in Unicode.  Returns its length
 * in bytes; 0 if it is not UTF-8, or the string is empty.
 */
size_t utf8_first(const char *, uint32_t *value);

/* Is the last character complete? */
int utf8_complete(const struct utf8 *);

#endif
