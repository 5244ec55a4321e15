/* SPDX-License-Identifier: ISC */
/*
 * Time in rare states, by a scripted clock: each timer by itself, so that no
 * other one brings the machine to look.
 *
 * If it fails: a tunnel hangs for ever in a state that is rare.
 */
#include "tunnel/rig.h"

enum { SERVER, CLIENT };
enum { PLAIN, INETWS };

#define WIN	65536
#define IDLE	60000
#define CLOSING	10000	/* --linger, and what holds where that is off */

/* At its deadline and not a millisecond before. */
static int
only_at(struct rig *r, int64_t ms, enum tunnel_end end)
{
	if (rig_deadline(r) != ms)
		return 0;
	rig_at(r, ms - 1);
	if (r->t.end != TUNNEL_GOING || r->done)
		return 0;
	rig_at(r, ms);
	return r->t.end == end;
}

/* The time without a websocket is no idleness. */
static void
test_idle_while_lost(void)
{
	struct tunnel_config cfg;
	struct rig r;
	int client;

	for (client = 0; client < 2; client++) {
		cfg = rig_config(client, INETWS, WIN);
		cfg.idle_timeout = IDLE;
		rig_begin(&r, cfg);
		rig_stream(&r, "hello", 5);
		rig_at(&r, 1000);
		rig_wire_eof(&r);
		ok(r.lost, "lost");
		is(rig_deadline(&r), -1, "nothing is due while it is lost");
		rig_at(&r, 10 * IDLE);
		ok(r.lost && r.t.end == TUNNEL_GOING, "--idle-timeout rests");
		r.lost = r.wire_closed = r.finished = 0;
		r.nsent = r.seen = 0;
		is(tunnel_resume(&r.t, 0), 0, "resumed");
		rig_at(&r, 10 * IDLE);
		ok(only_at(&r, 11 * IDLE - 1000, TUNNEL_IDLE),
		    "and goes on with the next websocket");
		rig_end(&r);
	}
}

/* All is confirmed, and only our last "ack" is not: the tunnel ended well. */
static void
test_idle_and_stuck(void)
{
	struct tunnel_config cfg;
	struct rig r;

	for (cfg.client = 0; cfg.client < 2; cfg.client++) {
		cfg = rig_config(cfg.client, INETWS, 0);
		cfg.idle_timeout = IDLE;
		rig_begin(&r, cfg);
		rig_stream(&r, "hello", 5);
		rig_stream_eof(&r);
		r.wire_stuck = 1;
		rig_line(&r, "eof 0");
		rig_line(&r, "ack 5");
		ok(r.closed && r.t.end == TUNNEL_GOING, "confirmed, stuck");
		ok(only_at(&r, IDLE, TUNNEL_ENDED) && r.done && !r.reset,
		    "--idle-timeout ends it, as a success");
		rig_end(&r);
	}
}

/* Nor is that of a websocket that waits for its stream. */
static void
test_idle_while_parked(void)
{
	struct tunnel_config cfg;
	struct rig r;
	enum tunnel_role role;

	for (role = TUNNEL_ASKS; role <= TUNNEL_SERVES; role++) {
		cfg = rig_config(SERVER, INETWS, 0);
		cfg.role = role;
		cfg.idle_timeout = IDLE;
		rig_begin(&r, cfg);
		is(rig_deadline(&r), -1, "parked: nothing is due");
		rig_at(&r, 100 * IDLE);
		ok(tunnel_waits(&r.t) && r.t.end == TUNNEL_GOING,
		    "--idle-timeout is no limit for it");
		rig_end(&r);
	}
}

/* Without pings of ours nothing but the silence itself is due. */
static void
test_silence_by_itself(void)
{
	struct tunnel_config cfg;
	struct rig r;
	uint32_t win;

	for (win = 0; win <= WIN; win += WIN) {
		cfg = rig_config(SERVER, INETWS, win);
		cfg.ping_timeout = 50000;
		rig_begin(&r, cfg);
		if (win == 0)
			ok(only_at(&r, 50000, TUNNEL_PING_TIMEOUT) && r.reset,
			    "silence is noticed without another timer");
		else {
			is(rig_deadline(&r), 50000, "a session: the same time");
			rig_at(&r, 50000);
			ok(r.lost && r.t.why != NULL && strstr(r.t.why,
			    "silent") != NULL, "lost, and the reason is known");
			tunnel_expire(&r.t);
			rig_pump(&r);
			is(r.t.end, TUNNEL_WIRE_LOST, "and ends when it expires");
		}
		rig_end(&r);
	}

	cfg = rig_config(CLIENT, PLAIN, 0);
	cfg.ping_timeout = 50000;
	rig_begin(&r, cfg);
	is(rig_deadline(&r), -1, "a plain peer need not answer pings");
	rig_at(&r, 100);
	rig_frame(&r, 0x8a, "", 0);
	ok(only_at(&r, 50100, TUNNEL_PING_TIMEOUT), "until it has");
	rig_end(&r);
}

