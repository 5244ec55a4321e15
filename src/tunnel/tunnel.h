/* SPDX-License-Identifier: ISC */
/*
 * A tunnel as a machine without I/O: a stream of bytes on one side, a
 * websocket (RFC 6455) on the other.  It is told what happened and answers
 * what it wants to be done.  Events change its state, actions never do; so
 * every ending, ping, acknowledgement and resumption can be tested byte by
 * byte without a socket.
 *
 *	stream --read--> [ out: kept until written or acknowledged ] --> wire
 *	stream <-write-- [ in: read here, unmasked in place ] <--read-- wire
 *
 * The caller does what tunnel_wants() says, in any order and any amount, and
 * reports each thing done.  Times are milliseconds of one clock that never
 * jumps, told by tunnel_tick().
 */
#ifndef TUNNEL_TUNNEL_H
#define TUNNEL_TUNNEL_H

#include <sys/uio.h>

#include <stddef.h>
#include <stdint.h>

#include "base/utf8.h"
#include "ws/control.h"
#include "ws/frame.h"

#define TUNNEL_NEVER		INT64_MAX
#define TUNNEL_SLACK		262144	/* of in beyond the window */
#define TUNNEL_MASK_BUFFER	131072	/* masked copies on their way out */
#define TUNNEL_RUNS		16
#define TUNNEL_FRAME_PLAIN	65535	/* largest payload for plain peers */
#define TUNNEL_FRAME_MAX	131072	/* ... and for another inetws */
#define TUNNEL_KEEP_MIN		524288	/* out_size, with a session */
#define TUNNEL_ANSWER_WAIT	5000	/* ms from "open" to "ok" */

/* What a tunnel wants done: a set. */
enum {
	TUNNEL_READ_STREAM = 0x001,
	TUNNEL_WRITE_STREAM = 0x002,
	TUNNEL_SHUT_STREAM = 0x004,	/* show end of file, go on reading */
	TUNNEL_CLOSE_STREAM = 0x008,	/* both directions ended well */
	TUNNEL_RESET_STREAM = 0x010,	/* it ended badly: show that */
	TUNNEL_READ_WIRE = 0x020,
	TUNNEL_WRITE_WIRE = 0x040,
	TUNNEL_FINISH_WIRE = 0x080,	/* end our direction of the wire */
	TUNNEL_CLOSE_WIRE = 0x100,	/* it is of no more use */
	TUNNEL_LOST = 0x200,		/* a session waits for a new wire */
	TUNNEL_DONE = 0x400,		/* nothing is left to do */
	TUNNEL_GET_STREAM = 0x800,	/* tunnel_ok() or tunnel_fail() */
	TUNNEL_RETURN_STREAM = 0x1000,	/* it was not used: it may go on
					 * elsewhere; then as if closed */
	TUNNEL_NEW_PATH = 0x2000	/* the wire may be dead: a path for a
					 * new one, while this one is up */
};

/* Between two inetws: is the stream there when the wire is? */
enum tunnel_role {
	TUNNEL_JOINED,		/* yes, at both sides */
	TUNNEL_ASKS,		/* it comes later, and the peer is told */
	TUNNEL_SERVES		/* it is dialled when the peer sends "open" */
};

/* How it ended: once, and as a state of its own, see below. */
enum tunnel_end {
	TUNNEL_GOING,
	TUNNEL_ENDED,		/* every byte arrived, both ends closed */
	TUNNEL_STREAM_RESET,	/* our stream was reset or broke */
	TUNNEL_PEER_RESET,	/* the peer's stream was */
	TUNNEL_PEER_CLOSED,	/* Close with an error code */
	TUNNEL_WIRE_LOST,
	TUNNEL_PING_TIMEOUT,
	TUNNEL_PEER_FAULT,	/* the peer broke the protocol */
	TUNNEL_IDLE,		/* idle for too long */
	TUNNEL_STOPPED		/* tunnel_stop() */
};

/*
 * States.  Each is changed by one setter in states.c, which knows what may
 * follow what.
 *
 * What the websocket does (RFC 6455 7): Close counts as sent when it is queued.
 */
enum tunnel_wire {
	WIRE_OPEN,
	WIRE_CLOSE_SENT,
	WIRE_CLOSE_RECEIVED,
	WIRE_CLOSED,		/* sent and received */
	WIRE_LOST		/* ended otherwise, or given up */
};

/* Its connection. */
enum tunnel_link {
	LINK_UP,
	LINK_DROPPED,		/* of no more use, to be closed */
	LINK_GONE		/* no descriptor */
};

/* A direction of the stream. */
enum tunnel_flow {
	FLOW_OPEN,
	FLOW_DRAINING,	/* has ended; what came before is on its way */
	FLOW_ENDED,	/* in: the end was shown; out: confirmed by the
			 * peer, or Close was sent to a plain one */
	FLOW_RESET,	/* ended badly */
	FLOW_DISCARDING	/* out: read, so that closing resets nothing,
				 * and dropped */
};

