/* SPDX-License-Identifier: ISC */
/*
 * The poll loop of a tunnel: does what the machine wants, tells it what
 * happened, and returns when a mode has to decide something.
 */
#ifndef CONNECTION_RELAY_H
#define CONNECTION_RELAY_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "net/io.h"
#include "net/splice.h"
#include "os/program.h"
#include "tunnel/closing.h"
#include "tunnel/tunnel.h"

#define RELAY_WATCH_MAX	80

/*
 * Bytes that the next hop has acknowledged, and that it has to, counted from the
 * beginning of the TCP connection.
 */
struct relay_taken {
	uint64_t acknowledged, all;
};

/*
 * How much of what was written the next hop has taken, while an end of the
 * tunnel waits for it (tunnel/closing.h).
 */
struct relay_queue {
	enum tunnel_wait why;	/* tunnel_waits_for_wire(), _stream() */
	int left;		/* it has not taken all */
	struct relay_taken taken;
	int64_t look_at, delay;	/* when to look again */
};

/* The same of the websocket, while the answer to a Ping is waited for. */
struct relay_ping {
	enum tunnel_pong state;	/* the last tunnel_pong_due() */
	int64_t at;		/* when the Ping was sent */
	struct relay_taken taken;	/* all: before it could answer */
};

struct relay {
	struct tunnel tunnel;
	struct io stream, websocket;
	struct program *program;	/* NULL, or the program at the stream:
					 * its socket cannot be reset, so HUP
					 * tells it of a reset, and its exit
					 * status tells us of its failure */
	int control;		/* -1, or a descriptor to watch */
	struct pollfd watched[RELAY_WATCH_MAX];	/* others, set before each
				 * relay() */
	unsigned int nwatched;
	unsigned int ready;	/* what is not known to block */
	int error;		/* errno of the stream's failure, or 0 */
	int64_t refused_at;	/* since when the websocket takes nothing more,
				 * and is read to its end; 0: it takes all */
	int hung_up;		/* POLLHUP was seen; poll(2) would report it
				 * each time */
	int told_opened;	/* RELAY_OPENED was returned, or never will be */
	int told_lost;		/* RELAY_LOST was returned for this loss */
	int told_doubt;		/* RELAY_DOUBTED was, and RELAY_TRUSTED not yet */
	struct relay_ping ping;
	struct relay_queue to_websocket, to_stream;
	struct relay_queue to_reset;	/* the stream, when it is to be reset */
	int64_t reset_by;	/* ... at the latest; CLOCK_NEVER: not to be */
	int64_t stop_at;	/* after HUP: ends then at the latest; else
				 * CLOCK_NEVER */
	struct splice out, in;	/* ways that bypass the buffers */
	struct splice kept;	/* what went out, until acknowledged */
	int null;		/* /dev/null, to empty pipes into, or -1 */
	size_t head_size;	/* of the last data frame that came */
	size_t touched;		/* bytes of buffers used since last freed */
};

enum relay_event {
	RELAY_DONE,		/* the tunnel is over */
	RELAY_LOST,		/* the session's websocket has just been lost */
	RELAY_DOUBTED,		/* its websocket may be dead: a new path is
				 * wanted */
	RELAY_TRUSTED,		/* the doubted websocket has delivered bytes */
	RELAY_WATCHED,		/* one of the watched descriptors is ready */
	RELAY_CONTROL,		/* the control descriptor is readable */
	RELAY_GET_STREAM,	/* tunnel_ok() or tunnel_fail() now */
	RELAY_OPENED,		/* a stream that came later is being served,
				 * or was told that it is not; once */
	RELAY_RETURN_STREAM,	/* the stream may go elsewhere, untouched */
	RELAY_HINT,		/* the supervisor has sent USR2 */
	RELAY_TIME		/* until has come */
};

/*
 * The buffers of this process, which has only one tunnel in its life, for a
 * tunnel_config whose sizes are set: out_size at most RELAY_BUFFER, in_size at
 * most that and TUNNEL_SLACK.
 */
#define RELAY_BUFFER	16777216
void relay_memory(struct tunnel_config *);

/*
 * When they can be given back to the system, of clock_ms(), or CLOCK_NEVER:
 * some have been used, all are empty, and no data has come for a while (pings
 * do not count).
 */
int64_t relay_memory_idle(const struct relay *);
void relay_memory_free(struct relay *);

/*
 * Begins with both halves, or with the websocket alone if the configuration has
 * a role (stream is IO_CLOSED then).  early is what came behind its handshake.
 * Both belong to the relay from now on, which closes them.
 */
void relay_begin(struct relay *, const struct tunnel_config *,
    struct io stream, struct io websocket, const char *early, size_t early_len);

/*
 * relay_stream(): the stream has come, and belongs to the relay.  Closing its TCP
 * connection resets it (net_linger_reset()), should this process die.
 * relay_return() gives it back, untouched; what is left to do is to end the
 * websocket.
 */
void relay_stream(struct relay *, struct io);
struct io relay_return(struct relay *);

/*
 * The caller has waited for something else: what has come on the websocket
 * meanwhile is looked at before a deadline is.
 */
void relay_catch_up(struct relay *);

/*
 * A session goes on over a new websocket, from the peer's position at.  0: the
 * old websocket is closed, and the new one belongs to the relay.  -1: that is
 * impossible; the tunnel is as before, and the new one still the caller's.
 */
int relay_resume(struct relay *, struct io websocket, uint64_t at,
    const char *early, size_t early_len);

/*
 * Relays until one of the events; a lost session is reported once, and served
 * without a websocket from then on.  until is of clock_ms(), or CLOCK_NEVER.
 * TERM ends the tunnel with Close 1001.
 */
enum relay_event relay(struct relay *, int64_t until);

#endif
