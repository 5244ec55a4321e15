/* SPDX-License-Identifier: ISC */
/*
 * Dates of HTTP fields.
 */
#ifndef PROTO_DATE_H
#define PROTO_DATE_H

#include <stdint.h>

#include "base/str.h"

/*
 * Reads a date as RFC 6265 5.1.1 does for cookies, which takes all three forms
 * of RFC 9110 5.6.7 too.  *seconds since 1970 in UTC, from the year 1601 to
 * 9999.  0, or -1 if it is none.
 */
int date_parse(struct slice, int64_t *seconds);

/* Writes "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7), from 1970 on. */
#define DATE_MAX	30	/* with the end of the string */
char *date_write(char dst[DATE_MAX], int64_t seconds);

#endif
