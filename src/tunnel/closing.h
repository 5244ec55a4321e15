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
 * leave, and which wait it is.  When that changes, another wait has begun, and
 * the caller notes how many bytes are in the kernel then.  Only those count, and
 * not what is written during the wait, as Pongs.
 */
enum tunnel_wait {
	WAIT_NONE,
	WAIT_HELD,		/* our Close is held back */
	WAIT_CLOSE,		/* our Close is due, and not written yet */
	WAIT_ANSWER,		/* our Close is written, the peer's is not here */
	WAIT_STREAM		/* the stream has to take the last bytes */
};
enum tunnel_wait tunnel_waits_for_wire(const struct tunnel *);
enum tunnel_wait tunnel_waits_for_stream(const struct tunnel *);

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
