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
#include "tunnel/tunnel.h"

#define RELAY_WATCH_MAX	80

/* What the next hop has taken of what was written, while an end waits for it. */
struct relay_queue {
	unsigned int why;	/* tunnel_waits_for_wire(), _stream() */
	int left;		/* it has not taken all */
	uint64_t acknowledged;	/* bytes that it has, */
	uint64_t all;		/* ... and has to have */
	int64_t look_at, delay;	/* when to look again */
};

/* ... while a Pong is due. */
struct relay_ping {
	int state;		/* tunnel_pong_due() */
	int64_t at;		/* when it was pinged */
	uint64_t acknowledged;	/* bytes that it has, */
	uint64_t all;		/* ... and had to have before the answer */
};

struct relay {
	struct tunnel tunnel;
	struct io stream, websocket;
	struct program *program;	/* NULL, or the one that HUP tells of a
					 * reset, and its exit status us, as
					 * its socket cannot */
	int control;		/* -1, or a descriptor to watch */
	struct pollfd watched[RELAY_WATCH_MAX];	/* others, set before each
				 * relay() */
	unsigned int nwatched;
	unsigned int ready;	/* what is not known to block */
	int error;		/* errno of the stream's failure, or 0 */
	int hung_up;		/* POLLHUP was seen: it would be for ever */
	int told_opened;	/* RELAY_OPENED was told, or never will be */
	int told_lost;		/* RELAY_LOST was, of this loss */
	int told_doubt;		/* RELAY_DOUBTED was, and no RELAY_TRUSTED */
	struct relay_ping ping;
	struct relay_queue to_websocket, to_stream;
	int64_t stop_at;	/* after HUP: ends then at the latest */
	struct splice out, in;	/* ways that bypass the buffers */
	struct splice kept;	/* what went out, until acknowledged */
	int null;		/* /dev/null, to empty pipes into, or -1 */
	size_t head_size;	/* of the last data frame that came */
	size_t touched;		/* bytes of buffers used since last freed */
};

enum relay_event {
	RELAY_DONE,		/* the tunnel is over */
	RELAY_LOST,		/* the session's websocket has just been lost */
	RELAY_DOUBTED,		/* ... may be dead: a new path is wanted */
	RELAY_TRUSTED,		/* ... has spoken again: it is not */
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
 * Both halves are there, or only the websocket if the configuration has a role
 * (stream is IO_CLOSED then); early is what came with its handshake.
 */
void relay_begin(struct relay *, const struct tunnel_config *,
    struct io stream, struct io websocket, const char *early, size_t early_len);

/*
 * The stream has come.  A TCP one is set to be reset should this process die.
 * relay_return() forgets it: what is left to do is to end the websocket.
 */
void relay_stream(struct relay *, struct io);
struct io relay_return(struct relay *);

/*
 * A session goes on over a new websocket, from the peer's position at: 0, or
 * -1 if that is impossible (websocket and tunnel are then as they were).  The
 * old websocket is closed.
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
