/* SPDX-License-Identifier: ISC */
/*
 * What the files of the tunnel share: tunnel.c decides how it goes on and
 * ends (plain.c towards a plain peer), states.c what may follow what, session.c
 * how it goes on over a new wire, timers.c and doubt.c when; send.c makes
 * frames of what ring.c keeps (text.c says where those of text end), receive.c
 * takes them apart, lines.c their control lines; ack.c counts, and open.c
 * handles streams that come later.
 */
#ifndef TUNNEL_INTERNAL_H
#define TUNNEL_INTERNAL_H

#include "tunnel/tunnel.h"

/*
 * states.c: the setters.  What follows from a state alone is done there: an end
 * that was shown is to be acknowledged, one that has come is to be told.
 */
void tunnel_set_wire(struct tunnel *, enum tunnel_wire);
void tunnel_set_link(struct tunnel *, enum tunnel_link);
void tunnel_set_in(struct tunnel *, enum tunnel_flow);
void tunnel_set_out(struct tunnel *, enum tunnel_flow);
void tunnel_set_opening(struct tunnel *, enum tunnel_opening);
void tunnel_set_session(struct tunnel *, enum tunnel_session);
void tunnel_set_silence(struct tunnel *, enum tunnel_silence);
void tunnel_set_end(struct tunnel *, enum tunnel_end);

/* tunnel.c: draws the conclusions of whatever an event has changed. */
void tunnel_update(struct tunnel *);

/* tunnel.c: is all done, so that a Close is due?  Also between two frames. */
void tunnel_close_when_done(struct tunnel *);

/* tunnel.c: it ends badly now, unless it has ended already. */
void tunnel_fault(struct tunnel *, enum tunnel_end, unsigned int code,
    const char *why);

/* tunnel.c: a Close is due; from here on, closing has so much time and no more. */
void tunnel_set_close(struct tunnel *, unsigned int code);

/*
 * plain.c: has the peer ended, as far as it can be known, when the wire ends
 * without its Close; it has; its Close has come.
 */
int tunnel_plain_done(const struct tunnel *);
void tunnel_plain_ended(struct tunnel *);
void tunnel_plain_closed(struct tunnel *);

/* session.c: all is delivered, and nothing more is to be learnt. */
void tunnel_end_complete(struct tunnel *);

/* tunnel.c: the wire has ended, or is as good as dead. */
void tunnel_lose(struct tunnel *, enum tunnel_end, const char *why);

/* A session's wire has ended: if it was idle, pings may have to come sooner. */
void tunnel_learn_idle(struct tunnel *);

/* tunnel.c: the stream has ended badly. */
void tunnel_break(struct tunnel *);

/* tunnel.c: the peer's Close has come. */
void tunnel_close_received(struct tunnel *);

/* tunnel.c: is the wire read?  Is all delivered, both ways, for sure? */
int tunnel_reads_wire(const struct tunnel *);
int tunnel_complete(const struct tunnel *);

/*
 * timers.c: is the wire left unread now; when the next ping goes out, when a
 * held back Close does.
 */
void tunnel_note_unread(struct tunnel *);
int64_t tunnel_ping_time(const struct tunnel *);
int64_t tunnel_hold_until(const struct tunnel *);

/*
 * doubt.c: bytes have come, a Ping goes out, its Pong has told t->rtt, something
 * is about to be sent that is acknowledged; when the next step is due, and it;
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
 * open.c: may the peer send data, is there something that a new wire could go
 * on with, when has the peer's answer taken too long; and a line of the peer's:
 * 0, or -1 if it is out of place.
 */
int tunnel_peer_flows(const struct tunnel *);
int tunnel_begun(const struct tunnel *);
int64_t tunnel_answer_until(const struct tunnel *);
int tunnel_opening_received(struct tunnel *, const struct control *);

/*
 * ring.c: is there room to read into, pieces that begin at a position (at most
 * two), room for more if the path needs it; how many of the next n bytes lie
 * in one place, and whether that is the ring.
 */
void tunnel_out_begin(struct tunnel *);
int tunnel_out_room(const struct tunnel *);
int tunnel_ring_pieces(struct tunnel *, uint64_t at, size_t n,
    struct iovec *iov);
void tunnel_ring_grow(struct tunnel *);
size_t tunnel_ring_run(const struct tunnel *, size_t n, int *bypass);

/*
 * text.c, if cfg.text: bytes have come from the stream, or its end; how much of
 * the next n bytes is whole characters.
 */
void tunnel_text_read(struct tunnel *, size_t n);
void tunnel_text_eof(struct tunnel *);
size_t tunnel_text_part(const struct tunnel *, size_t n);

/* send.c: is there something to write, has all been; a new wire. */
int tunnel_out_pending(const struct tunnel *);
int tunnel_out_sent(const struct tunnel *);
void tunnel_out_rewind(struct tunnel *, uint64_t at);

/*
 * ack.c: when the next is due, may it go with data, when is the one of the
 * peer's end; their lines; and the peer's:
 * all before n has come, and so much beyond is permitted, or the end has been
 * shown: 0, or -1 if that cannot be.
 */
int64_t tunnel_ack_time(const struct tunnel *);
int tunnel_ack_rides(const struct tunnel *);
int64_t tunnel_final_time(const struct tunnel *);
size_t tunnel_ack_write(struct tunnel *, char *line);
size_t tunnel_final_write(struct tunnel *, char *line);
int tunnel_out_acked(struct tunnel *, uint64_t n, uint64_t credit);
int tunnel_out_confirmed(struct tunnel *, uint64_t n);

/* receive.c, lines.c; a fault ends the tunnel, and -1 what can be parsed. */
void tunnel_in_begin(struct tunnel *);
int tunnel_in_room(const struct tunnel *);
int tunnel_in_between(const struct tunnel *);	/* two messages? */
void tunnel_in_parse(struct tunnel *);
void tunnel_in_drop(struct tunnel *);
void tunnel_in_restart(struct tunnel *);
int tunnel_in_fault(struct tunnel *, unsigned int code, const char *why);
int tunnel_line_received(struct tunnel *, const uint8_t *line, size_t len);

/* Of sizes and positions; how far a lies beyond b. */
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

/* Of times. */
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

/* Nothing more comes from or goes to the stream but to end it. */
static inline int
tunnel_failed(const struct tunnel *t)
{
	return t->end != TUNNEL_GOING && t->end != TUNNEL_ENDED;
}

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
