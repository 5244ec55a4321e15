/* SPDX-License-Identifier: ISC */
/*
 * What relay.c, which works, relay_poll.c, which waits, and relay_ends.c, which
 * knows what is new, share.
 */
#ifndef CONNECTION_RELAY_INTERNAL_H
#define CONNECTION_RELAY_INTERNAL_H

#include "connection/relay.h"

/* What is not known to block. */
enum { STREAM_R = 1, STREAM_W = 2, WEBSOCKET_R = 4, WEBSOCKET_W = 8 };

/*
 * Waits until something can be done, or only looks if busy.  RELAY_CONTROL or
 * RELAY_WATCHED if such a descriptor is ready, else RELAY_TIME.
 */
enum relay_event relay_wait(struct relay *, int64_t until, int busy);

/*
 * relay_ends.c: tells the tunnel what the network has taken meanwhile, and
 * returns when to do so again.
 */
int64_t relay_look_at_queues(struct relay *);

/*
 * relay_ends.c: what the tunnel is told of the stream.  relay_stream_ended():
 * its end of file.  With errno: relay_read_failed(), relay_write_failed(), and
 * relay_stream_failed() for what ends reading, too.  relay_stream_error():
 * poll(2) reports an error while the stream is not read.  relay_drop_refused()
 * drops what is on its way to a stream that takes nothing more.
 */
void relay_stream_ended(struct relay *);
void relay_read_failed(struct relay *);
void relay_write_failed(struct relay *);
void relay_stream_failed(struct relay *);
void relay_stream_error(struct relay *);
void relay_drop_refused(struct relay *);

/*
 * relay_ends.c: resets or closes the stream, as the tunnel wants it.
 * relay_holds_reset(): not yet, as the network still has something of it.
 */
int relay_holds_reset(struct relay *, unsigned int wants);
void relay_end_stream(struct relay *, unsigned int wants);

/*
 * relay_ends.c: the websocket takes nothing more.  The peer may have ended it and
 * said so: what it sent before, and its Close, are still to be read.
 * relay_is_used_up(): they have been, or the stream has taken nothing of them until
 * relay_refused_until(), which is CLOCK_NEVER for any other websocket.
 */
void relay_websocket_refused(struct relay *);
int relay_is_used_up(const struct relay *);
int64_t relay_refused_until(const struct relay *);

/*
 * relay_bypass.c: the way from the stream to the websocket that bypasses the
 * buffers.  relay_bypasses(): is it open, for so many bytes?  relay_pass_on():
 * what is in its pipe, and the tunnel does not know yet, either goes this way
 * or, if it may not, into the ring.  relay_forget(): what was acknowledged is
 * not kept.  relay_restore(): what is kept goes into the ring, before another
 * websocket: 0, or -1 if it cannot be read.
 */
int relay_bypasses(struct relay *, size_t bypass);
void relay_pass_on(struct relay *, size_t bypass);
void relay_forget(struct relay *);
int relay_restore(struct relay *);

#endif
