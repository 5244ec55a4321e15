/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "proto/date.h"

/* The parts of a date; -1: not found yet. */
struct date {
	int hour, minute, second, day, month, year;
};

/* A delimiter of RFC 6265 5.1.1. */
static int
is_delimiter(char c)
{
	return c == '\t' || (c >= ' ' && c <= '/') || (c >= ';' && c <= '@') ||
	    (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

/* The next token; 0 if there is none. */
static int
next_token(struct slice *s, struct slice *token)
{
	while (s->len > 0 && is_delimiter(s->p[0])) {
		s->p++;
		s->len--;
	}
	token->p = s->p;
	while (s->len > 0 && !is_delimiter(s->p[0])) {
		s->p++;
		s->len--;
	}
	token->len = (size_t)(s->p - token->p);
	return token->len > 0;
}

/*
 * Takes a number of min to max digits; the next character is no digit.  0, or
 * -1, and then *s must not be used any more.
 */
static int
take(struct slice *s, size_t min, size_t max, int *value)
{
	size_t n;

	*value = 0;
	for (n = 0; n < s->len && str_is_digit(s->p[n]); n++) {
		if (n == max)
			return -1;
		*value = *value * 10 + (s->p[n] - '0');
	}
	s->p += n;
	s->len -= n;
	return n >= min ? 0 : -1;
}

static int
take_colon(struct slice *s)
{
	if (s->len == 0 || s->p[0] != ':')
		return -1;
	s->p++;
	s->len--;
	return 0;
}

static int
take_time(struct slice s, struct date *d)
{
	int h, m, sec;

	if (take(&s, 1, 2, &h) == -1 || take_colon(&s) == -1 ||
	    take(&s, 1, 2, &m) == -1 || take_colon(&s) == -1 ||
	    take(&s, 1, 2, &sec) == -1)
		return -1;
	d->hour = h;
	d->minute = m;
	d->second = sec;
	return 0;
}

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* 1..12, or -1. */
static int
month_of(struct slice s)
{
	int i;

	for (i = 0; s.len >= 3 && i < 12; i++)
		if (strncasecmp(s.p, months + 3 * i, 3) == 0)
			return i + 1;
	return -1;
}

/*
 * Uses a token for the first part of the date that it can be, and that was not
 * found yet (RFC 6265 5.1.1, step 2).
 */
static void
use(struct slice token, struct date *d)
{
	struct slice rest = token;
	int n;

	if (d->hour == -1 && take_time(token, d) == 0)
		return;
	if (d->day == -1 && take(&rest, 1, 2, &n) == 0) {
		d->day = n;
		return;
	}
	if (d->month == -1 && (n = month_of(token)) != -1) {
		d->month = n;
		return;
	}
	rest = token;
	if (d->year == -1 && take(&rest, 2, 4, &n) == 0)
		d->year = n >= 100 ? n : n + (n >= 70 ? 1900 : 2000);
}

static int
days_in(int month, int year)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
	    31 };

	return days[month - 1] + (month == 2 && year % 4 == 0 &&
	    (year % 100 != 0 || year % 400 == 0));
}

/* From 1 March of the year 0 to 1 January 1970, as in str_time(). */
#define DAYS_TO_1970	719468

static int64_t
days_since_1970(const struct date *d)
{
	int64_t y = d->year - (d->month <= 2);
	int64_t m = d->month + (d->month <= 2 ? 9 : -3);

	return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 +
	    d->day - 1 - DAYS_TO_1970;
}

int
date_parse(struct slice s, int64_t *seconds)
{
	struct date d = { -1, -1, -1, -1, -1, -1 };
	struct slice token;

	while (next_token(&s, &token))
		use(token, &d);
	if (d.hour == -1 || d.day == -1 || d.month == -1 || d.year < 1601 ||
	    d.day == 0 || d.day > days_in(d.month, d.year) || d.hour > 23 ||
	    d.minute > 59 || d.second > 59)
		return -1;
	*seconds = days_since_1970(&d) * 86400 + d.hour * 3600 +
	    d.minute * 60 + d.second;
	return 0;
}

/* 1 January 1970 was a Thursday. */
char *
date_write(char dst[DATE_MAX], int64_t seconds)
{
	static const char days[] = "ThuFriSatSunMonTueWed";
	char t[STR_TIME_MAX];
	int month;

	str_time(t, seconds * 1000);
	month = (t[5] - '0') * 10 + t[6] - '0';
	snprintf(dst, DATE_MAX, "%.3s, %.2s %.3s %.4s %.8s GMT",
	    days + seconds / 86400 % 7 * 3, t + 8, months + 3 * (month - 1), t,
	    t + 11);
	return dst;
}