/* A stream that comes later. */
enum tunnel_opening {
	OPENING_NONE,		/* it was there from the beginning */
	OPENING_WAITING,
	OPENING_TOLD,		/* "open" is sent or received */
	OPENING_FLOWING,	/* "ok" is */
	OPENING_FAILED		/* "fail" is */
};

/* Is the tunnel kept when it loses its wire? */
enum tunnel_session {
	SESSION_NONE,
	SESSION_KEPT,
	SESSION_OVER
};

/*
 * Has the peer, which should have sent something, not?  Only the dialling side
 * of a session asks, while pings are on.
 */
enum tunnel_silence {
	SILENCE_NONE,
	SILENCE_PINGED,		/* a Pong is due */
	SILENCE_DOUBTED		/* it did not come in time, or the wire is
				 * in doubt for another reason */
};

struct tunnel;

struct tunnel_config {
	int client;		/* we mask, the peer must not */
	int extension;		/* the peer speaks "inetws" */
	int session;		/* ... and we keep a session */
	enum tunnel_role role;	/* ... and who has a stream at once */
	uint32_t win;		/* session: the credit we begin with */
	uint32_t win_max;	/* ... and may raise it to */
	uint32_t peer_win;	/* session: the credit the peer gave */
	int hold;		/* plain peer: hold Close at end of stream */
	uint32_t frame_max;	/* plain peer: bytes of a frame's payload,
				 * 125..TUNNEL_FRAME_PLAIN; 0: the latter */
	int text;		/* plain peer: text messages, of whole
				 * characters */
	int discard;		/* the stream is a socket: what it still sends
				 * has to be read, or closing it would destroy
				 * what was delivered */

	int tls;		/* the wire's end of file is close_notify */

	int ping_adapts;	/* session: the interval may become shorter */

	/* milliseconds, 0 is off */
	int64_t ping_interval, ping_timeout, idle_timeout, linger;

	/*
	 * Memory, for the life of the tunnel, touched only as far as it is
	 * used.  out_size is how much of what the stream sent is kept at most;
	 * in_size is at least TUNNEL_SLACK, with a session win_max +
	 * TUNNEL_SLACK; mask_buffer (TUNNEL_MASK_BUFFER bytes) is needed by a
	 * client with a session.
	 */
	uint8_t *out, *in, *mask_buffer;
	size_t out_size, in_size;

	void (*random)(void *, size_t);	/* unpredictable bytes */

	/*
	 * Told of each change of a state, before it, or NULL: the state's
	 * name, what it was, what it will be; constant strings.
	 */
	void (*trace)(const struct tunnel *, const char *what,
	    const char *from, const char *to);
};

struct tunnel_run {
	size_t off, len;
};

struct tunnel {
	struct tunnel_config cfg;
	int64_t now;

	/* how it ends */
	enum tunnel_end end;
	const char *why;		/* constant string, or NULL */
	unsigned int peer_code;		/* of the peer's Close, 0 if none */
	uint8_t peer_reason[FRAME_CONTROL_MAX - 2];	/* its text, UTF-8 */
	size_t peer_reason_len;
	unsigned int close_code;	/* of ours, 0: not decided */
	const char *close_reason;	/* constant string, or NULL */
	uint64_t closed_taken;		/* in_taken when it was decided */

	enum tunnel_wire wire;
	enum tunnel_link link;
	enum tunnel_flow in, out;	/* to the stream, from the stream */
	enum tunnel_opening opening;
	enum tunnel_session session;
	enum tunnel_silence silence;
	const char *doubt;		/* why, constant */

	/* facts of the stream's and the wire's descriptors */
	uint8_t stream_gone;		/* closed or reset by us */
	uint8_t write_closed;		/* it will take nothing more */
	uint8_t wire_eof;		/* the peer has ended its direction */
	uint8_t wire_finished;		/* we have ended ours */
	uint8_t wire_left;		/* tunnel_wire_left() */
	uint8_t wire_blocked;		/* took less than offered */
	uint8_t answered;		/* the peer is known to answer pings */

	/* lines: to be sent on this wire; sent, on this one or before */
	uint8_t opening_due, opening_sent;	/* open, ok or fail */
	uint8_t eof_due, eof_sent;
	uint8_t rst_due, rst_sent;
	uint8_t final_due, final_sent;	/* the ack of the peer's eof */
	uint8_t ack_due;		/* any other, now */
	char addr[CONTROL_ADDR_MAX];	/* of open */
	char reason[CONTROL_REASON_MAX];	/* of fail, "" */
	int64_t opened_at;

