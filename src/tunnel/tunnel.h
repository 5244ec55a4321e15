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
#include "tunnel/states.h"
#include "ws/control.h"
#include "ws/frame.h"

#define TUNNEL_NEVER		INT64_MAX
/*
 * Terms: the stream is the byte stream that is forwarded, the wire is the
 * connection below the websocket.  "Another inetws" is a peer that
 * speaks the subprotocol "inetws" (inetws-protocol(7)), a plain peer is any
 * other.
 */

/* Bytes. */
#define TUNNEL_SLACK		262144	/* size of in beyond the window */
#define TUNNEL_MASK_BUFFER	131072	/* size of mask_buffer */
#define TUNNEL_FRAME_PLAIN	65535	/* largest payload for a plain peer */
#define TUNNEL_FRAME_MAX	131072	/* ... and for another inetws */
#define TUNNEL_KEEP_MIN		524288	/* least out_size with a session */

#define TUNNEL_RUNS		16	/* pieces that wait for the stream */
#define TUNNEL_ANSWER_WAIT	5000	/* ms from "open" to "ok" */

/* What the caller is to do: bits of the set that tunnel_wants() returns. */
enum {
	TUNNEL_READ_STREAM = 0x001,
	TUNNEL_WRITE_STREAM = 0x002,
	TUNNEL_SHUT_STREAM = 0x004,	/* show end of file, go on reading */
	TUNNEL_CLOSE_STREAM = 0x008,	/* both directions ended well */
	TUNNEL_RESET_STREAM = 0x010,	/* it ended badly: show that */
	TUNNEL_READ_WIRE = 0x020,
	TUNNEL_WRITE_WIRE = 0x040,
	TUNNEL_FINISH_WIRE = 0x080,	/* end our direction of the wire */
	TUNNEL_CLOSE_WIRE = 0x100,	/* close the descriptor of the wire */
	TUNNEL_LOST = 0x200,		/* a session waits for a new wire */
	TUNNEL_DONE = 0x400,		/* nothing is left to do */
	TUNNEL_GET_STREAM = 0x800,	/* dial the stream, then tunnel_ok() or
					 * tunnel_fail() */
	TUNNEL_RETURN_STREAM = 0x1000,	/* the stream is untouched: give it to
					 * another tunnel, and report it with
					 * tunnel_stream_closed() */
	TUNNEL_NEW_PATH = 0x2000	/* the wire may be dead: connect for a
					 * new one, but keep this one */
};

/* Between two inetws: is there a stream as soon as there is a wire? */
enum tunnel_role {
	TUNNEL_JOINED,		/* yes, at both sides */
	TUNNEL_ASKS,		/* no: ours comes later, then we send "open" */
	TUNNEL_SERVES		/* no: ours is dialled when "open" comes */
};

struct tunnel;

struct tunnel_config {
	int client;		/* we mask, the peer must not */
	int extension;		/* the peer is another inetws */
	int session;		/* ... and both keep a session */
	enum tunnel_role role;	/* ... TUNNEL_JOINED for a plain peer */

	/* session: bytes that may be sent before they are acknowledged */
	uint32_t win;		/* by the peer, at first */
	uint32_t win_max;	/* ... and at most */
	uint32_t peer_win;	/* by us, at first */

	int hold;		/* plain peer: when our stream has ended, hold
				 * Close back until the peer has ended too */
	uint32_t frame_max;	/* plain peer: bytes of a frame's payload,
				 * 125..TUNNEL_FRAME_PLAIN; 0: the latter */
	int text;		/* plain peer: text messages, of whole
				 * characters */
	int discard;		/* the stream is a socket: what it still sends
				 * has to be read, or closing it would destroy
				 * what was delivered */

	int one_way;		/* the stream is two descriptors that have
				 * nothing to do with each other, as those of
				 * connect: when the one takes nothing more,
				 * the other is not worth reading */

	int tls;		/* the wire is TLS: its end of file is a
				 * close_notify, which nobody can forge */

	int ping_adapts;	/* session: ping_interval may become shorter */

