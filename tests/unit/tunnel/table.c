/* SPDX-License-Identifier: ISC */
/*
 * The table of ends of inetws-protocol(7), row by row, in every state that a
 * row is about, for both roles.
 *
 * If it fails: a stream ends in another way than its other end did.
 */
#include "tunnel/rig.h"

#define WIN	65536
#define NONE	-1		/* it goes on */

/* How far the tunnel has come when it happens. */
enum state {
	OPEN,
	OURS,		/* our stream has ended */
	THEIRS,		/* the peer has sent eof */
	BOTH,
	DONE,		/* both are confirmed; plain: our Close is out */
	LATE,		/* plain: and data came behind it */
	STATES
};

#define NOT_DONE	(1 << OPEN | 1 << OURS | 1 << THEIRS | 1 << BOTH)
#define IS_DONE		(1 << DONE)
#define IS_LATE		(1 << LATE)
#define ALL		(NOT_DONE | IS_DONE)

enum peer { PLAIN, TLS, INETWS, SESSION };	/* TLS: plain, over it */
enum role { SERVER = 1, CLIENT = 2, EITHER = 3 };
enum shown { ENDS, RESETS, IS_LOST };

/* What happens. */
enum event {
	CLOSES,			/* with the code given */
	BARE_END, WIRE_RESET, SILENCE, RST, STREAM_RESET, STOP, IDLE, NONSENSE
};

