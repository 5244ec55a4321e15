/* SPDX-License-Identifier: ISC */
/*
 * May a web page of this origin (RFC 6454) open a websocket to this host?
 * Browsers let every page try; their field Origin says which page it is.
 */
#ifndef PROTO_ORIGIN_H
#define PROTO_ORIGIN_H

#include "base/str.h"

/*
 * Has an Origin the host and port of a Host field?  If either has no port, it
 * is the default port of the Origin's scheme.
 */
int origin_is_of(struct slice origin, struct slice host);

/*
 * Is this origin safe from DNS rebinding?  The owner of http://NAME can let
 * NAME resolve to our address; then a page from there has the same host as we
 * have.  With https the owner would need our certificate; addresses and
 * localhost are not looked up.
 */
int origin_is_bound(struct slice origin);

/*
 * Does a word of --allow-origin allow this origin?  "*" allows any, "null" too;
 * "scheme://host[:port]" only this one; "host:port" any scheme; "host" any
 * scheme and port; "null" the origin "null", and a host of this name.
 */
int origin_is_allowed(struct slice origin, const char *word);

/* Is it a valid word of --allow-origin? */
int origin_is_word(const char *word);

#endif
