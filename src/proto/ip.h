/* SPDX-License-Identifier: ISC */
/*
 * Addresses as numbers: who is it, and does a network hold it?
 */
#ifndef PROTO_IP_H
#define PROTO_IP_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define IP_TEXT_MAX	64	/* "[v6]:port", terminated */

/* IPv4 is kept as the IPv6 address that maps it (RFC 4291 2.5.5.2). */
struct ip {
	unsigned char b[16];
};

struct cidr {
	struct ip ip;
	unsigned int bits;	/* 0..128, of the IPv6 form */
};

/* "192.0.2.1", "::1", "[::1]"; a zone ("%eth0") is ignored.  0 or -1. */
int ip_parse(struct ip *, struct slice text);

/* The same with ":port" behind it, which may be missing: *port is 0 then. */
int ip_parse_port(struct ip *, uint16_t *port, struct slice text);

int ip_is_v4(const struct ip *);
int ip_is_loopback(const struct ip *);

/* "192.0.2.1" or "2001:db8::1"; port 0 is left out, else "[v6]:port". */
char *ip_print(char dst[IP_TEXT_MAX], const struct ip *, uint16_t port);

/*
 * Addresses that one host can choose among are one source: an IPv4 address,
 * or the /64 of an IPv6 one (RFC 4291 2.5.1).  A number, never 0.
 */
uint64_t ip_source(const struct ip *);

/* "10.0.0.0/8", "2001:db8::/32", or one address.  0 or -1. */
int cidr_parse(struct cidr *, struct slice text);
int cidr_has(const struct cidr *, const struct ip *);

#endif
