/* SPDX-License-Identifier: ISC */
/*
 * What delays the end of a tunnel and what hastens it, for the relay.
 */
#ifndef TUNNEL_CLOSING_H
#define TUNNEL_CLOSING_H

#include "tunnel/tunnel.h"

/*
 * Written bytes stay in the kernel until the next hop takes them.  At the end
 * of a tunnel that matters twice: a plain peer cannot answer what it has not
 * got, and closing a stream destroys what it has not taken.
 *
 * The two functions below tell whether an end now waits for such bytes to
 * leave: 0 if not, else the number of the wait.  When that number changes,
 * another wait has begun, as for our Close once it is written, and the caller
 * notes how many bytes are in the kernel then.  Only those count, and not what
 * is written during the wait, as Pongs.
 */
unsigned int tunnel_waits_for_wire(const struct tunnel *);
unsigned int tunnel_waits_for_stream(const struct tunnel *);

/*
 * The caller reports what it has seen in the kernel.  moved: the next hop has
 * taken some of the bytes that count since the last report, which prolongs the
 * wait.  left: some of them are still there.  tunnel_stream_moved() is called
 * only when some have moved.
 */
void tunnel_wire_left(struct tunnel *, int moved, int left);
void tunnel_stream_moved(struct tunnel *);

/*
 * The process has been told to stop: closing ends ms milliseconds from now at
 * the latest.  A later call can only shorten that.
 */
void tunnel_hurry(struct tunnel *, int64_t ms);

#endif
