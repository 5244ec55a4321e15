/* SPDX-License-Identifier: ISC */
/*
 * The Test Anything Protocol in a few lines.  A test program calls ok() and
 * is(), and ends with "return done_testing();".
 */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_count, tap_failed;

/* A bound, on a machine that is slower by $INETWS_TEST_SCALE. */
__attribute__((unused))
static int
scaled(int bound)
{
	const char *scale = getenv("INETWS_TEST_SCALE");

	return scale != NULL ? (int)(bound * strtod(scale, NULL)) : bound;
}

__attribute__((unused, format(printf, 2, 3)))
static int
ok(int good, const char *fmt, ...)
{
	char name[512];
	va_list ap;

	tap_count++;
	if (!good)
		tap_failed++;
	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	printf("%sok %d - %s\n", good ? "" : "not ", tap_count, name);
	if (!good)
		fprintf(stderr, "# %s: failed %d: %s\n", __BASE_FILE__,
		    tap_count, name);
	return good;
}

/* Two numbers are the same. */
__attribute__((unused))
static int
is(long long got, long long want, const char *name)
{
	int good = ok(got == want, "%s", name);

	if (!good)
		fprintf(stderr, "# got %lld, want %lld\n", got, want);
	return good;
}

/* Two strings are the same; NULL differs from every string. */
__attribute__((unused))
static int
is_str(const char *got, const char *want, const char *name)
{
	int good = ok(got != NULL && strcmp(got, want) == 0, "%s", name);

	if (!good)
		fprintf(stderr, "# got '%s', want '%s'\n", got ? got : "(null)", want);
	return good;
}

__attribute__((unused))
static int
done_testing(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed != 0;
}

#endif