	/* The options of the same names, in milliseconds; 0 is off. */
	int64_t ping_interval, ping_timeout, idle_timeout, linger;

	/*
	 * Memory of the caller's, for the life of the tunnel, touched only as
	 * far as it is used.  out keeps what the stream sent; with a session
	 * out_size is at least TUNNEL_KEEP_MIN.  in takes what the wire sent;
	 * in_size is at least TUNNEL_SLACK, with a session win_max +
	 * TUNNEL_SLACK.  mask_buffer, of TUNNEL_MASK_BUFFER bytes, is used only
	 * by a client with a session.
	 */
	uint8_t *out, *in, *mask_buffer;
	size_t out_size, in_size;

	/* Fills so many bytes with unpredictable ones: masks (RFC 6455 5.3). */
	void (*random)(void *, size_t);

	/*
	 * Called before each change of a state, or NULL.  what names the state,
	 * from and to its old and its new value; constant strings.
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
	uint64_t closed_taken;		/* in_taken when that was decided */

	enum tunnel_wire wire;
	enum tunnel_link link;
	enum tunnel_flow in, out;	/* to the stream, from the stream */
	enum tunnel_sink sink;
	enum tunnel_opening opening;
	enum tunnel_session session;
	enum tunnel_silence silence;
	const char *doubt;		/* why SILENCE_DOUBTED, constant */

	/* facts of the stream's and the wire's descriptors */
	uint8_t stream_gone;		/* closed or reset by us */
	uint8_t wire_eof;		/* the peer has ended its direction */
	uint8_t wire_finished;		/* we have ended ours */
	uint8_t wire_left;		/* tunnel_wire_left(): the network has
					 * not yet taken all */
	uint8_t wire_blocked;		/* took less than offered */
	uint8_t answered;		/* the peer is known to answer pings */

	/*
	 * Control lines.  _due: to be sent on this wire; _sent: was sent, on
	 * this wire or one before.
	 */
	uint8_t opening_due, opening_sent;	/* open, ok or fail */
	uint8_t eof_due, eof_sent;
	uint8_t rst_due, rst_sent;
	uint8_t final_due, final_sent;	/* the ack of the peer's eof */
	uint8_t ack_due;		/* any other ack, without a delay */
	char addr[CONTROL_ADDR_MAX];	/* of open */
	char reason[CONTROL_REASON_MAX];	/* of fail, "" if none */
	int64_t opened_at;		/* when open was sent or received */

	/*
	 * From the stream to the wire.  Positions count the stream's bytes:
	 * kept <= sent <= head.  Bytes up to head were read from the stream, up
	 * to sent put into frames, up to kept are not needed any more: written,
	 * or with a session acknowledged.  The peer permits bytes up to limit.
	 * The ring uses out_cap of out_size bytes; position out_base lies at
	 * out[0].
	 */
	uint64_t out_kept, out_sent, out_head, out_limit;
	uint64_t out_arrived;		/* the peer's last "at" */
	uint64_t out_base;
	size_t out_cap;
	uint64_t out_text;		/* cfg.text: whole characters end here */
	struct utf8 out_utf8;
	uint64_t out_pipe, out_pipe_end;	/* bytes [out_pipe, out_pipe_end)
						 * bypass the ring, which has
						 * room for them */
	uint64_t timed;			/* position whose ack is timed, 0: none */
	int64_t timed_at, ack_delay;	/* from its frame to its ack, ms */
	uint64_t payload_left;		/* unwritten bytes of the frame */
	uint8_t payload_bypass;		/* they are not in the ring */
	size_t mask_buffer_off, mask_buffer_len;
	uint8_t mask[4];
	size_t mask_phase;
	uint8_t head[512];		/* control frames and one header */
	size_t head_off, head_len;

