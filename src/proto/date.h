/* SPDX-License-Identifier: ISC */
/*
 * Dates in HTTP fields.
 */
#ifndef PROTO_DATE_H
#define PROTO_DATE_H

#include <stdint.h>

#include "base/str.h"

/*
 * Parses a date by the rules for cookies (RFC 6265 5.1.1), which accept all
 * three forms of RFC 9110 5.6.7.  0 and *seconds since 1970 (UTC; the years
 * 1601 to 9999); or -1 if it is no date.
 */
int date_parse(struct slice, int64_t *seconds);

/*
 * Writes "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7); seconds since 1970,
 * not negative.  Returns dst.
 */
#define DATE_MAX	30	/* bytes, with the NUL */
char *date_write(char dst[DATE_MAX], int64_t seconds);

#endif
