/* SPDX-License-Identifier: ISC */
/*
 * Header fields that users give, as "Name: value" (--header, --proxy-header,
 * and the programs for them): checking them, and writing them as lines of a
 * head.
 */
#ifndef PROTO_HEADER_H
#define PROTO_HEADER_H

#include <stddef.h>

#include "proto/addr.h"

/* Who gets the field. */
enum header_for { HEADER_SERVER, HEADER_PROXY };

/*
 * May a user set this field?  Refused are fields of the handshake and of one
 * hop (RFC 9110 7.6.1), those that have an option of their own, credentials for
 * a proxy in a request to a server, and values with control characters, which
 * could begin another field.  0, or -1 with one line in err, which names the
 * field and does not show its value.
 */
int header_check(const char *field, enum header_for, char *err, size_t errlen);

/*
 * Checks a field and appends it to lines, a string of at most size bytes, with
 * CRLF. 0; or -1 with err, also if it does not fit, and lines are unchanged.
 */
int header_add(char *lines, size_t size, const char *field, enum header_for,
    char *err, size_t errlen);

/* Has one of these lines a field with this name, in any case? */
int header_has(const char *lines, const char *name);

/*
 * Does this field ("Name: value") hold a secret, by its name?  It is sent to
 * one host only, and not to where a redirect leads.
 */
int header_is_private(const char *field);

#define HEADER_BASIC_MAX	((URL_USER_MAX + 4) / 3 * 4 + 64)

/*
 * Writes the line "NAME: Basic ...", with CRLF, for "user:password" (RFC 7617),
 * which has at most URL_USER_MAX bytes; "user" alone has an empty password.
 * Returns dst.
 */
char *header_basic(char dst[HEADER_BASIC_MAX], const char *name,
    const char *user);

#endif