static const struct row {
	const char *name;
	enum peer peer;
	enum role role;
	unsigned int states;
	enum event event;
	unsigned int with;	/* code of the peer's Close, 1005: none */
	int rst;		/* sent, just before our Close */
	unsigned int code;	/* of that, 0: none */
	enum shown shown;
	enum tunnel_end end;
	int status;		/* of a process that serves it alone */
} rows[] = {
	{ "Close 1000", INETWS, EITHER, NOT_DONE, CLOSES, 1000, 0, 1002,
	    RESETS, TUNNEL_PEER_FAULT, 76 },
	{ "Close 1001", INETWS, EITHER, NOT_DONE, CLOSES, 1001, 0, 1001,
	    RESETS, TUNNEL_PEER_CLOSED, 74 },
	{ "Close 1012", INETWS, EITHER, NOT_DONE, CLOSES, 1012, 0, 1012,
	    RESETS, TUNNEL_PEER_CLOSED, 74 },
	{ "Close 1011", INETWS, EITHER, NOT_DONE, CLOSES, 1011, 0, 1011,
	    RESETS, TUNNEL_PEER_CLOSED, 74 },
	{ "Close without a code", INETWS, EITHER, NOT_DONE, CLOSES, 1005, 0,
	    1005, RESETS, TUNNEL_PEER_CLOSED, 74 },
	{ "a bare end", INETWS, EITHER, NOT_DONE, BARE_END, 0, 0, 0, RESETS,
	    TUNNEL_WIRE_LOST, 74 },
	{ "a reset wire", INETWS, EITHER, NOT_DONE, WIRE_RESET, 0, 0, 0,
	    RESETS, TUNNEL_WIRE_LOST, 74 },
	{ "silence", INETWS, EITHER, NOT_DONE, SILENCE, 0, 0, 0, RESETS,
	    TUNNEL_PING_TIMEOUT, 74 },
	{ "rst", INETWS, EITHER, NOT_DONE, RST, 0, 0, 1000, RESETS,
	    TUNNEL_PEER_RESET, 74 },
	{ "a reset stream", INETWS, EITHER, NOT_DONE, STREAM_RESET, 0, 1, 1000,
	    RESETS, TUNNEL_STREAM_RESET, 74 },
	{ "a signal", INETWS, EITHER, NOT_DONE, STOP, 0, 1, 1001, RESETS,
	    TUNNEL_STOPPED, 74 },
	{ "idleness", INETWS, EITHER, NOT_DONE, IDLE, 0, 1, 1008, RESETS,
	    TUNNEL_IDLE, 74 },
	{ "a protocol error", INETWS, EITHER, NOT_DONE, NONSENSE, 0, 0, 1002,
	    RESETS, TUNNEL_PEER_FAULT, 76 },

	{ "Close 1000", INETWS, EITHER, IS_DONE, CLOSES, 1000, 0, 1000, ENDS,
	    TUNNEL_ENDED, 0 },
	{ "Close 1001", INETWS, EITHER, IS_DONE, CLOSES, 1001, 0, 1000, ENDS,
	    TUNNEL_ENDED, 0 },
	{ "Close 1011", INETWS, EITHER, IS_DONE, CLOSES, 1011, 0, 1000, ENDS,
	    TUNNEL_ENDED, 0 },
	{ "a bare end", INETWS, EITHER, IS_DONE, BARE_END, 0, 0, 1000, ENDS,
	    TUNNEL_ENDED, 0 },
	{ "a reset wire", INETWS, EITHER, IS_DONE, WIRE_RESET, 0, 0, 1000,
	    ENDS, TUNNEL_ENDED, 0 },
	{ "silence", INETWS, EITHER, IS_DONE, SILENCE, 0, 0, 1000, ENDS,
	    TUNNEL_ENDED, 0 },
	{ "rst", INETWS, EITHER, IS_DONE, RST, 0, 0, 1000, ENDS, TUNNEL_ENDED,
	    0 },
	{ "a protocol error", INETWS, EITHER, IS_DONE, NONSENSE, 0, 0, 1000,
	    ENDS, TUNNEL_ENDED, 0 },
	{ "a protocol error", SESSION, EITHER, IS_DONE, NONSENSE, 0, 0, 1000,
	    ENDS, TUNNEL_ENDED, 0 },
	{ "a signal", INETWS, EITHER, IS_DONE, STOP, 0, 0, 1000, ENDS,
	    TUNNEL_ENDED, 0 },

	{ "Close 1000", SESSION, EITHER, NOT_DONE, CLOSES, 1000, 0, 1002,
	    RESETS, TUNNEL_PEER_FAULT, 76 },
	{ "Close 1001", SESSION, EITHER, NOT_DONE, CLOSES, 1001, 0, 1001,
	    IS_LOST, TUNNEL_GOING, NONE },
	{ "Close 1012", SESSION, EITHER, NOT_DONE, CLOSES, 1012, 0, 1012,
	    IS_LOST, TUNNEL_GOING, NONE },
	{ "Close 1011", SESSION, EITHER, NOT_DONE, CLOSES, 1011, 0, 1011,
	    RESETS, TUNNEL_PEER_CLOSED, 74 },
	{ "a bare end", SESSION, EITHER, NOT_DONE, BARE_END, 0, 0, 0, IS_LOST,
	    TUNNEL_GOING, NONE },
	{ "a reset wire", SESSION, EITHER, NOT_DONE, WIRE_RESET, 0, 0, 0,
	    IS_LOST, TUNNEL_GOING, NONE },
	{ "silence", SESSION, EITHER, NOT_DONE, SILENCE, 0, 0, 0, IS_LOST,
	    TUNNEL_GOING, NONE },
	{ "rst", SESSION, EITHER, NOT_DONE, RST, 0, 0, 1000, RESETS,
	    TUNNEL_PEER_RESET, 74 },
	{ "a reset stream", SESSION, EITHER, NOT_DONE, STREAM_RESET, 0, 1,
	    1000, RESETS, TUNNEL_STREAM_RESET, 74 },
	{ "a signal", SESSION, EITHER, NOT_DONE, STOP, 0, 1, 1001, RESETS,
	    TUNNEL_STOPPED, 74 },
	{ "idleness", SESSION, EITHER, NOT_DONE, IDLE, 0, 1, 1008, RESETS,
	    TUNNEL_IDLE, 74 },
	{ "Close 1000", SESSION, EITHER, IS_DONE, CLOSES, 1000, 0, 1000, ENDS,
	    TUNNEL_ENDED, 0 },
	{ "a bare end", SESSION, EITHER, IS_DONE, BARE_END, 0, 0, 1000,
	    IS_LOST, TUNNEL_GOING, NONE },
	{ "rst", SESSION, EITHER, IS_DONE, RST, 0, 0, 1000, ENDS, TUNNEL_ENDED,
	    0 },
	{ "a signal", SESSION, EITHER, IS_DONE, STOP, 0, 0, 1000, ENDS,
	    TUNNEL_ENDED, 0 },

	{ "rst and Close 1001", INETWS, EITHER, NOT_DONE, RST, 1001, 0, 1000,
	    RESETS, TUNNEL_PEER_RESET, 74 },
	{ "rst and Close 1008", INETWS, EITHER, NOT_DONE, RST, 1008, 0, 1000,
	    RESETS, TUNNEL_PEER_RESET, 74 },
	{ "rst and Close 1001", SESSION, EITHER, NOT_DONE, RST, 1001, 0, 1000,
	    RESETS, TUNNEL_PEER_RESET, 74 },
	{ "rst and Close 1008", SESSION, EITHER, NOT_DONE, RST, 1008, 0, 1000,
	    RESETS, TUNNEL_PEER_RESET, 74 },
	{ "idleness", INETWS, EITHER, IS_DONE, IDLE, 0, 0, 1000, ENDS,
	    TUNNEL_ENDED, 0 },
	{ "idleness", SESSION, EITHER, IS_DONE, IDLE, 0, 0, 1000, IS_LOST,
	    TUNNEL_GOING, NONE },

	{ "Close 1000", PLAIN, EITHER, ALL | IS_LATE, CLOSES, 1000, 0, 1000,
	    ENDS, TUNNEL_ENDED, 0 },
	{ "Close without a code", PLAIN, EITHER, NOT_DONE, CLOSES, 1005, 0,
	    1005, ENDS, TUNNEL_ENDED, 0 },
	{ "Close 1001 of a client", PLAIN, SERVER, NOT_DONE, CLOSES, 1001, 0,
	    1001, ENDS, TUNNEL_ENDED, 0 },
	{ "Close 1001 of a server", PLAIN, CLIENT, NOT_DONE, CLOSES, 1001, 0,
	    1001, RESETS, TUNNEL_PEER_CLOSED, 74 },
	{ "Close 1012", PLAIN, EITHER, NOT_DONE, CLOSES, 1012, 0, 1012, RESETS,
	    TUNNEL_PEER_CLOSED, 74 },
	{ "Close 1011", PLAIN, EITHER, NOT_DONE, CLOSES, 1011, 0, 1011, RESETS,
	    TUNNEL_PEER_CLOSED, 74 },
	{ "a bare end", PLAIN, EITHER, NOT_DONE, BARE_END, 0, 0, 0, RESETS,
	    TUNNEL_WIRE_LOST, 74 },
	{ "a reset wire", PLAIN, EITHER, NOT_DONE, WIRE_RESET, 0, 0, 0, RESETS,
	    TUNNEL_WIRE_LOST, 74 },
	{ "silence", PLAIN, EITHER, NOT_DONE, SILENCE, 0, 0, 0, RESETS,
	    TUNNEL_PING_TIMEOUT, 74 },
	{ "a bare end", PLAIN, EITHER, IS_DONE, BARE_END, 0, 0, 1000, ENDS,
	    TUNNEL_ENDED, 0 },
	{ "a reset wire", PLAIN, EITHER, IS_DONE, WIRE_RESET, 0, 0, 1000,
	    ENDS, TUNNEL_ENDED, 0 },
	{ "silence", PLAIN, EITHER, IS_DONE, SILENCE, 0, 0, 1000, ENDS,
	    TUNNEL_ENDED, 0 },
	{ "a bare end", PLAIN, EITHER, IS_LATE, BARE_END, 0, 0, 1000, RESETS,
	    TUNNEL_WIRE_LOST, 74 },
	{ "a reset wire", PLAIN, EITHER, IS_LATE, WIRE_RESET, 0, 0, 1000,
	    RESETS, TUNNEL_WIRE_LOST, 74 },
	{ "silence", PLAIN, EITHER, IS_LATE, SILENCE, 0, 0, 1000, RESETS,
	    TUNNEL_WIRE_LOST, 74 },
	{ "close_notify", TLS, EITHER, IS_DONE, BARE_END, 0, 0, 1000, ENDS,
	    TUNNEL_ENDED, 0 },
	{ "close_notify", TLS, EITHER, NOT_DONE, BARE_END, 0, 0, 0, RESETS,
	    TUNNEL_WIRE_LOST, 74 },
	{ "an end without close_notify", TLS, EITHER, IS_DONE, WIRE_RESET, 0, 0,
	    1000, RESETS, TUNNEL_WIRE_LOST, 74 },
	{ "silence", TLS, EITHER, IS_DONE, SILENCE, 0, 0, 1000, RESETS,
	    TUNNEL_WIRE_LOST, 74 },
	{ "Close 1000", TLS, EITHER, ALL | IS_LATE, CLOSES, 1000, 0, 1000,
	    ENDS, TUNNEL_ENDED, 0 },
	{ "a reset stream", PLAIN, EITHER, NOT_DONE, STREAM_RESET, 0, 0, 1011,
	    RESETS, TUNNEL_STREAM_RESET, 74 },
	{ "a signal", PLAIN, EITHER, NOT_DONE, STOP, 0, 0, 1001, RESETS,
	    TUNNEL_STOPPED, 74 },
	{ "idleness", PLAIN, EITHER, NOT_DONE, IDLE, 0, 0, 1008, RESETS,
	    TUNNEL_IDLE, 74 },
	{ "a protocol error", PLAIN, EITHER, NOT_DONE, NONSENSE, 0, 0, 1002,
	    RESETS, TUNNEL_PEER_FAULT, 76 },
	{ "a signal", PLAIN, EITHER, IS_DONE, STOP, 0, 0, 1000, RESETS,
	    TUNNEL_STOPPED, 74 },
};

