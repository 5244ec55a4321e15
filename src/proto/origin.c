/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "proto/ip.h"
#include "proto/origin.h"

#define OPAQUE	"null"	/* how browsers write an opaque origin (RFC 6454 7.1) */

/* host[:port]; the brackets of an IPv6 address belong to the host. */
struct place {
	struct slice host, port;	/* port.p is NULL if there is none */
};

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

/*
 * Splits "https://example.org:8443".  0, or -1 if it is malformed, or "null".
 */
static int
parse_origin(struct slice *scheme, struct place *at, struct slice origin)
{
	const char *p = origin.len == 0 ? NULL :
	    memmem(origin.p, origin.len, "://", 3);

	if (p == NULL || p == origin.p)
		return -1;
	*scheme = slice_between(origin.p, p);
	for (p = origin.p; p < scheme->p + scheme->len; p++)
		if (!str_is_alpha(*p) && !str_is_digit(*p) && *p != '-' &&
		    *p != '+' && *p != '.')
			return -1;
	return parse_place(at, slice_between(p + 3, origin.p + origin.len));
}

/* The port, or if there is none the default one of the scheme. */
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

/*
 * Are host and port the same, where a scheme gives the port that is left out?
 */
static int
is_same(const struct place *a, struct slice a_scheme, const struct place *b,
    struct slice b_scheme)
{
	return slice_same_nocase(a->host, b->host) &&
	    slice_same_nocase(effective(a->port, a_scheme),
	    effective(b->port, b_scheme));
}

int
origin_is_of(struct slice origin, struct slice host)
{
	struct slice scheme;
	struct place a, b;

	return parse_origin(&scheme, &a, origin) == 0 &&
	    parse_place(&b, host) == 0 && is_same(&a, scheme, &b, scheme);
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
		    slice_same_nocase(scheme, only) &&
		    is_same(&a, scheme, &b, only);
	return parse_origin(&scheme, &a, origin) == 0 &&
	    parse_place(&b, slice_of(word)) == 0 &&
	    (b.port.p == NULL ? slice_same_nocase(a.host, b.host) :
	    is_same(&a, scheme, &b, scheme));
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
