/* SPDX-License-Identifier: ISC */
/*
 * Forward proxies, on the path from this host to a server: their URLs, the list
 * of hosts that need none, and the request CONNECT (RFC 9110 9.3.6).  socks.h
 * has the messages of SOCKS.
 */
#ifndef PROTO_FORWARD_PROXY_H
#define PROTO_FORWARD_PROXY_H

#include <stddef.h>

#include "proto/addr.h"

#define PROXY_PORT	1080	/* default port; of https:// it is 443 */

enum proxy_kind { PROXY_NONE, PROXY_HTTP, PROXY_SOCKS4, PROXY_SOCKS5 };

struct proxy {
	enum proxy_kind kind;
	int tls;			/* https://: TLS with the proxy */
	int names;			/* 1: the proxy resolves names (HTTP,
					 * socks5h, socks4a); 0: we do */
	struct addr at;
	char user[URL_USER_MAX + 1];	/* "user:password", "" if none */
};

/*
 * Parses [SCHEME://][USER:PASSWORD@]HOST[:PORT].  The scheme is http, https,
 * socks5, socks5h, socks4, socks4a, or socks, which is socks5h; http if there
 * is none.  "" is PROXY_NONE.  0, or -1 with one line in err, in which no
 * userinfo shows.
 */
int proxy_parse(struct proxy *, const char *word, char *err, size_t errlen);

/* Writes SCHEME://HOST:PORT, without userinfo, to be shown.  Returns dst. */
char *proxy_print(char *dst, size_t size, const struct proxy *);

/*
 * Does a list of --noproxy except this host and port (ADDR_TCP) from the
 * proxy?  The words of a list are separated by commas or blanks.  A name
 * excepts itself and all names below it, with a dot before it or without; an
 * address, with brackets or without, excepts itself; a network (10.0.0.0/8) the
 * addresses in it; "*" everything.  A word with ":PORT" excepts that port
 * only.  Names are not resolved.
 */
int proxy_is_excepted(const char *list, const struct addr *);

/*
 * Writes the request CONNECT for a host and port.  user: "user:password", ""
 * for none.  user_agent NULL: that of inetws.  extra: lines of header_add(), or
 * ""; a Proxy-Authorization in it replaces that of user.  The length, or -1 if
 * it does not fit.
 */
int proxy_write_connect(char *dst, size_t size, const struct addr *to,
    const char *user, const char *user_agent, const char *extra);

#endif
