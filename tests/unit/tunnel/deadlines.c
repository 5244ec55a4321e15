/* SPDX-License-Identifier: ISC */
/*
 * Each timer in each state, by a scripted clock: when the machine is to be
 * woken if this timer alone is on.
 *
 * If it fails: a tunnel hangs until something else wakes it, or is ended in a
 * state in which that timer rests.
 */
#include "tunnel/rig.h"

#define WIN	65536
#define LINGER	1000000
#define WHEN	1000		/* something happens, ms */
#define NEVER	-1
#define SHORT	(WHEN + 2000)	/* for the peer to end a wire that is over */
#define LONG	(WHEN + LINGER)
#define MOMENT	(WHEN + 200)	/* for an acknowledgement */
#define ANSWER	(WHEN + TUNNEL_ANSWER_WAIT)

enum timer { NONE, PING, SILENCE, IDLE, TIMERS };

static const char *const timer_names[] = {
    "no timer", "--ping-interval", "--ping-timeout", "--idle-timeout"
};
static const int64_t lengths[] = { 0, 25000, 50000, 60000 };

enum peer { PLAIN, INETWS, SESSION };
static const char *const peer_names[] = { "plain", "inetws", "session" };

enum state {
	OPEN, ANSWERED, OURS, THEIRS, BOTH, STUCK, STUCK_WIRE, WRITE_CLOSED,
	WRITE_CLOSED_BOTH,
	STOPPED, STOPPED_STUCK, CLOSED, CLOSED_STUCK, BOTH_CLOSES, RESET,
	LOST, RESUMED, PARKED, ASKED, SENT_OPEN, FLOWS, STATES
};

static const char *const state_names[] = {
	[OPEN] = "open", [ANSWERED] = "a Pong has come",
	[OURS] = "our stream has ended", [THEIRS] = "the peer's has",
	[BOTH] = "both have", [STUCK] = "a stream that takes nothing",
	[STUCK_WIRE] = "a wire that takes nothing",
	[WRITE_CLOSED] = "a stream that is closed in both directions",
	[WRITE_CLOSED_BOTH] = "such a stream, and the peer's has ended",
	[STOPPED] = "told to end",
	[STOPPED_STUCK] = "told to end, with a stream that takes nothing",
	[CLOSED] = "Close has come",
	[CLOSED_STUCK] = "Close has come, with a stream that takes nothing",
	[BOTH_CLOSES] = "both Closes are out",
	[RESET] = "our stream was reset", [LOST] = "lost",
	[RESUMED] = "resumed", [PARKED] = "parked", [ASKED] = "a gate has sent open",
	[SENT_OPEN] = "a client has sent open",
	[FLOWS] = "ok has come"
};

static void
fill_wire(struct rig *r)
{
	static const uint8_t much[40000];
	struct iovec iov[TUNNEL_RUNS];

	r->wire_stuck = 1;
	rig_stream(r, much, sizeof(much));
	tunnel_wire_data(&r->t, iov);
	tunnel_wire_wrote(&r->t, 100);
	rig_pump(r);
}

static void
end_theirs(struct rig *r, enum peer peer)
{
	if (peer == PLAIN)
		rig_close(r, 1000);
	else
		rig_line(r, "eof 0");
}

static void
reach(struct rig *r, enum peer peer, enum state s)
{
	switch (s) {
	case OPEN:
	case PARKED:
	case STATES:
		break;
	case ANSWERED:
		rig_frame(r, 0x8a, "", 0);
		break;
	case OURS:
		rig_stream_eof(r);
		break;
	case THEIRS:
		end_theirs(r, peer);
		break;
	case BOTH:
		rig_stream_eof(r);
		end_theirs(r, peer);
		break;
	case STUCK:
		r->stream_stuck = 1;
		rig_frame(r, 0x82, "x", 1);
		break;
	case STUCK_WIRE:
		fill_wire(r);
		break;
	case WRITE_CLOSED:
	case WRITE_CLOSED_BOTH:
		tunnel_stream_write_closed(&r->t);
		rig_pump(r);
		rig_stream_eof(r);
		if (s == WRITE_CLOSED_BOTH)
			end_theirs(r, peer);
		else if (peer != PLAIN)
			rig_line(r, "ack 0");
		break;
	case STOPPED_STUCK:
		r->stream_stuck = 1;
		rig_frame(r, 0x82, "x", 1);
		/* FALLTHROUGH */
	case STOPPED:
		tunnel_stop(&r->t, 1001, TUNNEL_STOPPED, "told to end");
		rig_pump(r);
		break;
	case CLOSED_STUCK:
		r->stream_stuck = 1;
		rig_frame(r, 0x82, "x", 1);
		/* FALLTHROUGH */
	case CLOSED:
		rig_close(r, 1011);
		break;
	case BOTH_CLOSES:
		tunnel_stop(&r->t, 1001, TUNNEL_STOPPED, "told to end");
		rig_pump(r);
		rig_close(r, 1001);
		break;
	case RESET:
		tunnel_stream_failed(&r->t);
		rig_pump(r);
		break;
	case LOST:
		rig_wire_eof(r);
		break;
	case RESUMED:
		rig_wire_eof(r);
		r->lost = r->wire_closed = r->finished = 0;
		tunnel_resume(&r->t, 0);
		rig_pump(r);
		break;
	case ASKED:
	case SENT_OPEN:
	case FLOWS:
		tunnel_open(&r->t, "192.0.2.1:1");
		rig_pump(r);
		if (s == FLOWS)
			rig_line(r, "ok");
		break;
	}
}

