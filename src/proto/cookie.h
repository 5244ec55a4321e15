/* SPDX-License-Identifier: ISC */
/*
 * Cookies (RFC 6265), as far as a balancer needs them to bring all websockets
 * of a tunnel to the same server.  There is no list of public suffixes, so
 * every cookie is for one host only; one for any other Domain is dropped.
 * Script and page attributes (HttpOnly, SameSite) mean nothing here.
 */
#ifndef PROTO_COOKIE_H
#define PROTO_COOKIE_H

#include <stdint.h>

#include "proto/addr.h"
#include "proto/http.h"

#define COOKIES_MAX	20
#define COOKIE_MAX	4096	/* bytes of a name, a value and a path */
#define COOKIES_SENT_MAX 8192	/* bytes of a Cookie field's value */

struct cookie {
	size_t name_len, pair_len;	/* of text; name_len 0: unused */
	int64_t expires;		/* COOKIE_SESSION: never */
	uint64_t order;			/* in which they came */
	int secure;
	char host[ADDR_HOST_MAX + 1];
	char text[COOKIE_MAX + 2];	/* "NAME=VALUE", NUL, path, NUL */
};

#define COOKIE_SESSION	INT64_MAX

/* All zeros at first. */
struct cookies {
	uint64_t order;
	struct cookie of[COOKIES_MAX];
};

/*
 * Takes the cookies of an answer to a request for this URL.  now: seconds since
 * 1970 by our clock; Expires is by the peer's, if the answer has a Date.
 */
void cookies_take(struct cookies *, const struct http_head *,
    const struct url *, int64_t now);

/*
 * Writes "a=b; c=d", those for a request to this URL, the longest path first;
 * what does not fit is left out.  Terminated; the length, 0: none.
 */
size_t cookies_write(char *dst, size_t size, const struct cookies *,
    const struct url *, int64_t now);

#endif