	/*
	 * From the wire to the stream.  in[] is filled up to in_end and parsed
	 * up to in_pos; the runs are the payload in it that the stream has yet
	 * to take.
	 */
	size_t in_pos, in_end;
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
	uint64_t in_taken;		/* payload that has come, */
	uint64_t in_delivered;		/* ... that the stream has taken, */
	uint64_t in_acked;		/* ... that we have acknowledged */
	uint64_t in_limit;		/* position the peer may send up to */
	uint64_t in_credit;		/* how far that is beyond in_acked */
	uint64_t in_raised;		/* in_delivered at the last review of
					 * in_credit */
	int64_t raised_at;		/* when that was */

	/* pings */
	uint8_t pong_due;
	uint8_t pong_len;
	uint8_t pong[FRAME_CONTROL_MAX];
	uint32_t ping_seq, pong_seq;	/* of the last Ping; ... answered */
	int64_t ping_at;		/* when the last one was sent */
	uint8_t ping_due;		/* one now, before the interval */
	unsigned int round_trips;	/* measured on this wire */
	int64_t rtt, rtt_least;		/* ms, -1 if unknown */
	uint32_t pongs;			/* round trips on all wires */
	int64_t idle_death;		/* ms without a byte when a wire ended,
					 * 0: none did while idle */
	uint8_t ping_adapted;		/* cfg.ping_interval has changed; for
					 * the caller, who clears it */
	int64_t rtt_most;		/* the largest lately, fading */
	int64_t pinged_at;		/* since when silence is measured */
	int64_t unacked_at;		/* the oldest byte without "ack" was
					 * sent then, or later */
	int64_t acked_at;		/* last "ack" of further bytes */
	int64_t moved_at;		/* when the network last took some:
					 * tunnel_wire_moved(), _left() */
	int64_t stream_moved_at;	/* tunnel_stream_moved() */

