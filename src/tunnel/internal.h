/* SPDX-License-Identifier: ISC */
/*
 * What the files of the tunnel share:
 *
 *	tunnel.c	what an event changes, and what is wanted then
 *	plain.c		the end of a tunnel with a plain peer
 *	session.c	a tunnel that is stopped, or goes on over a new wire
 *	states.c	the states, and which may follow which
 *	timers.c	what is waited for, and how long
 *	doubt.c		whether the wire is dead, for the dialler of a session
 *	open.c		a stream that comes after the wire
 *	ring.c		the ring that keeps what the stream sent
 *	send.c		makes frames of that
 *	text.c		where frames of text may end
 *	receive.c	takes the peer's frames apart
 *	lines.c		the control lines in them
 *	ack.c		acknowledgements and credit
 *
 * Sizes are bytes; positions count the bytes of one direction since the
 * beginning of the tunnel; times are milliseconds of t->now, and a function
 * that returns a time returns TUNNEL_NEVER for none.
 */
#ifndef TUNNEL_INTERNAL_H
#define TUNNEL_INTERNAL_H

#include "tunnel/tunnel.h"

/*
 * states.c: the setters.  They also do what follows from a state alone: when
 * the peer's end was shown to the stream, its acknowledgement becomes due, and
 * when the stream's end has come, "eof" does.
 */
void tunnel_set_wire(struct tunnel *, enum tunnel_wire);
void tunnel_set_link(struct tunnel *, enum tunnel_link);
void tunnel_set_in(struct tunnel *, enum tunnel_flow);
void tunnel_set_out(struct tunnel *, enum tunnel_flow);
void tunnel_set_sink(struct tunnel *, enum tunnel_sink);
void tunnel_set_opening(struct tunnel *, enum tunnel_opening);
void tunnel_set_session(struct tunnel *, enum tunnel_session);
void tunnel_set_silence(struct tunnel *, enum tunnel_silence);
void tunnel_set_end(struct tunnel *, enum tunnel_end);

/* tunnel.c: draws the conclusions of whatever an event has changed. */
void tunnel_update(struct tunnel *);

/*
 * tunnel.c: makes a Close due if both directions are done.  Between two frames
 * the writer calls it too, since "eof" may have been the last thing to send.
 */
void tunnel_close_when_done(struct tunnel *);

/*
 * tunnel.c: ends the tunnel badly, unless it has ended already; the Close that
 * is due then has this code.  why is a constant string, or NULL.
 */
void tunnel_fault(struct tunnel *, enum tunnel_end, unsigned int code,
    const char *why);

/* tunnel.c: makes a Close due; the time that closing may take begins. */
void tunnel_set_close(struct tunnel *, unsigned int code);

/* tunnel.c: the wire has ended without a Close, or is taken for dead. */
void tunnel_lose(struct tunnel *, enum tunnel_end, const char *why);

/* tunnel.c: the stream has ended badly. */
void tunnel_break(struct tunnel *);

/* tunnel.c: the peer's Close has come. */
void tunnel_close_received(struct tunnel *);

/*
 * tunnel.c: is the wire read now?  Is everything delivered in both directions,
 * and known to be?
 */
int tunnel_reads_wire(const struct tunnel *);
int tunnel_complete(const struct tunnel *);

/*
 * plain.c, for a plain peer only.  tunnel_plain_done(): its wire ends without
 * its Close; had it sent everything, as far as that can be known?
 * tunnel_plain_ended(): it had.  tunnel_plain_closed(): its Close has come.
 */
int tunnel_plain_done(const struct tunnel *);
void tunnel_plain_ended(struct tunnel *);
void tunnel_plain_closed(struct tunnel *);

/* session.c: ends the tunnel well; a Close becomes due if none is. */
void tunnel_end_complete(struct tunnel *);

/*
 * timers.c.  tunnel_note_unread() notes the time while the wire is not read.
 * tunnel_learn_idle() is called when a session's wire has ended: if it was
 * idle, pings may have to come sooner.  The other two return when the next
 * Ping is due and until when our Close is held back.
 */
void tunnel_note_unread(struct tunnel *);
void tunnel_learn_idle(struct tunnel *);
int64_t tunnel_ping_time(const struct tunnel *);
int64_t tunnel_hold_until(const struct tunnel *);

/*
 * doubt.c.  The first four are told that bytes have come, that a Ping goes
 * out, that a Pong has measured t->rtt, and that data or "eof" is about to be
 * sent, which the peer acknowledges.  tunnel_doubt_time() returns when
 * tunnel_doubt_tick() has to be called next; tunnel_doubt_wants() returns
 * TUNNEL_NEW_PATH or 0.
 */
void tunnel_bytes_received(struct tunnel *);
void tunnel_pinged(struct tunnel *);
void tunnel_count_round_trip(struct tunnel *);
void tunnel_await_ack(struct tunnel *);
int64_t tunnel_doubt_time(const struct tunnel *);
void tunnel_doubt_tick(struct tunnel *);
unsigned int tunnel_doubt_wants(const struct tunnel *);

/*
 * open.c.  tunnel_peer_flows(): may the peer send data?  tunnel_begun(): could
 * the tunnel go on over a new wire, as both sides have a stream, or may?
 * tunnel_answer_until(): until when the peer has to answer our "open".
 * tunnel_opening_received(): takes "open", "ok" or "fail" from the peer; 0, or
 * -1 if it is out of place.
 */
