/* SPDX-License-Identifier: ISC */
/*
 * The PROXY protocol of HAProxy, versions 1 and 2: what comes before the
 * first byte of a connection and tells who opened it.
 */
#ifndef PROTO_PROXY_PROTOCOL_H
#define PROTO_PROXY_PROTOCOL_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "proto/ip.h"

#define PROXY_PROTOCOL_MAX	1024	/* bytes we are willing to read: 107 in
				 * version 1, 232 and extensions in 2 */

struct proxy_protocol {
	int known;			/* 0: UNKNOWN, LOCAL, a Unix socket:
					 * the addresses mean nothing */
	struct ip from, to;
	uint16_t from_port, to_port;
};

/*
 * Looks at the bytes that a connection began with.  >0: as many belong to the
 * header, which is in *p.  0: needs more; then all of the bytes so far belong
 * to it.  -1: it is malformed or none, and err says why in one line.
 */
ssize_t proxy_protocol_parse(struct proxy_protocol *p, const char *buf,
    size_t len, char *err, size_t errlen);

/*
 * Writes a header of version 1 or 2; addresses of two families become IPv6.
 * The length, or -1 if it does not fit (PROXY_PROTOCOL_MAX always does).
 */
int proxy_protocol_write(char *dst, size_t size, int version,
    const struct proxy_protocol *);

#endif
