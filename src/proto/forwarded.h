/* SPDX-License-Identifier: ISC */
/*
 * The fields in which reverse proxies write the address of a client:
 * X-Forwarded-For, X-Real-IP and Forwarded (RFC 7239).
 */
#ifndef PROTO_FORWARDED_H
#define PROTO_FORWARDED_H

#include <stddef.h>
#include <stdint.h>

#include "proto/http.h"
#include "proto/ip.h"

#define FORWARDED_FIELD_MAX (IP_TEXT_MAX + 32)	/* bytes, with the NUL */

/*
 * Finds the client's address in the field with this name; in "Forwarded" it is
 * in the parameters for=.  Each proxy appends the address that it saw, so the
 * list is read from the right: the client is the first address that is not a
 * trusted proxy's (trusts(arg, ip) is 0), or the leftmost one if all are
 * trusted.
 *
 * 1, *from and *port (0: none).  0 if there is no such field, or if an element
 * that is no address is met first: what is left of it, a client may have
 * written.  -1 if a Forwarded does not have the syntax of RFC 7239 4: a quote
 * of the client that does not end could hide what a proxy appended.
 */
int forwarded_from(const struct http_head *, const char *name,
    int (*trusts)(const void *, const struct ip *), const void *arg,
    struct ip *from, uint16_t *port);

/*
 * Writes the line "Forwarded: for=..." for a peer's address, without its CRLF.
 * Returns dst.
 */
char *forwarded_write(char dst[FORWARDED_FIELD_MAX], const struct ip *,
    uint16_t port);

#endif