/* In ms since the beginning, with each timer alone. */
static const struct row {
	enum state state;
	enum peer peer;
	int64_t due[TIMERS];
} rows[] = {
	/* A plain peer's silence counts when it has answered once. */
	{ OPEN, PLAIN, { NEVER, 25000, NEVER, 60000 } },
	{ OPEN, INETWS, { NEVER, 25000, 50000, 60000 } },
	{ OPEN, SESSION, { NEVER, 25000, 50000, 60000 } },
	/* It is life, and no data; we have sent nothing, so a Ping is due. */
	{ ANSWERED, PLAIN, { NEVER, 25000, WHEN + 50000, 60000 } },
	{ ANSWERED, INETWS, { NEVER, 25000, WHEN + 50000, 60000 } },
	{ ANSWERED, SESSION, { NEVER, 25000, WHEN + 50000, 60000 } },
	/* A plain peer has --linger for its answer. */
	{ OURS, PLAIN, { LONG, 25000, LONG, 60000 } },
	{ OURS, INETWS, { NEVER, 25000, 50000, 60000 } },
	{ OURS, SESSION, { NEVER, 25000, 50000, 60000 } },
	/* It is acknowledged after a moment, or at once with our own end. */
	{ THEIRS, PLAIN, { SHORT, SHORT, SHORT, SHORT } },
	{ THEIRS, INETWS, { MOMENT, MOMENT, MOMENT, MOMENT } },
	{ THEIRS, SESSION, { MOMENT, MOMENT, MOMENT, MOMENT } },
	{ BOTH, INETWS, { NEVER, WHEN + 25000, WHEN + 50000, 60000 } },
	{ BOTH, SESSION, { NEVER, WHEN + 25000, WHEN + 50000, 60000 } },
	{ STUCK, PLAIN, { NEVER, 25000, NEVER, WHEN + 60000 } },
	{ STUCK, INETWS, { NEVER, 25000, WHEN + 50000, WHEN + 60000 } },
	{ STUCK, SESSION, { NEVER, 25000, WHEN + 50000, WHEN + 60000 } },
	/* No Ping gets through; only who must answer is known to be silent. */
	{ STUCK_WIRE, PLAIN, { NEVER, NEVER, NEVER, WHEN + 60000 } },
	{ STUCK_WIRE, INETWS, { NEVER, NEVER, 50000, WHEN + 60000 } },
	{ STUCK_WIRE, SESSION, { NEVER, NEVER, 50000, WHEN + 60000 } },
	{ WRITE_CLOSED, PLAIN, { LONG, 25000, LONG, 60000 } },
	{ WRITE_CLOSED, INETWS, { LONG, WHEN + 25000, WHEN + 50000,
	    60000 } },
	{ WRITE_CLOSED, SESSION, { LONG, WHEN + 25000, WHEN + 50000,
	    60000 } },
	/* Nothing more has to come. */
	{ WRITE_CLOSED_BOTH, INETWS, { NEVER, WHEN + 25000, WHEN + 50000,
	    60000 } },
	{ WRITE_CLOSED_BOTH, SESSION, { NEVER, WHEN + 25000, WHEN + 50000,
	    60000 } },
	/* From our Close on only --linger counts, */
	{ STOPPED, PLAIN, { LONG, LONG, LONG, LONG } },
	{ STOPPED, INETWS, { LONG, LONG, LONG, LONG } },
	{ STOPPED, SESSION, { LONG, LONG, LONG, LONG } },
	{ STOPPED_STUCK, PLAIN, { LONG, LONG, LONG, LONG } },
	{ STOPPED_STUCK, INETWS, { LONG, LONG, LONG, LONG } },
	{ STOPPED_STUCK, SESSION, { LONG, LONG, LONG, LONG } },
	{ RESET, PLAIN, { LONG, LONG, LONG, LONG } },
	{ RESET, INETWS, { LONG, LONG, LONG, LONG } },
	{ RESET, SESSION, { LONG, LONG, LONG, LONG } },
	/* and behind both Closes the peer has a moment to end the wire. */
	{ CLOSED, PLAIN, { SHORT, SHORT, SHORT, SHORT } },
	{ CLOSED, INETWS, { SHORT, SHORT, SHORT, SHORT } },
	{ CLOSED, SESSION, { SHORT, SHORT, SHORT, SHORT } },
	{ CLOSED_STUCK, PLAIN, { SHORT, SHORT, SHORT, SHORT } },
	{ CLOSED_STUCK, INETWS, { SHORT, SHORT, SHORT, SHORT } },
	{ CLOSED_STUCK, SESSION, { SHORT, SHORT, SHORT, SHORT } },
	{ BOTH_CLOSES, PLAIN, { SHORT, SHORT, SHORT, SHORT } },
	{ BOTH_CLOSES, INETWS, { SHORT, SHORT, SHORT, SHORT } },
	{ BOTH_CLOSES, SESSION, { SHORT, SHORT, SHORT, SHORT } },
	/* How long a session may be lost is counted elsewhere. */
	{ LOST, SESSION, { NEVER, NEVER, NEVER, NEVER } },
	{ RESUMED, SESSION, { NEVER, WHEN + 25000, WHEN + 50000, 60000 } },
	/* No stream, no idleness. */
	{ PARKED, INETWS, { NEVER, 25000, 50000, NEVER } },
	{ PARKED, SESSION, { NEVER, 25000, 50000, NEVER } },
	/* A client sends data at once, and waits for no answer. */
	{ ASKED, INETWS, { ANSWER, ANSWER, ANSWER, ANSWER } },
	{ ASKED, SESSION, { ANSWER, ANSWER, ANSWER, ANSWER } },
	{ SENT_OPEN, INETWS, { NEVER, 25000, 50000, WHEN + 60000 } },
	{ SENT_OPEN, SESSION, { NEVER, 25000, 50000, WHEN + 60000 } },
	{ FLOWS, INETWS, { NEVER, WHEN + 25000, WHEN + 50000, WHEN + 60000 } },
	{ FLOWS, SESSION, { NEVER, WHEN + 25000, WHEN + 50000,
	    WHEN + 60000 } },
};

