/* SPDX-License-Identifier: ISC */
/*
 * Slices of text, and small functions for strings.  Nothing here allocates.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stddef.h>
#include <stdint.h>

/*
 * A part of a text that belongs to other code and must stay there; it is not
 * NUL-terminated.
 */
struct slice {
	const char *p;		/* NULL: absent */
	size_t len;
};

/* All of a string; of NULL an absent slice. */
struct slice slice_of(const char *);

/* The bytes from one pointer up to, and without, the other one. */
struct slice slice_between(const char *from, const char *to);

/* Without its first n bytes (it has as many). */
struct slice slice_skip(struct slice, size_t n);

/* Without the spaces and tabs at both ends (OWS, RFC 9110 5.6.3). */
struct slice slice_trim(struct slice);

/* The first place of a character, or of a word in any case; NULL: nowhere. */
const char *slice_find(struct slice, char);
const char *slice_find_nocase(struct slice, const char *word);

/* Does it equal this string?  An absent slice equals none. */
int slice_is(struct slice, const char *);

/* Do they equal each other, with ASCII letters in any case? */
int slice_is_nocase(struct slice, const char *);
int slice_same_nocase(struct slice, struct slice);

/*
 * Has a comma-separated list (RFC 9110 5.6.1) this token, in any case?
 */
int slice_has_token(struct slice list, const char *token);

/*
 * Takes the next element of a comma-separated list (RFC 9110 5.6.1), without
 * blanks around it.  Empty elements are skipped; commas in double quotes do not
 * separate.  1, and *list is what follows it; or 0 at the end.
 */
int slice_next(struct slice *list, struct slice *element);

/*
 * Copies it into dst, always NUL-terminated.  0, or -1 if it was cut, because
 * it is too long or has a NUL inside.
 */
int slice_copy(char *dst, size_t size, struct slice);

/*
 * Writes bytes so that a log or a terminal can show them: printable ASCII
 * stays; newline, tab and CR become \n, \t and \r; everything else, '"' and
 * '\\' become \xNN.  Always NUL-terminated; what does not fit ends in "..."
 * (size is 8 or more).  Returns dst.
 */
char *str_escape(char *dst, size_t size, const void *src, size_t len);

/*
 * Writes bytes as lower-case hexadecimal digits; dst has 2 * len + 1 bytes.
 * Returns dst.
 */
char *str_hex(char *dst, const void *src, size_t len);

/*
 * Reads a decimal number from the beginning of a slice, which may go on behind
 * it.  The number of its digits; 0 if there is none, or if it is larger than
 * max.
 */
size_t slice_digits(struct slice, uint64_t max, uint64_t *value);

/*
 * Reads a whole slice as a decimal number min..max, without a sign, blanks or
 * leading zeros.  0, or -1 and *value stays as it is.
 */
int slice_number(struct slice, uint64_t min, uint64_t max, uint64_t *value);

/* ASCII letters and digits, whatever the locale. */
static inline int
str_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline int
str_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A control character: below ' ', or DEL. */
static inline int
str_is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

/*
 * May it be a field value: has it no control characters but tabs (RFC 9110
 * 5.5)?
 */
int slice_is_field_value(struct slice);

/* Has it this length, and only hexadecimal digits, in any case? */
int slice_is_hex(struct slice, size_t len);

/*
 * A character of a text of another program, as a terminal, HTML or a label of a
 * metric may show it: printable ASCII stays, everything else becomes '?'.
 */
char str_shown(char);

/*
 * Copies a text, each character by str_shown().  dst and src have this size
 * each, and may be the same; dst is NUL-terminated, and zero to its end.
 */
void str_copy_shown(char *dst, const char *src, size_t size);

/*
 * Writes "'WORD' WHAT" ("'x' is no port"), the word by str_escape().  Returns
 * -1.
 */
int str_bad(char *err, size_t errlen, const char *what, struct slice word);

/*
 * Reads a duration: a whole number of seconds, or with a unit ms, s, m or h
 * ("500ms").  0 and *ms is 0..2^31-1; or -1 if it is malformed or too large.
 */
int str_duration(const char *, int64_t *ms);

/*
 * Reads a size: a whole number of bytes, or with a unit k, m or g, in any case
 * (powers of 1024).  0, or -1.
 */
int str_size(const char *, uint64_t *bytes);

/*
 * Writes a time, in milliseconds since 1970 and before the year 10000, as
 * "2026-11-21T15:46:02.729Z" (RFC 3339, UTC).  gmtime_r(3) would do, but reads
 * the file of the time zone in each process.  Returns dst.
 */
#define STR_TIME_MAX	25	/* with the NUL */
char *str_time(char dst[STR_TIME_MAX], int64_t ms);

/* "1.2s", "340ms", "2m05s", "3h04m": for people.  Returns dst. */
char *str_ms(char *dst, size_t size, int64_t ms);

/* "512", "64k", "16m": rounded down; str_size() reads it.  Returns dst. */
char *str_size_short(char *dst, size_t size, uint64_t bytes);

/* "45 s", "1 min 57 s": to the nearest second, for sentences.  Returns dst. */
char *str_min_s(char *dst, size_t size, int64_t ms);

/* "512 B", "1.2 kB", "3.4 GB" (powers of 1000): for people.  Returns dst. */
char *str_bytes(char *dst, size_t size, uint64_t bytes);

#endif
