/* SPDX-License-Identifier: ISC */
/*
 * --interface, from where to dial: an interface or an address of this host,
 * written as for curl(1).
 */
#ifndef PROTO_INTERFACE_H
#define PROTO_INTERFACE_H

#include <stddef.h>

#include "proto/ip.h"

#define INTERFACE_NAME_MAX	15	/* bytes; with the NUL, IFNAMSIZ */

struct interface {
	char name[INTERFACE_NAME_MAX + 1];	/* "": it is an address */
	struct ip ip;		/* the address */
	const char *zone;	/* of an IPv6 address: what follows its '%' in
				 * the word, or NULL */
};

/*
 * Parses "if!NAME", "host!ADDRESS", "NAME" or "ADDRESS".  The word must stay.
 * 0, or -1 if it is none of them.
 */
int interface_parse(struct interface *, const char *word);

#endif
