/* SPDX-License-Identifier: ISC */
/*
 * What the files of the tunnel share: tunnel.c decides how it goes on and
 * ends, timers.c when, send.c makes frames, receive.c takes them apart, open.c
 * handles streams that come later.
 */
#ifndef TUNNEL_INTERNAL_H
#define TUNNEL_INTERNAL_H

#include "tunnel/tunnel.h"

/* tunnel.c: draws the conclusions of whatever an event has changed. */
void tunnel_update(struct tunnel *);

/* tunnel.c: it ends badly now, unless it has ended already. */
void tunnel_fault(struct tunnel *, enum tunnel_end, unsigned int code,
    const char *why);

/* tunnel.c: the wire has ended, or is as good as dead. */
void tunnel_lose(struct tunnel *, enum tunnel_end, const char *why);

/* tunnel.c: the stream has ended badly. */
void tunnel_break(struct tunnel *);

/* tunnel.c: is the wire read? */
int tunnel_reads_wire(const struct tunnel *);

/* timers.c: when the next ping goes out, when a held back Close does. */
int64_t tunnel_ping_time(const struct tunnel *);
int64_t tunnel_hold_until(const struct tunnel *);

/*
 * open.c: may the peer send data, is there something that a new wire
 * could go on with, when has the peer's answer taken too long; and what the
 * peer says: 0, or -1 if it is out of place.
 */
int tunnel_peer_flows(const struct tunnel *);
int tunnel_begun(const struct tunnel *);
int64_t tunnel_answer_until(const struct tunnel *);
int tunnel_opening_received(struct tunnel *, const struct control *);

/* send.c */
int tunnel_out_room(const struct tunnel *);
int tunnel_out_pending(const struct tunnel *);
int tunnel_out_sent(const struct tunnel *);
int tunnel_out_acked(struct tunnel *, uint64_t);
void tunnel_out_rewind(struct tunnel *, uint64_t at);
int64_t tunnel_ack_time(const struct tunnel *);

/* receive.c */
int tunnel_in_room(const struct tunnel *);
int tunnel_in_between(const struct tunnel *);	/* two messages? */
void tunnel_in_parse(struct tunnel *);
void tunnel_in_drop(struct tunnel *);
void tunnel_in_restart(struct tunnel *);

/* Nothing more comes from or goes to the stream but to end it. */
static inline int
tunnel_failed(const struct tunnel *t)
{
	return t->end != TUNNEL_GOING && t->end != TUNNEL_ENDED;
}

static inline int
tunnel_wire_up(const struct tunnel *t)
{
	return !t->wire_gone && !t->wire_dead;
}

#endif