	/*
	 * out: bytes [kept, head) since the beginning; framed up to sent, which
	 * is at most limit.  The ring uses out_cap of out_size bytes; position
	 * out_base lies at out[0].
	 */
	uint64_t out_kept, out_sent, out_head, out_limit;
	uint64_t out_arrived;		/* the peer's last "at" */
	uint64_t out_base;
	size_t out_cap;
	uint64_t out_text;		/* of a text: whole characters end
					 * here */
	struct utf8 out_utf8;
	uint64_t out_pipe, out_pipe_end;	/* these bypass the ring, which
						 * has room for them */
	uint64_t timed;			/* position whose ack is timed, 0: none */
	int64_t timed_at, ack_delay;	/* ms from its frame to that */
	uint64_t payload_left;		/* of the frame on its way */
	uint8_t payload_bypass;		/* it is not in the ring */
	size_t mask_buffer_off, mask_buffer_len;
	uint8_t mask[4];
	size_t mask_phase;
	uint8_t head[512];		/* control frames and one header */
	size_t head_off, head_len;

	/* in */
	size_t in_pos, in_end;		/* parsed, read */
	struct tunnel_run run[TUNNEL_RUNS];
	unsigned int nruns;
	size_t pending;			/* bytes in the runs and bypassed */
	size_t bypassed;		/* bytes that come before the runs, and
					 * are not in the buffer */
	struct frame frame;		/* the one being taken */
	uint8_t in_frame;
	uint8_t in_dead;		/* what follows cannot be parsed */
	uint8_t message;		/* opcode of the message, 0 between */
	uint64_t frame_left;
	size_t frame_phase;
	struct utf8 utf8;
	uint64_t in_taken, in_delivered, in_acked;
	uint64_t in_limit;		/* what the peer was permitted */
	uint64_t in_credit;		/* beyond what is acknowledged */
	uint64_t in_raised;		/* in_delivered when that was reviewed */
	int64_t raised_at;

	/* pings */
	uint8_t pong_due;
	uint8_t pong_len;
	uint8_t pong[FRAME_CONTROL_MAX];
	uint32_t ping_seq, pong_seq;	/* of the last Ping; ... answered */
	int64_t ping_at;		/* when the last one was sent */
	uint8_t ping_due;		/* one out of turn */
	unsigned int round_trips;	/* measured on this wire */
	int64_t rtt, rtt_least;		/* ms, -1 if unknown */
	uint32_t pongs;			/* that told a round trip */
	int64_t idle_death;		/* ms without a byte when a wire ended,
					 * 0: none did while idle */
	uint8_t ping_adapted;		/* cfg.ping_interval has changed; for
					 * the caller, who clears it */
	int64_t rtt_most;		/* the largest lately, fading */
	int64_t pinged_at;		/* since when silence is measured */
	int64_t unacked_at;		/* the oldest byte without "ack" is of
					 * then, or later */
	int64_t moved_at;		/* tunnel_wire_moved(), _left() */
	int64_t stream_moved_at;

	/* when things happened */
	int64_t received_at, sent_at;	/* last byte from, to the wire */
	int64_t unread_at;		/* the wire was last not read */
	int64_t data_at;		/* last payload, either way */
	int64_t taken_at, delivered_at, ended_at, write_closed_at, closed_at;
	int64_t lost_at;
	int64_t hurry_until;		/* tunnel_hurry(), 0: not called */
	int64_t shown_at;		/* the peer's end, to the stream */

	uint8_t masks[256];		/* random bytes in stock */
	size_t masks_left;
};

/*
 * Starts with the wire there, and the stream too unless the role says that it
 * comes later.  The configuration is copied.
 */
void tunnel_begin(struct tunnel *, const struct tunnel_config *, int64_t now);

/*
 * A stream that comes later (open.c).  tunnel_waits(): there is none yet, the
 * wire is up, and only pings are sent on it.
 *
 * The asking side, while it waits: tunnel_open() says that there is a stream,
 * from addr ("ip:port" or "-").  The stream may then be lost to this tunnel
 * without having been touched: TUNNEL_RETURN_STREAM.
 *
 * The serving side gets its stream when TUNNEL_GET_STREAM is wanted (t->addr
 * is the peer that it is for), and says so by tunnel_ok(), or why not by
 * tunnel_fail().
 *
 * tunnel_opened(): has "open" been sent or received?
 * tunnel_has_stream(): is there a stream that is to be closed?
 * tunnel_flows(): may it be read and written?
 */
int tunnel_waits(const struct tunnel *);
int tunnel_opened(const struct tunnel *);
int tunnel_flows(const struct tunnel *);
int tunnel_has_stream(const struct tunnel *);
void tunnel_open(struct tunnel *, const char *addr);
void tunnel_ok(struct tunnel *);
void tunnel_fail(struct tunnel *, const char *reason);

