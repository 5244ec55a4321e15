/* SPDX-License-Identifier: ISC */
/*
 * Small string tools.  Nothing here allocates.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stddef.h>
#include <stdint.h>

/* A part of a buffer that belongs to other code; not NUL-terminated. */
struct slice {
	const char *p;		/* NULL means absent */
	size_t len;
};

struct slice slice_of(const char *);

/* What two pointers into the same text include: from, up to but not to. */
struct slice slice_between(const char *from, const char *to);

/* Without the spaces and tabs at both ends (OWS, RFC 9110 5.6.3). */
struct slice slice_trim(struct slice);

/* The first of these characters in it, or NULL. */
const char *slice_find(struct slice, char);

/* Same length and bytes. */
int slice_is(struct slice, const char *);

/* The same, ASCII letters in any case. */
int slice_is_nocase(struct slice, const char *);

/*
 * Does a comma-separated list (RFC 9110 5.6.1) hold this token, in any case?
 * Empty elements are skipped, blanks around elements are ignored.
 */
int slice_has_token(struct slice list, const char *token);

/*
 * Takes the next element of a comma-separated list, without blanks around it;
 * commas in double quotes do not separate.  Returns 1 and moves *list past
 * it, or 0 at the end.
 */
int slice_next(struct slice *list, struct slice *element);

/* Copies into dst, always terminated.  0, or -1 if cut or a NUL is inside. */
int slice_copy(char *dst, size_t size, struct slice);

/*
 * Writes bytes for a log or a person: printable ASCII stays, everything else,
 * '"' and '\\' become \xNN (\n, \t, \r by name).  Always terminated; cut with
 * "..." when longer than the buffer (size at least 8).  Returns dst.
 */
char *str_escape(char *dst, size_t size, const void *src, size_t len);

/* Bytes as lower-case hexadecimal digits, terminated: 2 * len + 1 bytes. */
char *str_hex(char *dst, const void *src, size_t len);

/*
 * Reads decimal digits, as a number up to max, from the beginning: how many
 * there are; 0 if there is none, or if the number is larger.
 */
size_t slice_digits(struct slice, uint64_t max, uint64_t *value);

/*
 * Reads all of it as a number in min..max, without a sign, blanks or leading
 * zeros.  0, or -1 and *value is left as it is.
 */
int slice_number(struct slice, uint64_t min, uint64_t max, uint64_t *value);

/* A control character: below ' ', or DEL. */
static inline int
str_is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

/* No control characters but tabs (RFC 9110 5.5)? */
int slice_is_field_value(struct slice);

/* Is it of this length, and all hexadecimal digits? */
int slice_is_hex(struct slice, size_t len);

/*
 * A character of a text that came from elsewhere, as it may be shown on a
 * terminal, in HTML or in a label: printable ASCII stays, all else is '?'.
 */
char str_shown(char);

/*
 * Such a text.  Both places have this size, and may be the same; dst is always
 * terminated, and the rest of it zero.
 */
void str_copy_shown(char *dst, const char *src, size_t size);

/* "'word' is no port": what is wrong with a word, shown as above.  -1. */
int str_bad(char *err, size_t errlen, const char *what, struct slice word);

/*
 * A duration: seconds, or a number with ms, s, m or h ("500ms", "1.5h" is
 * refused).  0 or "0" switches off.  Milliseconds 0..2^31-1 in *ms; -1 if
 * malformed or out of range.
 */
int str_duration(const char *, int64_t *ms);

/* A size in bytes: a number with an optional k, m or g (powers of 1024). */
int str_size(const char *, uint64_t *bytes);

/*
 * "2026-11-21T15:46:02.729Z", RFC 3339 in UTC, of milliseconds since 1970 up
 * to the year 9999.  gmtime_r(3) would read the zone's file and copy a page.
 */
#define STR_TIME_MAX	25
char *str_time(char dst[STR_TIME_MAX], int64_t ms);

/* "1.2s", "340ms", "2m05s", "3h04m": for people.  Returns dst. */
char *str_ms(char *dst, size_t size, int64_t ms);

/* "512", "64k", "16m", as str_size() reads it, rounded down.  Returns dst. */
char *str_size_short(char *dst, size_t size, uint64_t bytes);

/* "45 s", "1 min 57 s", to the nearest second: for a sentence.  Returns dst. */
char *str_min_s(char *dst, size_t size, int64_t ms);

/* "512 B", "1.2 kB", "3.4 GB" (powers of 1000): for people.  Returns dst. */
char *str_bytes(char *dst, size_t size, uint64_t bytes);

#endif