static struct tunnel_config
with_timer(int client, enum peer peer, enum state s, enum timer timer)
{
	struct tunnel_config cfg = rig_config(client, peer != PLAIN,
	    peer == SESSION ? WIN : 0);

	cfg.linger = LINGER;
	cfg.ping_interval = timer == PING ? lengths[PING] : 0;
	cfg.ping_timeout = timer == SILENCE ? lengths[SILENCE] : 0;
	cfg.idle_timeout = timer == IDLE ? lengths[IDLE] : 0;
	if (s >= PARKED)
		cfg.role = TUNNEL_ASKS;
	return cfg;
}

/*
 * The deadline, and that nothing happens before it, and something at it: it
 * never stays where it is.
 */
static void
test_deadline(const struct row *w, int client, enum timer timer)
{
	struct rig r;
	int64_t due = w->due[timer];
	enum tunnel_end end;

	rig_begin(&r, with_timer(client, w->peer, w->state, timer));
	rig_at(&r, WHEN);
	reach(&r, w->peer, w->state);
	ok(rig_deadline(&r) == due, "%s, %s, %s: %s: %lld (%lld)",
	    client ? "client" : "server", peer_names[w->peer],
	    state_names[w->state], timer_names[timer], (long long)due,
	    (long long)rig_deadline(&r));
	end = r.t.end;
	if (due != NEVER) {
		rig_at(&r, due - 1);
		ok(rig_deadline(&r) == due && r.t.end == end,
		    "nothing before");
		rig_at(&r, due);
		ok(r.done || rig_deadline(&r) != due, "and then it is over");
	} else {
		rig_at(&r, 100 * (int64_t)LINGER);
		ok(r.t.end == end, "nothing ever");
	}
	rig_end(&r);
}

int
main(void)
{
	const struct row *w;
	int client, timer;

	for (w = rows; w < rows + sizeof(rows) / sizeof(rows[0]); w++)
	for (client = 0; client < 2; client++) {
		if (w->state == (client ? ASKED : SENT_OPEN))
			continue;
		for (timer = NONE; timer < TIMERS; timer++)
			test_deadline(w, client, timer);
	}
	return done_testing();
}