static void
begin(struct rig *r, const struct row *row, int client)
{
	struct tunnel_config cfg = rig_config(client, row->peer >= INETWS,
	    row->peer == SESSION ? WIN : 0);

	cfg.tls = row->peer == TLS;
	if (row->event == SILENCE)
		cfg.ping_timeout = 1000;
	if (row->event == IDLE)
		cfg.idle_timeout = 1000;
	rig_begin(r, cfg);
	r->t.answered = 1;
}

static void
come_to(struct rig *r, enum state state, enum peer peer)
{
	rig_stream(r, "ours", 4);
	rig_frame(r, 0x82, "theirs", 6);
	if (state == OURS || state == BOTH || state >= DONE)
		rig_stream_eof(r);
	if (peer < INETWS) {
		if (state >= DONE) {
			r->t.answered = 0;
			rig_at(r, 10000);	/* no more held back */
			r->t.answered = 1;
		}
		if (state == LATE)
			rig_frame(r, 0x82, "more", 4);
		return;
	}
	if (state == THEIRS || state == BOTH || state == DONE)
		rig_line(r, "eof 6");
	if (state == DONE)
		rig_line(r, "ack 4");
}

static void
happen(struct rig *r, const struct row *row)
{
	switch (row->event) {
	case CLOSES:
		if (row->with == 1005)
			rig_frame(r, 0x88, "", 0);
		else
			rig_close(r, row->with);
		rig_wire_eof(r);
		break;
	case BARE_END:
		rig_wire_eof(r);
		break;
	case WIRE_RESET:
		tunnel_wire_failed(&r->t);
		rig_pump(r);
		break;
	case RST:
		rig_line(r, "rst");
		if (row->with != 0)
			rig_close(r, row->with);
		break;
	case STREAM_RESET:
		tunnel_stream_failed(&r->t);
		rig_pump(r);
		/* What it sent before its end of file comes first. */
		if (row->peer >= INETWS && r->t.end == TUNNEL_GOING)
			rig_line(r, "ack 4");
		break;
	case STOP:
		tunnel_stop(&r->t, 1001, TUNNEL_STOPPED, "stopped");
		rig_pump(r);
		break;
	case SILENCE:
	case IDLE:
		rig_at(r, r->now - RIG_START + 1000);
		break;
	case NONSENSE:
		rig_frame(r, 0x83, "", 0);
		break;
	}
	/* A session waits for an answer, others need none. */
	if (row->peer == SESSION && (row->event == RST ||
	    row->event == STREAM_RESET || row->event == STOP)) {
		rig_close(r, 1000);
		rig_wire_eof(r);
	}
	if (!r->lost) {
		rig_at(r, r->now - RIG_START + 10000);
		rig_at(r, r->now - RIG_START + 10000);
	}
	if (!r->t.stream_gone && rig_wants(r, TUNNEL_READ_STREAM))
		rig_stream_eof(r);	/* of what is discarded */
}

