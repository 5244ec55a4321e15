/* SPDX-License-Identifier: ISC */
/*
 * Bytes that go from the stream to the wire, or back, without passing the
 * buffers of the tunnel.
 */
#ifndef TUNNEL_BYPASS_H
#define TUNNEL_BYPASS_H

#include "tunnel/tunnel.h"

/*
 * Bytes that are neither masked nor examined may bypass the buffers: the first
 * two functions tell how many may now, 0 for none.  The caller moves some to a
 * place of its own, reports that with the third or fourth, and then moves them
 * on, each reported as written.
 *
 * To the wire: first what tunnel_wire_data() gives, then, if t->payload_bypass,
 * t->payload_left bytes of what it holds.  tunnel_wire_more(): another frame
 * follows that one at once.  tunnel_bypass_unsent(): how much is held that is
 * not written yet; until there is none, the stream is not to be read.
 * To the stream: while data bypasses, tunnel_stream_data() gives none.
 * tunnel_wire_missing(): how many bytes to read so that the next frame's header
 * of so many bytes, or a control frame, is whole and nothing else is read; 0 if
 * that would help nothing.
 */
size_t tunnel_bypass_out(const struct tunnel *);
size_t tunnel_bypass_in(const struct tunnel *);
void tunnel_stream_bypass(struct tunnel *, size_t);
void tunnel_wire_bypass(struct tunnel *, size_t);
size_t tunnel_wire_missing(const struct tunnel *, size_t head);
int tunnel_wire_more(const struct tunnel *);
size_t tunnel_bypass_unsent(const struct tunnel *);

/*
 * With a session the caller also keeps what bypassed to the wire until it is
 * acknowledged: the last tunnel_bypass_kept() bytes of it.  Before
 * tunnel_resume() it puts those into the ring, at the places (at most two) that
 * tunnel_bypass_places() gives, and says so by tunnel_bypass_restored(); then
 * it holds nothing any more.
 */
size_t tunnel_bypass_kept(const struct tunnel *);
int tunnel_bypass_places(struct tunnel *, struct iovec iov[2]);
void tunnel_bypass_restored(struct tunnel *);

#endif
