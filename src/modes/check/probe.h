/* SPDX-License-Identifier: ISC */
/*
 * A websocket without data: it is pinged and measured.  What the
 * peer says is skipped, its pings are answered.
 */
#ifndef MODES_CHECK_PROBE_H
#define MODES_CHECK_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include "handshake/websocket.h"
#include "proto/http.h"

enum probe_event {
	PROBE_NOTHING,		/* until the deadline */
	PROBE_PONG,		/* the answer to a ping: ponged is its number */
	PROBE_EOF,		/* a direction is over: eof, eof_acked, rst */
	PROBE_CLOSE,		/* the peer's Close: code, reason */
	PROBE_END,		/* the transport ended: errno, 0 end of file */
	PROBE_FAULT		/* the peer broke a rule: fault */
};

struct probe {
	struct io io;
	size_t len;			/* of what is in in[] */
	int extension;			/* the peer is inetws */
	int waits;			/* nobody has dialled its target, and
					 * nothing but Close can be said */
	int eof;			/* its direction is complete */
	int eof_acked;			/* so is ours */
	int rst;			/* the stream there was reset */
	int eof_sent;			/* we have said that ours is complete */
	int ended_first;		/* the target ended before that */
	uint64_t taken;			/* bytes of its data */
	uint64_t skip;			/* bytes of a payload still to come */
	uint64_t pinged;		/* number of the last ping */
	uint64_t ponged;		/* the last one that was answered */
	unsigned int pings;		/* the peer's */
	unsigned int code;		/* 1005: Close without one */
	char reason[130];		/* as it came: to be escaped */
	const char *fault;
	uint8_t said[64];		/* the first of its data */
	size_t said_len;
	uint8_t in[HTTP_HEAD_MAX + 8192];
};

/* Takes the websocket over, with what came early. */
void probe_begin(struct probe *, const struct websocket *);

/* Goes on with a session over another one. */
void probe_resume(struct probe *, const struct websocket *);

/* 0, or -1 with errno. */
int probe_ping(struct probe *, int64_t deadline);

/* 1 KiB of pings, the last of which is pinged; so may their answers be. */
int probe_burst(struct probe *, int64_t deadline);

/*
 * With the extension: says that there is nothing more to come, so that the
 * target may end as it likes.  The answer is a PROBE_EOF with eof_acked.
 */
int probe_say_eof(struct probe *, int64_t deadline);

/* What comes until the deadline; past it nothing is read. */
enum probe_event probe_wait(struct probe *, int64_t deadline);

/*
 * Says that there is nothing more to come if that was not said, then Close, and
 * waits for the peer's end; all until deadline.  A session is over then,
 * however that went.
 */
void probe_end(struct probe *, int64_t deadline);

#endif
