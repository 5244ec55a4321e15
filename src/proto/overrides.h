/* SPDX-License-Identifier: ISC */
/*
 * --resolve and --connect-to: other addresses for a host, or another host and
 * port, than the URL has.
 */
#ifndef PROTO_OVERRIDES_H
#define PROTO_OVERRIDES_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "proto/addr.h"

struct override {
	struct slice host;	/* for this host of a URL; len 0: for any */
	uint16_t port;		/* for this port; 0: for any */
	const char *addresses;	/* --resolve: "192.0.2.1,[2001:db8::1]" */
	struct slice to;	/* --connect-to: host; len 0: the same */
	uint16_t to_port;	/* port; 0: the same */
};

/*
 * Parses HOST:PORT:ADDRESS[,ADDRESS]...; HOST may be *.  The word must stay.
 * 0, or -1 with one line in err.
 */
int override_resolve(struct override *, const char *word, char *err,
    size_t errlen);

/* The same for HOST1:PORT1:HOST2:PORT2, each of which may be empty. */
int override_connect(struct override *, const char *word, char *err,
    size_t errlen);

/* Does it apply to this host and port (ADDR_TCP)? */
int override_is_for(const struct override *, const struct addr *);

/* Puts the host and port of --connect-to into at. */
void override_apply(const struct override *, struct addr *at);

#endif
