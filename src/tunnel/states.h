/* SPDX-License-Identifier: ISC */
/*
 * The states of a tunnel.  Each is changed by one setter, in states.c, where
 * tables say which state may follow which.
 */
#ifndef TUNNEL_STATES_H
#define TUNNEL_STATES_H

/* How the tunnel ended.  It ends once; what follows is only closing. */
enum tunnel_end {
	TUNNEL_GOING,
	TUNNEL_ENDED,		/* every byte arrived, both ends closed */
	TUNNEL_STREAM_RESET,	/* our stream was reset or broke */
	TUNNEL_PEER_RESET,	/* the peer's stream was reset or broke */
	TUNNEL_PEER_CLOSED,	/* the peer sent Close with an error code */
	TUNNEL_WIRE_LOST,	/* the wire ended without Close */
	TUNNEL_PING_TIMEOUT,	/* the peer does not answer any more */
	TUNNEL_PEER_FAULT,	/* the peer broke the protocol */
	TUNNEL_IDLE,		/* no data for --idle-timeout */
	TUNNEL_STOPPED		/* tunnel_stop() */
};

/*
 * The websocket (RFC 6455 7): which Close frames have passed.  Ours counts as
 * sent when it is queued.
 */
enum tunnel_wire {
	WIRE_OPEN,
	WIRE_CLOSE_SENT,
	WIRE_CLOSE_RECEIVED,
	WIRE_CLOSED,		/* sent and received */
	WIRE_LOST		/* ended without them, or given up */
};

/* The connection below the websocket. */
enum tunnel_link {
	LINK_UP,
	LINK_DROPPED,		/* of no more use, the caller has to close it */
	LINK_GONE		/* the caller has closed it */
};

/*
 * One direction: "in" goes from the wire to the stream, "out" from the stream
 * to the wire.
 */
enum tunnel_flow {
	FLOW_OPEN,
	FLOW_DRAINING,		/* its source has ended; the bytes before the
				 * end are still on their way */
	FLOW_ENDED,		/* in: the end was shown to the stream; out: the
				 * peer has confirmed it, or, as a plain peer
				 * cannot, Close is due or sent */
	FLOW_RESET,		/* ended badly */
	FLOW_DISCARDING		/* out only: the stream is read, so that closing
				 * it resets nothing, and the bytes dropped */
};

/*
 * Does the stream take what comes for it?  That it does not is no harm until
 * something comes.
 */
enum tunnel_sink {
	SINK_OPEN,
	SINK_CLOSED,		/* it will take nothing more */
	SINK_REFUSED		/* and has not taken all: what comes is dropped,
				 * what it sends is delivered to its end, and
				 * then the tunnel ends as a reset */
};

/*
 * A stream that comes later than the wire.  The asking side sends "open"; the
 * serving side answers "ok" or "fail".  Both sides pass the same states.
 */
enum tunnel_opening {
	OPENING_NONE,		/* the stream was there from the beginning */
	OPENING_WAITING,	/* no "open" yet */
	OPENING_TOLD,		/* "open" is sent or received */
	OPENING_FLOWING,	/* "ok" is sent or received */
	OPENING_FAILED		/* "fail" is sent or received */
};

/* Is the tunnel kept when it loses its wire? */
enum tunnel_session {
	SESSION_NONE,		/* never */
	SESSION_KEPT,
	SESSION_OVER		/* not any more */
};

/*
 * Is the peer silent although it should have sent something?  Only the
 * dialling side of a session asks, while pings are on.
 */
enum tunnel_silence {
	SILENCE_NONE,
	SILENCE_PINGED,		/* a Pong is due */
	SILENCE_DOUBTED		/* it did not come in time, or the wire is
				 * in doubt for another reason */
};

#endif
