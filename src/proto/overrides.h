/* SPDX-License-Identifier: ISC */
/*
 * Words that send a connection elsewhere than its URL says: other addresses
 * for a name (--resolve), another host and port (--connect-to).
 */
#ifndef PROTO_OVERRIDES_H
#define PROTO_OVERRIDES_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "proto/addr.h"

struct override {
	struct slice host;	/* the URL's; len 0 is any */
	uint16_t port;		/* 0: any */
	const char *addresses;	/* of --resolve: "192.0.2.1,[2001:db8::1]" */
	struct slice to;	/* of --connect-to; len 0 is the same host */
	uint16_t to_port;	/* 0: the same port */
};

/* HOST:PORT:ADDRESS[,ADDRESS]..., HOST may be *.  0, or -1 and err. */
int override_resolve(struct override *, const char *word, char *err,
    size_t errlen);

/* HOST1:PORT1:HOST2:PORT2, each of which may be empty.  0, or -1 and err. */
int override_connect(struct override *, const char *word, char *err,
    size_t errlen);

/* Is it for this place, an ADDR_TCP one? */
int override_is_for(const struct override *, const struct addr *);

/* Puts the place of --connect-to into at. */
void override_apply(const struct override *, struct addr *at);

#endif
