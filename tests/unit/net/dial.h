/* SPDX-License-Identifier: ISC */
/* A connection to an address, in one call. */
#ifndef TEST_NET_DIAL_H
#define TEST_NET_DIAL_H

#include "net/socket.h"

static inline int
net_dial(const struct addr *a, int family, int64_t deadline, char *peer,
    struct error *why)
{
	struct net_found found;

	if (net_find(&found, a, NULL, family, why) == -1)
		return -1;
	return net_dial_found(a, &found, deadline, peer, why);
}

#endif
