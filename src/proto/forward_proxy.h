/* SPDX-License-Identifier: ISC */
/*
 * Forward proxies, on the way from us to a server: the words that name one,
 * hosts that need none, and the request that asks one for a tunnel (RFC 9110
 * 9.3.6).  What SOCKS proxies are told is in socks.h.
 */
#ifndef PROTO_FORWARD_PROXY_H
#define PROTO_FORWARD_PROXY_H

#include <stddef.h>

#include "proto/addr.h"

#define PROXY_PORT	1080	/* where none is given, except for https:// */

enum proxy_kind { PROXY_NONE, PROXY_HTTP, PROXY_SOCKS4, PROXY_SOCKS5 };

struct proxy {
	enum proxy_kind kind;
	int tls;			/* https:// */
	int names;			/* socks5h, socks4a: it looks names up */
	struct addr at;
	char user[URL_USER_MAX + 1];	/* "user:password", "" if none */
};

/*
 * [SCHEME://][USER:PASSWORD@]HOST[:PORT], the scheme being http, https, socks5,
 * socks5h, socks4 or socks4a, http if there is none; socks is socks5h.  "" is
 * PROXY_NONE.  0, or -1 with one
 * line in err, in which no userinfo shows.
 */
int proxy_parse(struct proxy *, const char *word, char *err, size_t errlen);

/* The same without userinfo, for logs and people.  Returns dst. */
char *proxy_print(char *dst, size_t size, const struct proxy *);

/*
 * Is this place (ADDR_TCP) to be reached without a proxy by this list?  Its
 * words are separated by commas or blanks: a name means itself and all below
 * it, with a dot in front or not; an address, with or without brackets, or a
 * network (10.0.0.0/8) the addresses in it; "*" everything.  With ":PORT"
 * behind it a word means that port only.  Names are not looked up.
 */
int proxy_is_excepted(const char *list, const struct addr *);

/*
 * Writes the request for a tunnel to HOST:PORT.  user "" sends no
 * credentials, user_agent NULL is ours; extra is lines of header_add(), or "",
 * and comes last; a Proxy-Authorization there replaces ours.  The length, or
 * -1 if it does not fit.
 */
int proxy_write_connect(char *dst, size_t size, const struct addr *to,
    const char *user, const char *user_agent, const char *extra);

#endif
