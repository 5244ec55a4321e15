/* SPDX-License-Identifier: ISC */
/*
 * Which way a connection goes: to the URL's host itself or where --resolve,
 * --connect-to and --unix-socket send it, by a proxy or without.
 */
#ifndef HANDSHAKE_ROUTE_H
#define HANDSHAKE_ROUTE_H

#include "base/error.h"
#include "config/options.h"
#include "proto/forward_proxy.h"

/* Why there is a proxy, or none. */
enum route_reason {
	ROUTE_UNNAMED,		/* nothing names one */
	ROUTE_LOCAL,		/* a Unix socket is dialled */
	ROUTE_EXCEPTED,		/* by --noproxy, or the variable by_name */
	ROUTE_OPTION,		/* --proxy names one */
	ROUTE_VARIABLE		/* so does the variable by_name */
};

struct route {
	enum route_reason reason;
	const char *by_name;		/* NULL: an option */
	struct addr dial;		/* what we connect to */
	const char *addresses;		/* its, as net_dial_at() has them */
	struct proxy proxy;		/* if there is one, dial is its */
	char name[ADDR_HOST_MAX + 64];	/* the proxy, and what named it */
	struct addr server;		/* what the proxy is asked for */
	const char *server_addresses;
};

/*
 * 0, or -1 and why (64): the environment names something that is no proxy.
 * The strings are those of the options.
 */
int route_find(struct route *, const struct options *, const struct url *,
    struct error *);

/*
 * The same, and -1 and why (64) also if what is dialled is a number of another
 * family than --ipv4, --ipv6 or --interface leaves.
 */
int route_check(struct route *, const struct options *, const struct url *,
    struct error *);

/*
 * A variable that is set and names a proxy, but not for this URL; or NULL.
 */
const char *route_unused_variable(const struct url *);

#endif
