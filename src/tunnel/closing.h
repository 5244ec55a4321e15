/* SPDX-License-Identifier: ISC */
/*
 * What delays the end of a tunnel and what hastens it, for the relay.
 */
#ifndef TUNNEL_CLOSING_H
#define TUNNEL_CLOSING_H

#include "tunnel/tunnel.h"

/*
 * What was written is not yet with the peer or the stream, and an end has to
 * wait for that: for the wire, since a plain peer cannot answer before, for the
 * stream, since closing it would destroy that.  0: no; other than before:
 * another wait begins, as for our Close once it is written.  What is written
 * during a wait, as Pongs, does not count: tunnel_wire_left() and
 * tunnel_stream_moved() tell whether the next hop has taken some of the rest
 * since it was first asked, and whether it has to take more.
 */
unsigned int tunnel_waits_for_wire(const struct tunnel *);
void tunnel_wire_left(struct tunnel *, int moved, int left);
unsigned int tunnel_waits_for_stream(const struct tunnel *);
void tunnel_stream_moved(struct tunnel *);

/* Who stops it does not wait: closing ends so many ms from now at the latest. */
void tunnel_hurry(struct tunnel *, int64_t ms);

#endif
