/* SPDX-License-Identifier: ISC */
/*
 * The PROXY protocol of HAProxy, versions 1 and 2 (doc/proxy-protocol.txt of
 * HAProxy, "the specification" below): a header before the first byte of a
 * connection, which has the address of the client.
 */
#ifndef PROTO_PROXY_PROTOCOL_H
#define PROTO_PROXY_PROTOCOL_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "proto/ip.h"

#define PROXY_PROTOCOL_MAX	1024	/* bytes of a header that are read; one
					 * of version 1 has at most 107, of 2
					 * 232 and extensions */

struct proxy_protocol {
	int known;			/* 0: the rest has no meaning, as of
					 * UNKNOWN, LOCAL, or a Unix socket */
	struct ip from, to;		/* source and destination */
	uint16_t from_port, to_port;
};

/*
 * Parses the bytes that a connection begins with.  > 0: the header is in *p and
 * has this length.  0: it is not complete; all of the bytes belong to it.  -1:
 * it is malformed, or there is no header, with one line in err.
 */
ssize_t proxy_protocol_parse(struct proxy_protocol *p, const char *buf,
    size_t len, char *err, size_t errlen);

/*
 * Writes a header of version 1 or 2.  If the addresses are of two families,
 * both are written as IPv6.  The length, or -1 if it does not fit
 * (PROXY_PROTOCOL_MAX does).
 */
int proxy_protocol_write(char *dst, size_t size, int version,
    const struct proxy_protocol *);

#endif