int tunnel_peer_flows(const struct tunnel *);
int tunnel_begun(const struct tunnel *);
int64_t tunnel_answer_until(const struct tunnel *);
int tunnel_opening_received(struct tunnel *, const struct control *);

/*
 * ring.c.  tunnel_out_begin() prepares the ring.  tunnel_out_room(): is there
 * room to read the stream into?  tunnel_ring_pieces() sets iov to the up to
 * two places of the n bytes from position at on, and returns how many.
 * tunnel_ring_grow() enlarges the ring if the path needs that.
 * tunnel_ring_run() returns how many of the next n bytes to send lie in one
 * place, and sets *bypass if that is not the ring but the caller's pipe.
 */
void tunnel_out_begin(struct tunnel *);
int tunnel_out_room(const struct tunnel *);
int tunnel_ring_pieces(struct tunnel *, uint64_t at, size_t n,
    struct iovec *iov);
void tunnel_ring_grow(struct tunnel *);
size_t tunnel_ring_run(const struct tunnel *, size_t n, int *bypass);

/*
 * text.c, if cfg.text is set.  The first two are told that n bytes, or the
 * end, have come from the stream; they end the tunnel if that is no UTF-8.
 * tunnel_text_part() returns how many of the next n bytes to send are whole
 * characters.
 */
void tunnel_text_read(struct tunnel *, size_t n);
void tunnel_text_eof(struct tunnel *);
size_t tunnel_text_part(const struct tunnel *, size_t n);

/*
 * send.c.  tunnel_out_pending(): is there something to write to the wire?
 * tunnel_out_sent(): has the stream ended, and is all of it written?
 * tunnel_out_rewind(): prepares for a new wire, on which all from position at
 * on is sent again.
 */
int tunnel_out_pending(const struct tunnel *);
int tunnel_out_sent(const struct tunnel *);
void tunnel_out_rewind(struct tunnel *, uint64_t at);

/*
 * ack.c, what we send: tunnel_ack_time() returns when the next "ack" is due,
 * tunnel_ack_rides() tells whether one may go along with data before that, and
 * tunnel_final_time() returns when the "ack" of the peer's end is due.  The
 * functions *_write() write such a line to line, of CONTROL_LINE_MAX bytes,
 * return its length, and take it for sent.
 *
 * What the peer sends: tunnel_out_acked() is told that all bytes before
 * position n have come and that credit more may be sent,
 * tunnel_out_confirmed() that all n bytes of the stream have come and its end
 * was shown.  0, or -1 if that cannot be.
 */
int64_t tunnel_ack_time(const struct tunnel *);
int tunnel_ack_rides(const struct tunnel *);
int64_t tunnel_final_time(const struct tunnel *);
size_t tunnel_ack_write(struct tunnel *, char *line);
size_t tunnel_final_write(struct tunnel *, char *line);
int tunnel_out_acked(struct tunnel *, uint64_t n, uint64_t credit);
int tunnel_out_confirmed(struct tunnel *, uint64_t n);

/*
 * receive.c.  tunnel_in_begin() prepares the buffer.  tunnel_in_room(): is
 * there room to read the wire into?  tunnel_in_between(): has every frame and
 * message that began come to its end?  tunnel_in_parse() takes apart what was
 * read.
 * tunnel_in_drop() forgets what the stream has not taken.  tunnel_in_restart()
 * forgets what is incomplete, since a new wire begins with a whole frame.
 */
void tunnel_in_begin(struct tunnel *);
int tunnel_in_room(const struct tunnel *);
int tunnel_in_between(const struct tunnel *);
void tunnel_in_parse(struct tunnel *);
void tunnel_in_drop(struct tunnel *);
void tunnel_in_restart(struct tunnel *);

/*
 * lines.c.  tunnel_in_fault(): the peer broke the protocol.  The tunnel ends,
 * nothing is parsed any more, and -1 is returned.  tunnel_line_received()
 * takes a control line; 0, or -1 after a fault.
 */
int tunnel_in_fault(struct tunnel *, unsigned int code, const char *why);
int tunnel_line_received(struct tunnel *, const uint8_t *line, size_t len);

/* For sizes and positions; beyond() is a - b, or 0 if a is the smaller one. */
static inline size_t
min(uint64_t a, uint64_t b)
{
	return (size_t)(a < b ? a : b);
}

static inline uint64_t
max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline size_t
beyond(uint64_t a, uint64_t b)
{
	return (size_t)(a > b ? a - b : 0);
}

/* For times in milliseconds. */
static inline int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline int64_t
latest(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/*
 * Has it ended badly?  Then the stream gets what is pending, and is reset.
 */
static inline int
tunnel_failed(const struct tunnel *t)
{
	return t->end != TUNNEL_GOING && t->end != TUNNEL_ENDED;
}

/* Is our Close sent, or queued; has the peer's come? */
static inline int
tunnel_close_sent(const struct tunnel *t)
{
	return t->wire == WIRE_CLOSE_SENT || t->wire == WIRE_CLOSED;
}

static inline int
tunnel_close_is_in(const struct tunnel *t)
{
	return t->wire == WIRE_CLOSE_RECEIVED || t->wire == WIRE_CLOSED;
}

#endif
