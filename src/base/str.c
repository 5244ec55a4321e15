/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

static int
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct slice
slice_of(const char *s)
{
	struct slice r = { s, s == NULL ? 0 : strlen(s) };

	return r;
}

struct slice
slice_between(const char *from, const char *to)
{
	return (struct slice){ from, (size_t)(to - from) };
}

struct slice
slice_skip(struct slice s, size_t n)
{
	return (struct slice){ s.p + n, s.len - n };
}

struct slice
slice_trim(struct slice s)
{
	while (s.len > 0 && is_blank(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

const char *
slice_find(struct slice s, char c)
{
	return s.len == 0 ? NULL : memchr(s.p, c, s.len);
}

int
slice_is(struct slice a, const char *s)
{
	size_t len = strlen(s);

	return a.p != NULL && a.len == len && memcmp(a.p, s, len) == 0;
}

/* strncasecmp(3) knows only ASCII: the program never calls setlocale(3). */
int
slice_same_nocase(struct slice a, struct slice b)
{
	return a.p != NULL && b.p != NULL && a.len == b.len &&
	    strncasecmp(a.p, b.p, a.len) == 0;
}

int
slice_is_nocase(struct slice a, const char *s)
{
	return slice_same_nocase(a, slice_of(s));
}

const char *
slice_find_nocase(struct slice s, const char *word)
{
	size_t i, n = strlen(word);

	for (i = 0; i + n <= s.len; i++)
		if (slice_is_nocase((struct slice){ s.p + i, n }, word))
			return s.p + i;
	return NULL;
}

/* Length of the element at p, up to a comma that is not quoted. */
static size_t
element_length(const char *p, size_t len)
{
	size_t i;
	int quoted = 0;

	for (i = 0; i < len; i++) {
		if (quoted && p[i] == '\\' && i + 1 < len)
			i++;		/* quoted-pair, RFC 9110 5.6.4 */
		else if (p[i] == '"')
			quoted = !quoted;
		else if (p[i] == ',' && !quoted)
			break;
	}
	return i;
}

int
slice_next(struct slice *list, struct slice *element)
{
	const char *p, *end, *e;

	if (list->p == NULL)
		return 0;
	p = list->p;
	end = p + list->len;
	while (p < end && (is_blank(*p) || *p == ','))
		p++;
	e = p + element_length(p, (size_t)(end - p));
	list->p = e;
	list->len = (size_t)(end - e);
	while (e > p && is_blank(e[-1]))
		e--;
	element->p = p;
	element->len = (size_t)(e - p);
	return e > p;
}

int
slice_has_token(struct slice list, const char *token)
{
	struct slice element;

	while (slice_next(&list, &element))
		if (slice_is_nocase(element, token))
			return 1;
	return 0;
}

int
slice_copy(char *dst, size_t size, struct slice s)
{
	size_t n = s.len, i;

	if (size == 0)
		return -1;
	if (n > size - 1)
		n = size - 1;
	for (i = 0; i < n && s.p[i] != '\0'; i++)
		dst[i] = s.p[i];
	dst[i] = '\0';
	return i == s.len ? 0 : -1;
}

char *
str_hex(char *dst, const void *src, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = src;
	size_t i;

	for (i = 0; i < len; i++) {
		dst[2 * i] = digits[p[i] >> 4];
		dst[2 * i + 1] = digits[p[i] & 15];
	}
	dst[2 * len] = '\0';
	return dst;
}

/* Writes one byte as str_escape() shows it: how many characters, up to 4. */
static size_t
escape_byte(char *dst, unsigned char c)
{
	if (c >= ' ' && c < 0x7f && c != '"' && c != '\\') {
		dst[0] = (char)c;
		return 1;
	}
	dst[0] = '\\';
	if (c == '\n' || c == '\t' || c == '\r') {
		dst[1] = (char)(c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
		return 2;
	}
	dst[1] = 'x';
	str_hex(dst + 2, &c, 1);
	return 4;
}

/* cut: the last place where "..." and the NUL fit. */
char *
str_escape(char *dst, size_t size, const void *src, size_t len)
{
	const unsigned char *p = src;
	char unit[5];
	size_t i, n, at = 0, cut = 0;

	for (i = 0; i < len; i++) {
		n = escape_byte(unit, p[i]);
		if (at + 4 <= size)
			cut = at;
		if (at + n + 1 > size) {
			memcpy(dst + cut, "...", 4);
			return dst;
		}
		memcpy(dst + at, unit, n);
		at += n;
	}
	dst[at] = '\0';
	return dst;
}

size_t
slice_digits(struct slice s, uint64_t max, uint64_t *value)
{
	uint64_t v = 0;
	unsigned int d;
	size_t i;

	for (i = 0; i < s.len && str_is_digit(s.p[i]); i++) {
		d = (unsigned int)(s.p[i] - '0');
		if (d > max || v > (max - d) / 10)
			return 0;
		v = v * 10 + d;
	}
	if (i > 0)
		*value = v;
	return i;
}

int
slice_number(struct slice s, uint64_t min, uint64_t max, uint64_t *value)
{
	uint64_t v;

	if (s.len == 0 || (s.len > 1 && s.p[0] == '0') ||
	    slice_digits(s, max, &v) != s.len || v < min)
		return -1;
	*value = v;
	return 0;
}

int
slice_is_field_value(struct slice s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.p[i] != '\t' && str_is_control(s.p[i]))
			return 0;
	return 1;
}

int
slice_is_hex(struct slice s, size_t len)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if ((s.p[i] < '0' || s.p[i] > '9') &&
		    (s.p[i] < 'a' || s.p[i] > 'f') &&
		    (s.p[i] < 'A' || s.p[i] > 'F'))
			return 0;
	return s.len == len;
}

int
str_duration(const char *s, int64_t *ms)
{
	static const struct { const char *name; unsigned int ms; } unit[] = {
		{ "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
		{ "h", 3600000 }
	};
	uint64_t v;
	size_t i, n;

	n = slice_digits(slice_of(s), INT32_MAX, &v);
	if (n == 0)
		return -1;
	s += n;
	for (i = 0; i < sizeof(unit) / sizeof(unit[0]); i++) {
		if (strcmp(s, unit[i].name) != 0)
			continue;
		if (v * unit[i].ms > INT32_MAX)
			return -1;
		*ms = (int64_t)(v * unit[i].ms);
		return 0;
	}
	return -1;
}

int
str_size(const char *s, uint64_t *bytes)
{
	uint64_t v;
	int shift = 0;
	size_t n = slice_digits(slice_of(s), UINT64_MAX, &v);

	if (n == 0)
		return -1;
	s += n;
	switch (*s) {
	case 'k': case 'K': shift = 10; s++; break;
	case 'm': case 'M': shift = 20; s++; break;
	case 'g': case 'G': shift = 30; s++; break;
	}
	if (*s != '\0' || v > UINT64_MAX >> shift)
		return -1;
	*bytes = v << shift;
	return 0;
}

/* Writes n digits of a number and a character behind them; returns the end. */
static char *
put_digits(char *p, unsigned int n, unsigned int value, char behind)
{
	unsigned int i;

	for (i = n; i-- > 0; value /= 10)
		p[i] = (char)('0' + value % 10);
	p[n] = behind;
	return p + n + 1;
}

/*
 * Days are counted from 1 March of the year 0, as if each year began in March:
 * so the leap day is the last day of a year, and any five months in a row have
 * 153 days.  An era is 400 years of the Gregorian calendar, 146097 days.
 */
char *
str_time(char dst[STR_TIME_MAX], int64_t ms)
{
	unsigned int day = (unsigned int)(ms / 86400000 + 719468);
	unsigned int rest = (unsigned int)(ms % 86400000);
	unsigned int era = day / 146097, of_era, year, month, of_year;
	char *p = dst;

	of_era = day % 146097;
	year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) /
	    365;
	of_year = of_era - (365 * year + year / 4 - year / 100);
	month = (5 * of_year + 2) / 153;
	day = of_year - (153 * month + 2) / 5 + 1;
	month = month < 10 ? month + 3 : month - 9;
	p = put_digits(p, 4, 400 * era + year + (month <= 2), '-');
	p = put_digits(p, 2, month, '-');
	p = put_digits(p, 2, day, 'T');
	p = put_digits(p, 2, rest / 3600000, ':');
	p = put_digits(p, 2, rest / 60000 % 60, ':');
	p = put_digits(p, 2, rest / 1000 % 60, '.');
	p = put_digits(p, 3, rest % 1000, 'Z');
	*p = '\0';
	return dst;
}

/* Rounded down, so that it never says "60s" or "59m60s". */
char *
str_ms(char *dst, size_t size, int64_t ms)
{
	int64_t s;

	if (ms < 0)
		ms = 0;
	s = ms / 1000;
	if (ms < 1000)
		snprintf(dst, size, "%" PRId64 "ms", ms);
	else if (s < 60)
		snprintf(dst, size, "%" PRId64 ".%" PRId64 "s", s,
		    ms % 1000 / 100);
	else if (s < 3600)
		snprintf(dst, size, "%" PRId64 "m%02" PRId64 "s", s / 60,
		    s % 60);
	else
		snprintf(dst, size, "%" PRId64 "h%02" PRId64 "m", s / 3600,
		    s % 3600 / 60);
	return dst;
}

char *
str_size_short(char *dst, size_t size, uint64_t bytes)
{
	static const char units[] = { 'k', 'm', 'g' };
	unsigned int i = 0;

	while (bytes >= 1024 && i < sizeof(units)) {
		bytes /= 1024;
		i++;
	}
	if (i == 0)
		snprintf(dst, size, "%" PRIu64, bytes);
	else
		snprintf(dst, size, "%" PRIu64 "%c", bytes, units[i - 1]);
	return dst;
}

char *
str_min_s(char *dst, size_t size, int64_t ms)
{
	int64_t s = (ms + 500) / 1000;

	if (s < 60)
		snprintf(dst, size, "%" PRId64 " s", s);
	else
		snprintf(dst, size, "%" PRId64 " min %" PRId64 " s", s / 60,
		    s % 60);
	return dst;
}

/* The largest number of 64 bits is 18.4 EB. */
char *
str_bytes(char *dst, size_t size, uint64_t bytes)
{
	static const char *const unit[] = { "kB", "MB", "GB", "TB", "PB",
	    "EB" };
	uint64_t scale = 1000;
	size_t i = 0;

	if (bytes < 1000) {
		snprintf(dst, size, "%" PRIu64 " B", bytes);
		return dst;
	}
	while (bytes / scale >= 1000) {
		scale *= 1000;
		i++;
	}
	snprintf(dst, size, "%" PRIu64 ".%" PRIu64 " %s", bytes / scale,
	    bytes % scale / (scale / 10), unit[i]);
	return dst;
}

int
str_bad(char *err, size_t errlen, const char *what, struct slice word)
{
	char shown[64];

	str_escape(shown, sizeof(shown), word.p, word.len);
	snprintf(err, errlen, "'%s' %s", shown, what);
	return -1;
}

char
str_shown(char c)
{
	return (char)(c >= ' ' && c < 0x7f ? c : '?');
}

void
str_copy_shown(char *dst, const char *src, size_t size)
{
	size_t i;

	for (i = 0; i + 1 < size && src[i] != '\0'; i++)
		dst[i] = str_shown(src[i]);
	memset(dst + i, 0, size - i);
}
