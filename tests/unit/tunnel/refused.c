/* SPDX-License-Identifier: ISC */
/*
 * A stream that takes no more input, and may still send.
 *
 * If it fails: the last output of a program that has stopped reading is lost, or
 * a transfer that was not taken whole looks like a success.
 */
#include "tunnel/rig.h"

#define WIN	1000

enum { SERVER, CLIENT };
enum { PLAIN, INETWS };

/*
 * A stream that has not taken all is read to its end, and another inetws gets
 * all of it before "rst", also over another wire.
 */
static void
test_refused(void)
{
	struct rig r;
	int session;

	for (session = 0; session < 2; session++) {
		rig_begin(&r, rig_config(SERVER, INETWS, session * WIN));
		r.stream_stuck = 1;
		rig_frame(&r, 0x82, "lost", 4);
		r.stream_stuck = 0;
		tunnel_stream_refused(&r.t);
		rig_pump(&r);
		ok(r.t.end == TUNNEL_GOING && r.ngot == 0,
		    "session %d: refused, but it may send", session);
		rig_frame(&r, 0x82, "more", 4);
		rig_stream(&r, "rest", 4);
		ok(rig_sent(&r, 2, "rest"), "what it sends is sent");
		rig_stream_eof(&r);
		ok(rig_sent(&r, 1, "eof 4"), "so is its end");
		rig_at(&r, 100000);
		ok(r.t.end == TUNNEL_GOING && !rig_sent(&r, 1, "rst"),
		    "a slow peer has its time");
		if (session) {
			rig_wire_eof(&r);
			ok(r.lost && !r.reset, "its wire may be lost");
			is(tunnel_taken(&r.t), 8, "it has taken all");
			r.lost = r.wire_closed = 0;
			is(tunnel_resume(&r.t, 0), 0, "and a new one come");
			rig_pump(&r);
			ok(rig_sent(&r, 2, "rest") && rig_sent(&r, 1, "eof 4"),
			    "all is sent again");
		}
		rig_line(&r, "eof 8");
		ok(!r.shut && r.t.end == TUNNEL_GOING,
		    "the peer's end is not shown as if all had come");
		rig_line(&r, "ack 4");
		ok(r.t.end == TUNNEL_STREAM_RESET && rig_sent(&r, 1, "rst") &&
		    rig_sent_close(&r, 1000), "confirmed: a reset");
		ok(r.reset, "the stream, too");
		is(r.t.in_delivered, 0, "no byte is counted as delivered");
		rig_end(&r);
	}

	rig_begin(&r, rig_config(SERVER, INETWS, 0));
	rig_stream(&r, "rest", 4);
	rig_stream_eof(&r);
	tunnel_stream_failed(&r.t);
	rig_pump(&r);
	is(r.t.end, TUNNEL_GOING, "an error behind the end of file");
	rig_line(&r, "ack 4");
	is(r.t.end, TUNNEL_STREAM_RESET, "is a reset when all has come");
	rig_end(&r);
}

/* The peer's stream may take no more either: then nothing would end it. */
static void
test_refused_both(void)
{
	struct rig r;

	rig_begin(&r, rig_config(SERVER, INETWS, WIN));
	rig_frame(&r, 0x82, "lost", 4);
	rig_at(&r, 10000);
	tunnel_stream_refused(&r.t);
	rig_stream(&r, "rest", 4);
	rig_stream_eof(&r);
	rig_at(&r, 200000);
	rig_line(&r, "ack 2 1000");
	rig_at(&r, 200000 + 299999);
	is(r.t.end, TUNNEL_GOING, "a peer that takes a little has time again");
	rig_at(&r, 200000 + 300000);
	ok(r.t.end == TUNNEL_STREAM_RESET && r.reset,
	    "five minutes in which nothing moves: a reset");
	rig_end(&r);
}

/* Two descriptors that have nothing to do with each other. */
static void
test_refused_one_way(void)
{
	struct tunnel_config cfg = rig_config(CLIENT, INETWS, 0);
	struct rig r;

	cfg.one_way = 1;
	rig_begin(&r, cfg);
	tunnel_stream_refused(&r.t);
	rig_pump(&r);
	ok(r.t.end == TUNNEL_STREAM_RESET && rig_sent(&r, 1, "rst"),
	    "without an output there is no need to read the input");
	rig_end(&r);
}

/* A plain peer that has closed gets nothing more. */
static void
test_refused_plain(void)
{
	struct rig r;

	rig_begin(&r, rig_config(SERVER, PLAIN, 0));
	tunnel_stream_refused(&r.t);
	rig_frame(&r, 0x89, "p", 1);
	rig_frame(&r, 0x82, "lost", 4);
	ok(rig_sent(&r, 0x0a, "p") && r.t.end == TUNNEL_GOING,
	    "plain, refused: Pings are answered");
	rig_close(&r, 1000);
	is(r.t.end, TUNNEL_STREAM_RESET, "its Close ends the tunnel");
	rig_end(&r);
}

int
main(void)
{
	test_refused();
	test_refused_both();
	test_refused_one_way();
	test_refused_plain();
	return done_testing();
}
