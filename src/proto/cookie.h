/* SPDX-License-Identifier: ISC */
/*
 * Cookies (RFC 6265), as far as load balancers need them to lead all websockets
 * of a tunnel to the same server.  Without a list of public suffixes a cookie
 * for a whole domain would be unsafe: so each cookie is for one host, and one
 * whose Domain is not that host is dropped.  HttpOnly and SameSite are ignored.
 */
#ifndef PROTO_COOKIE_H
#define PROTO_COOKIE_H

#include <stdint.h>

#include "proto/addr.h"
#include "proto/http.h"

#define COOKIES_MAX	20
#define COOKIE_MAX	4096	/* bytes of name, "=", value and path */
#define COOKIES_SENT_MAX 8192	/* bytes of a Cookie field's value */

struct cookie {
	size_t name_len;	/* bytes of NAME in text; 0: unused */
	size_t pair_len;	/* bytes of NAME=VALUE in text */
	int64_t expires;	/* seconds since 1970; COOKIE_SESSION: never */
	uint64_t order;		/* a later cookie has a larger one */
	int secure;		/* only over TLS */
	char host[ADDR_HOST_MAX + 1];	/* lower case */
	char text[COOKIE_MAX + 2];	/* "NAME=VALUE", NUL, path, NUL */
};

#define COOKIE_SESSION	INT64_MAX

/* All cookies; set to zeros at first. */
struct cookies {
	uint64_t order;		/* of the last cookie */
	struct cookie of[COOKIES_MAX];
};

/*
 * Takes the cookies of an answer to a request for this URL.  now: seconds since
 * 1970 by our clock.  Expires is corrected by the difference between our clock
 * and the answer's Date, if it has one.
 */
void cookies_take(struct cookies *, const struct http_head *,
    const struct url *, int64_t now);

/*
 * Writes the value of Cookie for a request to this URL, "a=b; c=d", the longest
 * path first (RFC 6265 5.4); a cookie that does not fit is left out.
 * NUL-terminated.  The length, 0 if there is none.
 */
size_t cookies_write(char *dst, size_t size, const struct cookies *,
    const struct url *, int64_t now);

#endif