	/* when things happened */
	int64_t received_at, sent_at;	/* last byte from, to the wire */
	int64_t unread_at;		/* the wire was last not read */
	int64_t data_at;		/* last payload, either way */
	int64_t taken_at, delivered_at, ended_at, sink_closed_at, closed_at;
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

/*
 * The serving side has no more use for this wire: it is closed as if its Close
 * and "open" had crossed, and the asking side may use another one.
 */
void tunnel_decline(struct tunnel *, const char *why);
void tunnel_fail(struct tunnel *, const char *reason);

/* How long an end may take, in ms: it must come, even if --linger is off. */
int64_t tunnel_linger(const struct tunnel *);

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
 * The stream.  tunnel_stream_space() sets iov to the places to read into and
 * returns how many there are; tunnel_stream_read() reports the bytes read,
 * tunnel_stream_eof() the end of file, tunnel_stream_failed() an error after
 * which nothing can be read.
 * tunnel_stream_data() sets iov to the pieces to write and returns how many
 * there are; tunnel_stream_wrote() reports the bytes written.
 * tunnel_stream_shut() reports that its write side was shut down,
 * tunnel_stream_closed() that it was closed or reset.
 */
int tunnel_stream_space(struct tunnel *, struct iovec iov[2]);
void tunnel_stream_read(struct tunnel *, size_t);
void tunnel_stream_eof(struct tunnel *);
void tunnel_stream_failed(struct tunnel *);

/*
 * tunnel_stream_write_closed(): the stream has no reader any more, as a pipe
 * whose reader has gone.  No harm is done until there is something to write;
 * once the stream has ended as well, and the peer has got all of it, the peer
 * gets the linger time to end too.
 * tunnel_stream_refused(): it has not taken what it got, but is still read.
 */
void tunnel_stream_write_closed(struct tunnel *);
void tunnel_stream_refused(struct tunnel *);
int tunnel_stream_data(struct tunnel *, struct iovec iov[TUNNEL_RUNS]);
void tunnel_stream_wrote(struct tunnel *, size_t);
void tunnel_stream_shut(struct tunnel *);
void tunnel_stream_closed(struct tunnel *);

/*
 * The wire, likewise; there is one place to read into.  tunnel_wire_finished()
 * reports that its write side was shut down, tunnel_wire_closed() that its
 * descriptor was closed.
 */
void tunnel_wire_space(struct tunnel *, struct iovec *iov);
void tunnel_wire_read(struct tunnel *, size_t);
void tunnel_wire_eof(struct tunnel *);
void tunnel_wire_failed(struct tunnel *);
int tunnel_wire_data(struct tunnel *, struct iovec iov[3]);
void tunnel_wire_wrote(struct tunnel *, size_t);
void tunnel_wire_finished(struct tunnel *);
void tunnel_wire_closed(struct tunnel *);

/*
 * Have both sides sent Close?  So they have also where a peer goes away and its
 * session, whose wire is lost then, is to go on over another one.
 */
int tunnel_closes_passed(const struct tunnel *);

/*
 * Doubt.  The dialling side of a session sends a Ping when nothing has come
 * for a while although something should have, and wants TUNNEL_NEW_PATH when
 * nothing comes after that either.  Any byte from the peer ends the doubt.
 *
 * tunnel_pong_due() tells whether a Pong is waited for.  Meanwhile the caller
 * reports with tunnel_wire_moved() that the network has taken some of what was
 * written up to the Ping: then the peer is not silent, but the network slow.
 *
 * tunnel_doubt(): the caller has a reason to think that the wire is dead; why
 * is a constant string.  A Ping is sent and a new path wanted at once; a wire
 * that only waits for a stream is given up.
 * tunnel_abandon(): the new path is there; the wire, if still in doubt, ends.
 */
enum tunnel_pong {
	PONG_NOT_DUE,
	PONG_UNASKED,		/* the Ping is not yet written whole */
	PONG_DUE
};
enum tunnel_pong tunnel_pong_due(const struct tunnel *);
void tunnel_wire_moved(struct tunnel *);
void tunnel_doubt(struct tunnel *, const char *why);
void tunnel_abandon(struct tunnel *);

/*
 * Ends the tunnel from this side.  The stream is reset.  The peer gets a Close
 * with this code; another inetws gets "rst" before it, so that it does not
 * take the Close for a loss of the wire.  why is a constant string, or NULL.
 * A tunnel that is tunnel_over() ends as it would have without this call.
 */
void tunnel_stop(struct tunnel *, unsigned int code, enum tunnel_end,
    const char *why);

/*
 * A session whose wire is lost, or is being replaced (inetws-protocol(7),
 * SESSIONS).  Each side tells the other by "at" how many bytes have come.
 * tunnel_taken() returns the "at" to send, tunnel_sent() how many bytes this
 * side has sent.  tunnel_resume() goes on over a new wire: bytes from the
 * peer's "at" on are sent again.  0, or -1 if this side does not have those
 * bytes; then nothing has changed.  tunnel_may_resume() tells that before.
 * tunnel_expire(): no new wire has come in time, the session ends.
 *
 * tunnel_progress() returns a number that grows with each byte or end that has
 * come, or is known to have arrived.
 */
uint64_t tunnel_taken(const struct tunnel *);
uint64_t tunnel_progress(const struct tunnel *);
uint64_t tunnel_sent(const struct tunnel *);
int tunnel_may_resume(const struct tunnel *, uint64_t at);
int tunnel_resume(struct tunnel *, uint64_t at);
void tunnel_expire(struct tunnel *);

/*
 * A session's credit in bytes: what the peer gives us, what we give the peer.
 */
uint32_t tunnel_window_out(const struct tunnel *);
uint32_t tunnel_window_in(const struct tunnel *);

/*
 * Is the outcome certain, although the peer may not know it?  Either
 * everything was sent and acknowledged, in both directions, or our stream was
 * reset.
 */
int tunnel_over(const struct tunnel *);

/* Has the wire of a session been lost, and is a new one waited for? */
int tunnel_lost(const struct tunnel *);

/* Has one direction of the stream ended? */
int tunnel_half_closed(const struct tunnel *);

/* The word for it in the log, as "ended" or "stream-reset"; constant. */
const char *tunnel_end_name(enum tunnel_end);

/* The exit status of a process whose only tunnel ended so (base/error.h). */
int tunnel_status(enum tunnel_end);

#endif
