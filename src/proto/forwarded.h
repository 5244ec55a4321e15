/* SPDX-License-Identifier: ISC */
/*
 * The fields by which proxies tell where a request came from:
 * X-Forwarded-For, X-Real-IP, Forwarded (RFC 7239).
 */
#ifndef PROTO_FORWARDED_H
#define PROTO_FORWARDED_H

#include <stddef.h>
#include <stdint.h>

#include "proto/http.h"
#include "proto/ip.h"

#define FORWARDED_FIELD_MAX	(IP_TEXT_MAX + 32)

/*
 * The rightmost address that is not trusted, or the leftmost if all are: each
 * proxy appends the address it saw, and only what trusted ones appended is
 * believed.  name is the field's; "Forwarded" is read by its for= parameters.
 * 1 and *from; 0 if the field is missing or its last element is no address: no
 * proxy has vouched for what stands left of one that cannot be read.  -1 if a
 * Forwarded is not as RFC 7239 4 has it: a client's quote that does not end
 * would swallow what the proxy appended.
 */
int forwarded_from(const struct http_head *, const char *name,
    int (*trusts)(const void *, const struct ip *), const void *arg,
    struct ip *from, uint16_t *port);

/* "Forwarded: for=..." for a peer's address.  Returns dst. */
char *forwarded_write(char dst[FORWARDED_FIELD_MAX], const struct ip *,
    uint16_t port);

#endif