/* What was sent last: Close with which code and reason, behind "rst"? */
struct farewell {
	unsigned int code;
	char reason[126];
	int rst;
};

static void
find_farewell(struct rig *r, struct farewell *w)
{
	struct sent_frame f;
	int rst = 0;

	memset(w, 0, sizeof(*w));
	while (rig_next(r, &f) == 1) {
		if (f.opcode == 8) {
			w->code = rig_close_code(&f);
			if (f.len > 2)
				memcpy(w->reason, f.payload + 2, f.len - 2);
			w->rst = rst;
		}
		rst = f.opcode == 1 && f.len == 3 &&
		    memcmp(f.payload, "rst", 3) == 0;
	}
}

/* The reason is for the person at the other end. */
static const char *
reason_of(const struct row *row, int client)
{
	if (row->end == TUNNEL_STOPPED && row->code == 1001)
		return client ? "client stopped" : "server stopped";
	return row->end == TUNNEL_IDLE ? "idle timeout" : "";
}

static int
try(const struct row *row, enum state state, int client)
{
	struct rig r;
	struct farewell w;
	int good;

	begin(&r, row, client);
	come_to(&r, state, row->peer);
	happen(&r, row);
	find_farewell(&r, &w);
	good = w.code == row->code && w.rst == row->rst &&
	    strcmp(w.reason, reason_of(row, client)) == 0 &&
	    r.t.end == row->end && r.lost == (row->shown == IS_LOST) &&
	    (r.lost || tunnel_status(r.t.end) == row->status);
	if (row->event == RST && row->with != 0)
		good = good && r.t.peer_code == row->with;
	if (row->shown == ENDS)
		good = good && r.shut && r.closed && !r.reset;
	else if (row->shown == RESETS)
		good = good && r.reset && !r.closed;
	if (!good)
		printf("# %s, state %d: %scode %u %s, end %s%s%s%s\n",
		    client ? "client" : "server", (int)state,
		    w.rst ? "rst, " : "", w.code, w.reason,
		    tunnel_end_name(r.t.end), r.closed ? ", closed" : "",
		    r.reset ? ", reset" : "", r.lost ? ", lost" : "");
	rig_end(&r);
	return good;
}

int
main(void)
{
	static const char *const peers[] = {
		"plain", "TLS", "inetws", "session"
	};
	const struct row *row;
	size_t i;
	int state, client, good;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		row = &rows[i];
		good = 1;
		for (state = 0; state < STATES; state++)
			for (client = 0; client < 2; client++)
				if ((row->states & 1U << state) &&
				    (row->role & (client ? CLIENT : SERVER)))
					good &= try(row, state, client);
		ok(good, "%s: %s%s", peers[row->peer], row->name,
		    row->states == IS_DONE ? ", all being done" : "");
	}
	return done_testing();
}
