/* SPDX-License-Identifier: ISC */
/*
 * Where to dial from: an interface or an address of this host, written as for
 * curl(1).
 */
#ifndef PROTO_INTERFACE_H
#define PROTO_INTERFACE_H

#include <stddef.h>

#include "proto/ip.h"

#define INTERFACE_NAME_MAX	15	/* bytes; Linux has no longer ones */

struct interface {
	char name[INTERFACE_NAME_MAX + 1];	/* "": an address */
	struct ip ip;
	const char *zone;	/* of an IPv6 address: points into the word
				 * behind its '%', or NULL */
};

/*
 * "if!NAME", "host!ADDR", or without a prefix whichever it is.  0, or -1 if it
 * is none.
 */
int interface_parse(struct interface *, const char *word);

#endif
