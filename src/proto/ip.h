/* SPDX-License-Identifier: ISC */
/*
 * IP addresses and networks as numbers.
 */
#ifndef PROTO_IP_H
#define PROTO_IP_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define IP_TEXT_MAX	64	/* bytes of "[v6]:port", with the NUL */

/* An IPv6 address; IPv4 as an IPv4-mapped one (RFC 4291 2.5.5.2). */
struct ip {
	unsigned char b[16];	/* in network byte order */
};

struct cidr {
	struct ip ip;
	unsigned int bits;	/* 0..128, of the IPv6 form */
};

/* Parses "192.0.2.1", "::1" or "[::1]"; ignores a zone ("%eth0").  0 or -1. */
int ip_parse(struct ip *, struct slice text);

/* The same, with ":port" or without: then *port is 0. */
int ip_parse_port(struct ip *, uint16_t *port, struct slice text);

int ip_is_v4(const struct ip *);
int ip_is_loopback(const struct ip *);

/*
 * Writes "192.0.2.1" or "2001:db8::1" if port is 0, else "192.0.2.1:port" or
 * "[2001:db8::1]:port".  Returns dst.
 */
char *ip_print(char dst[IP_TEXT_MAX], const struct ip *, uint16_t port);

/*
 * The number of a source, for --max-per-source: never 0.  It is the same for
 * all addresses that one host can choose among: an IPv4 address alone, or the
 * /64 of an IPv6 address (RFC 4291 2.5.1).
 */
uint64_t ip_source(const struct ip *);

/* Parses "10.0.0.0/8", "2001:db8::/32", or one address.  0 or -1. */
int cidr_parse(struct cidr *, struct slice text);

/* Is the address in this network? */
int cidr_has(const struct cidr *, const struct ip *);

#endif
