/* SPDX-License-Identifier: ISC */
/*
 * Fields of a request that a user gives, as "Name: value": what they may be,
 * and lists of them as they stand in a head.
 */
#ifndef PROTO_HEADER_H
#define PROTO_HEADER_H

#include <stddef.h>

#include "proto/addr.h"

enum header_for { HEADER_SERVER, HEADER_PROXY };

/*
 * May this field stand in a request of ours?  Not what belongs to the
 * handshake or to one hop only (RFC 9110 7.6.1), what has an option of its
 * own, nor a proxy's credentials in a request to a server; and nothing with
 * control characters, which would begin another field.  0, or -1 with one
 * line in err, which names the field and never shows its value.
 */
int header_check(const char *field, enum header_for, char *err, size_t errlen);

/*
 * Checks a field and appends it to lines, as a line that ends in CRLF.  0, or
 * -1 with err, also if there is no room: lines are as they were then.
 */
int header_add(char *lines, size_t size, const char *field, enum header_for,
    char *err, size_t errlen);

/* Does one of these lines have this name? */
int header_has(const char *lines, const char *name);

/*
 * Is this field ("Name: value") meant for one host only, and not to be sent
 * to where a redirect leads?  What holds secrets, by its name.
 */
int header_is_private(const char *field);

#define HEADER_BASIC_MAX	((URL_USER_MAX + 4) / 3 * 4 + 64)

/*
 * The line "NAME: Basic ...", with CRLF, for "user:password" (RFC 7617): of at
 * most URL_USER_MAX bytes; a missing password is an empty one.  Returns dst.
 */
char *header_basic(char dst[HEADER_BASIC_MAX], const char *name,
    const char *user);

#endif
