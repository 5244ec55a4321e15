/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <strings.h>

#include "proto/ip.h"
#include "proto/origin.h"

#define OPAQUE	"null"	/* an origin that is not told, RFC 6454 7.1 */

/* host[:port], the brackets of IPv6 belong to the host. */
struct place {
	struct slice host, port;	/* port.p is NULL if there is none */
};

static int
same(struct slice a, struct slice b)
{
	return a.len == b.len && strncasecmp(a.p, b.p, a.len) == 0;
}

static int
parse_place(struct place *to, struct slice s)
{
	const char *colon = s.len == 0 ? NULL : memrchr(s.p, ':', s.len);

	to->host = s;
	to->port = (struct slice){ NULL, 0 };
	if (s.len == 0 || slice_find(s, '/') != NULL ||
	    slice_find(s, '@') != NULL)
		return -1;
	if (colon == NULL || s.p[s.len - 1] == ']')
		return 0;
	to->host.len = (size_t)(colon - s.p);
	to->port = slice_between(colon + 1, s.p + s.len);
	return to->host.len > 0 && to->port.len > 0 ? 0 : -1;
}

/* Parts "https://example.org:8443"; 0 or -1, as for "null". */
static int
parse_origin(struct slice *scheme, struct place *at, struct slice origin)
{
	const char *p = origin.len == 0 ? NULL :
	    memmem(origin.p, origin.len, "://", 3);

	if (p == NULL || p == origin.p)
		return -1;
	*scheme = slice_between(origin.p, p);
	for (p = origin.p; p < scheme->p + scheme->len; p++)
		if (!((*p | 32) >= 'a' && (*p | 32) <= 'z') &&
		    !(*p >= '0' && *p <= '9') && *p != '-' && *p != '+' &&
		    *p != '.')
			return -1;
	return parse_place(at, slice_between(p + 3, origin.p + origin.len));
}

/* The port, or the one that a scheme has by itself. */
static struct slice
effective(struct slice port, struct slice scheme)
{
	if (port.p != NULL)
		return port;
	if (slice_is_nocase(scheme, "https"))
		return slice_of("443");
	if (slice_is_nocase(scheme, "http"))
		return slice_of("80");
	return slice_of("?");
}

int
origin_is_of(struct slice origin, struct slice host)
{
	struct slice scheme;
	struct place a, b;

	return parse_origin(&scheme, &a, origin) == 0 &&
	    parse_place(&b, host) == 0 && same(a.host, b.host) &&
	    same(effective(a.port, scheme), effective(b.port, scheme));
}

int
origin_is_bound(struct slice origin)
{
	struct slice scheme;
	struct place at;
	struct ip ip;

	if (parse_origin(&scheme, &at, origin) == -1)
		return 0;
	if (slice_is_nocase(scheme, "https") ||
	    slice_is_nocase(at.host, "localhost"))
		return 1;
	if (at.host.p[0] == '[' && at.host.len > 2)
		at.host = (struct slice){ at.host.p + 1, at.host.len - 2 };
	return ip_parse(&ip, at.host) == 0;
}

int
origin_is_allowed(struct slice origin, const char *word)
{
	struct slice scheme, only;
	struct place a, b;

	if (strcmp(word, "*") == 0)
		return 1;
	if (strcmp(word, OPAQUE) == 0 && slice_is(origin, OPAQUE))
		return 1;
	if (strstr(word, "://") != NULL)
		return parse_origin(&scheme, &a, origin) == 0 &&
		    parse_origin(&only, &b, slice_of(word)) == 0 &&
		    same(scheme, only) && same(a.host, b.host) &&
		    same(effective(a.port, scheme), effective(b.port, only));
	return parse_origin(&scheme, &a, origin) == 0 &&
	    parse_place(&b, slice_of(word)) == 0 && same(a.host, b.host) &&
	    (b.port.p == NULL || same(effective(a.port, scheme), b.port));
}

int
origin_is_word(const char *word)
{
	struct slice scheme;
	struct place at;

	if (strcmp(word, "*") == 0)
		return 1;
	if (strpbrk(word, " \t,*") != NULL)
		return 0;
	if (strstr(word, "://") != NULL)
		return parse_origin(&scheme, &at, slice_of(word)) == 0;
	return parse_place(&at, slice_of(word)) == 0;
}