/* A peer that never answers our Close. */
static void
test_close_unanswered(void)
{
	struct tunnel_config cfg;
	struct rig r;
	int client, extension, linger, stuck;

	for (client = 0; client < 2; client++)
	for (extension = 0; extension < 2; extension++)
	for (linger = 0; linger < 2; linger++)
	for (stuck = 0; stuck < 2; stuck++) {
		cfg = rig_config(client, extension, 0);
		cfg.linger = linger ? CLOSING : 0;
		rig_begin(&r, cfg);
		rig_at(&r, 500);
		r.wire_stuck = stuck;
		tunnel_stop(&r.t, 1001, TUNNEL_STOPPED, "told to end");
		rig_pump(&r);
		ok(rig_deadline(&r) == 500 + CLOSING, "client %d, inetws %d, "
		    "linger %d, stuck %d: Close has a time", client, extension,
		    linger, stuck);
		rig_at(&r, 500 + CLOSING - 1);
		ok(!r.wire_closed && !r.done, "which is not over");
		rig_at(&r, 500 + CLOSING);
		ok(r.wire_closed && r.done && r.reset &&
		    r.t.end == TUNNEL_STOPPED, "and then all is");
		rig_end(&r);
	}
}

/* A stream that takes nothing more and has ended, with linger off. */
static void
test_write_closed(void)
{
	struct tunnel_config cfg;
	struct rig r;
	int linger;

	for (linger = 0; linger < 2; linger++) {
		cfg = rig_config(SERVER, INETWS, 0);
		cfg.linger = linger ? 2 * CLOSING : 0;
		rig_begin(&r, cfg);
		rig_at(&r, 300);
		tunnel_stream_write_closed(&r.t);
		rig_pump(&r);
		is(rig_deadline(&r), -1, "no reader: no harm yet");
		rig_at(&r, 700);
		rig_stream_eof(&r);
		rig_line(&r, "ack 0");
		ok(only_at(&r, 700 + (linger ? 2 : 1) * CLOSING,
		    TUNNEL_STREAM_RESET), "linger %d: the peer has time to end",
		    linger);
		rig_end(&r);
	}
}

/* The same in a session: while it is lost the peer has no way to end. */
static void
test_write_closed_while_lost(void)
{
	struct tunnel_config cfg = rig_config(CLIENT, INETWS, WIN);
	struct rig r;

	cfg.linger = CLOSING;
	rig_begin(&r, cfg);
	tunnel_stream_write_closed(&r.t);
	rig_stream_eof(&r);
	rig_line(&r, "ack 0");
	rig_at(&r, 1000);
	rig_wire_eof(&r);
	rig_at(&r, 2 * CLOSING);
	ok(r.lost && r.t.end == TUNNEL_GOING, "lost: --linger rests");
	r.lost = r.wire_closed = r.finished = 0;
	r.nsent = r.seen = 0;
	is(tunnel_resume(&r.t, 0), 0, "resumed");
	ok(only_at(&r, 3 * CLOSING - 1000, TUNNEL_STREAM_RESET),
	    "and goes on with the next websocket");
	rig_end(&r);
}

/* The peer goes away while nothing of ours gets through. */
static void
test_leaves_while_stuck(void)
{
	static uint8_t much[40000];
	struct rig r;
	int client;

	for (client = 0; client < 2; client++) {
		rig_begin(&r, rig_config(client, INETWS, WIN));
		r.wire_stuck = 1;
		rig_stream(&r, much, sizeof(much));
		{
			struct iovec iov[3];

			tunnel_wire_data(&r.t, iov);
			tunnel_wire_wrote(&r.t, 100);
		}
		rig_close(&r, 1001);
		ok(r.lost && !r.reset && r.wire_closed && !r.done,
		    "Close 1001 meets a stuck websocket: lost at once");
		rig_end(&r);
	}
}

int
main(void)
{
	test_idle_while_lost();
	test_idle_and_stuck();
	test_idle_while_parked();
	test_silence_by_itself();
	test_close_unanswered();
	test_write_closed();
	test_write_closed_while_lost();
	test_leaves_while_stuck();
	return done_testing();
}