/*
 * tunnel_now() sets the clock before events are told; tunnel_tick() looks
 * whether a deadline has passed, after what has already come was told.
 */
void tunnel_now(struct tunnel *, int64_t now);
void tunnel_tick(struct tunnel *);

unsigned int tunnel_wants(const struct tunnel *);

/* When tunnel_tick() has something to do if nothing happens before. */
int64_t tunnel_deadline(const struct tunnel *);

/*
 * The stream.  tunnel_stream_space() gives up to two places to read into and
 * tunnel_stream_read() says how many bytes were; tunnel_stream_data() gives
 * up to TUNNEL_RUNS pieces to write and tunnel_stream_wrote() says how many
 * bytes were taken.
 */
int tunnel_stream_space(struct tunnel *, struct iovec iov[2]);
void tunnel_stream_read(struct tunnel *, size_t);
void tunnel_stream_eof(struct tunnel *);
void tunnel_stream_failed(struct tunnel *);

/*
 * The stream has no reader any more, as a pipe whose reader has gone.  No
 * harm is done until there is something to write; once the stream has ended
 * as well, the peer gets the linger time to end too.
 */
void tunnel_stream_write_closed(struct tunnel *);
int tunnel_stream_data(struct tunnel *, struct iovec iov[TUNNEL_RUNS]);
void tunnel_stream_wrote(struct tunnel *, size_t);
void tunnel_stream_shut(struct tunnel *);
void tunnel_stream_closed(struct tunnel *);

/* The wire, likewise; there is one place to read into. */
void tunnel_wire_space(struct tunnel *, struct iovec *iov);
void tunnel_wire_read(struct tunnel *, size_t);
void tunnel_wire_eof(struct tunnel *);
void tunnel_wire_failed(struct tunnel *);
int tunnel_wire_data(struct tunnel *, struct iovec iov[3]);
void tunnel_wire_wrote(struct tunnel *, size_t);
void tunnel_wire_finished(struct tunnel *);
void tunnel_wire_closed(struct tunnel *);

/*
 * The dialling side of a session sends a Ping when nothing has come for a
 * while although something should have, and wants a new path when nothing comes
 * after that either.  tunnel_pong_due(): that is what it waits for now, 1 if the
 * Ping is not yet written whole, else 2; and tunnel_wire_moved() tells it that
 * the network has taken something of what was written up to the Ping.
 * tunnel_doubt(): for a reason of the caller's the wire may be dead; a Ping asks
 * it, or the wire is given up if it waits for a stream.
 * Any byte from the peer ends the doubt; tunnel_abandon() ends the wire,
 * when the new path is there.
 */
int tunnel_pong_due(const struct tunnel *);
void tunnel_wire_moved(struct tunnel *);
void tunnel_doubt(struct tunnel *, const char *why);
void tunnel_abandon(struct tunnel *);

/*
 * Ends it from this side: the stream is reset, the peer is told by Close with
 * this code, and another inetws by "rst" first, so that it does not take that
 * for a loss.  What is over, and only the peer may not know, ends as it would
 * have.
 */
void tunnel_stop(struct tunnel *, unsigned int code, enum tunnel_end,
    const char *why);

/*
 * A session whose wire is lost (or is being taken over).  tunnel_taken() is
 * the "at" to send; tunnel_sent() is how far this side has sent, and what lies
 * beyond the peer's "at" is to be sent again.  tunnel_resume() takes the
 * peer's: 0, or -1 if that is no position this side could go on from, and
 * nothing has changed.  tunnel_progress() grows with each byte or end that has
 * come or is known to have arrived.  A session that found no new wire is told so by
 * tunnel_expire().
 */
uint64_t tunnel_taken(const struct tunnel *);
uint64_t tunnel_progress(const struct tunnel *);
uint64_t tunnel_sent(const struct tunnel *);
int tunnel_may_resume(const struct tunnel *, uint64_t at);
int tunnel_resume(struct tunnel *, uint64_t at);
void tunnel_expire(struct tunnel *);

/* Bytes of a session that may be sent ahead: from the stream, to it. */
uint32_t tunnel_window_out(const struct tunnel *);
uint32_t tunnel_window_in(const struct tunnel *);

/*
 * Is it over, and only the peer may not know: all had been sent and
 * acknowledged when the wire was lost, up to the peer's Close, or the stream
 * was reset?
 */
int tunnel_over(const struct tunnel *);

/* Has the wire of a session been lost, and is a new one waited for? */
int tunnel_lost(const struct tunnel *);

/* Has one direction of the stream ended? */
int tunnel_half_closed(const struct tunnel *);

/* "ended", "stream-reset" ... as the log has it. */
const char *tunnel_end_name(enum tunnel_end);

/* The exit status of a process whose only tunnel ended so (base/error.h). */
int tunnel_status(enum tunnel_end);

#endif
