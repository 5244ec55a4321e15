/* SPDX-License-Identifier: ISC */
/*
 * Bytes that go from the stream to the wire, or back, without passing the
 * buffers of the tunnel: the caller moves them through pipes (net/splice.h).
 * The tunnel only counts them.  Possible for bytes that are neither masked nor
 * examined.  All sizes are in bytes.
 */
#ifndef TUNNEL_BYPASS_H
#define TUNNEL_BYPASS_H

#include "tunnel/tunnel.h"

/*
 * From the stream to the wire.
 *
 * tunnel_bypass_out() returns how many bytes may bypass the buffer now, 0 for
 * none.  The caller moves at most so many from the stream into its pipe and
 * reports them with tunnel_stream_bypass().  Then it writes to the wire first
 * what tunnel_wire_data() gives and next, if t->payload_bypass is set,
 * t->payload_left bytes from the pipe; it reports both with
 * tunnel_wire_wrote().
 *
 * tunnel_bypass_unsent() returns how many reported bytes are not written yet.
 * The stream must not be read while there are any.
 *
 * tunnel_wire_more() tells whether another data frame follows at once the one
 * that is being written, so that the kernel may wait for it (MSG_MORE).
 */
size_t tunnel_bypass_out(const struct tunnel *);
void tunnel_stream_bypass(struct tunnel *, size_t);
size_t tunnel_bypass_unsent(const struct tunnel *);
int tunnel_wire_more(const struct tunnel *);

/*
 * From the wire to the stream.
 *
 * tunnel_bypass_in() returns how many bytes of the wire may bypass the buffer
 * now, 0 for none.  The caller moves at most so many from the wire into its
 * pipe and reports them with tunnel_wire_bypass(), then moves them from the
 * pipe to the stream and reports them with tunnel_stream_wrote().  Until all
 * of them are, tunnel_stream_data() gives nothing.
 *
 * tunnel_wire_missing() returns how many bytes to read, and no more, so that
 * what comes next is whole in the buffer and all that follows can bypass it:
 * the rest of a control frame, or of a frame header, which is taken to have
 * head bytes.  0: reading less than the buffer holds would be of no use.
 */
size_t tunnel_bypass_in(const struct tunnel *);
void tunnel_wire_bypass(struct tunnel *, size_t);
size_t tunnel_wire_missing(const struct tunnel *, size_t head);

/*
 * With a session the caller keeps a copy of what bypassed to the wire until
 * the peer has acknowledged it: the last tunnel_bypass_kept() bytes.  They may
 * have to be sent again.  Before tunnel_resume() the caller copies them to the
 * places in the ring that tunnel_bypass_places() gives (it returns how many, 0
 * to 2), and calls tunnel_bypass_restored(): from then on they are ordinary
 * bytes of the ring, and the caller's copy is empty.
 */
size_t tunnel_bypass_kept(const struct tunnel *);
int tunnel_bypass_places(struct tunnel *, struct iovec iov[2]);
void tunnel_bypass_restored(struct tunnel *);

#endif
