/* SPDX-License-Identifier: ISC */
/*
 * A simple websocket client, which sends no data: it pings and measures.  It
 * skips the data of the peer and answers the pings of the peer.
 */
#ifndef MODES_CHECK_PROBE_H
#define MODES_CHECK_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include "handshake/websocket.h"
#include "proto/http.h"

enum probe_event {
	PROBE_NOTHING,		/* nothing came until the deadline */
	PROBE_PONG,		/* the answer to ping number ponged */
	PROBE_EOF,		/* a direction has ended: eof, eof_acked, rst */
	PROBE_CLOSE,		/* the peer sent Close: code, reason */
	PROBE_END,		/* the connection ended: errno, 0: EOF */
	PROBE_FAULT		/* the peer broke the protocol: fault */
};

struct probe {
	struct io io;
	size_t len;			/* bytes in in[] */
	int extension;			/* the extension is used: the peer is
					 * inetws */
	int waits;			/* it is parked: the target is not
					 * dialled, so only Close can be sent */
	int eof;			/* the peer's stream has ended */
	int eof_acked;			/* the peer confirmed the end of ours */
	int rst;			/* the peer's stream was reset */
	int eof_sent;			/* we have sent the end of our stream */
	int ended_first;		/* the target ended before that */
	uint64_t taken;			/* bytes of the peer's data so far */
	uint64_t skip;			/* bytes of a payload still to come */
	uint64_t pinged;		/* number of our last ping */
	uint64_t ponged;		/* number of the last one answered */
	unsigned int pings;		/* of the peer so far */
	unsigned int code;		/* of its Close, 1005: none */
	char reason[130];		/* of its Close, not escaped */
	const char *fault;
	enum probe_event ended;		/* with PROBE_CLOSE, PROBE_FAULT or
					 * PROBE_END; else PROBE_NOTHING */
	uint8_t said[64];		/* the beginning of its data */
	size_t said_len;
	uint8_t in[HTTP_HEAD_MAX + 8192];
};

/* Takes over a websocket, with bytes that came behind the answer. */
void probe_begin(struct probe *, const struct websocket *);

/* Goes on with the session over another websocket. */
void probe_resume(struct probe *, const struct websocket *);

/* Sends a ping.  0, or -1 with errno. */
int probe_ping(struct probe *, int64_t deadline);

/* Sends 1 KiB of pings; pinged is the number of the last one.  0 or -1. */
int probe_burst(struct probe *, int64_t deadline);

/*
 * With the extension: sends the end of our stream, so that the target may end.
 * The answer is a PROBE_EOF with eof_acked.  0 or -1.
 */
int probe_say_eof(struct probe *, int64_t deadline);

/* Waits for the next event; past the deadline nothing is read. */
enum probe_event probe_wait(struct probe *, int64_t deadline);

/*
 * Ends the streams if that was not done, sends Close, as an answer too, and waits
 * until the peer has ended the connection, all until the deadline.  Then a session
 * is over too.  A connection that has ended is only closed.
 */
void probe_end(struct probe *, int64_t deadline);

#endif
