/* SPDX-License-Identifier: ISC */
/*
 * May a page of this origin (RFC 6454) use a websocket of this host?
 * Browsers let every page try, and tell only where it is from.
 */
#ifndef PROTO_ORIGIN_H
#define PROTO_ORIGIN_H

#include "base/str.h"

/*
 * Do an Origin's host and port say the same as a Host field?  A port that is
 * left out is the scheme's own, in a Host that of the Origin's scheme.
 */
int origin_is_of(struct slice origin, struct slice host);

/*
 * Can the host of this origin not be rebound?  A page of http://NAME can make
 * NAME an address of ours (DNS rebinding); with https the certificate would
 * have to be for NAME, and IP addresses and localhost are not looked up.
 */
int origin_is_bound(struct slice origin);

/*
 * Is it meant by a word of --allow-origin: "*" (any, "null" too),
 * "scheme://host[:port]" (that one), "host:port", "host" (any port), or "null"
 * (that, and a host of this name)?
 */
int origin_is_allowed(struct slice origin, const char *word);

/* Can this word be one of --allow-origin? */
int origin_is_word(const char *word);

#endif
