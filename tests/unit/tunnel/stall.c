/* SPDX-License-Identifier: ISC */
/*
 * Ends that take longer than --linger.  A stream takes nothing, while a plain peer
 * still sends: the wire is not read then, and that is no silence of the peer's.
 * Or what was written is taken slowly.
 *
 * If it fails: a file that is cut short looks complete, since its reader made a
 * pause.
 */
#include "tunnel/rig.h"

/* Data until the wire is not read any more; how many bytes. */
static size_t
fill(struct rig *r)
{
	static uint8_t big[60000];
	size_t n = 0;

	r->stream_stuck = 1;
	for (; rig_wants(r, TUNNEL_READ_WIRE); n += sizeof(big))
		rig_frame(r, 0x82, big, sizeof(big));
	return n;
}

static void
release(struct rig *r)
{
	r->stream_stuck = 0;
	rig_pump(r);
}

static void
begin(struct rig *r, int client, int hold, int64_t idle)
{
	struct tunnel_config cfg = rig_config(client, 0, 0);

	cfg.hold = hold;
	cfg.idle_timeout = idle;
	rig_begin(r, cfg);
}

/* The Close that is held back. */
static void
test_held(int client)
{
	struct rig r;
	size_t n;

	begin(&r, client, 1, 0);
	rig_stream_eof(&r);
	rig_at(&r, 1000);
	n = fill(&r);
	is(rig_deadline(&r), -1, "unread: the Close is held back without end");
	rig_at(&r, 60000);
	ok(rig_silent(&r) && r.t.end == TUNNEL_GOING, "it is");
	release(&r);
	is(r.ngot, (int64_t)n, "the stream goes on");
	is(rig_deadline(&r), 70000, "and --linger begins");
	rig_at(&r, 65000);
	rig_frame(&r, 0x82, "rest", 4);
	is(rig_deadline(&r), 75000, "as with each byte");
	rig_at(&r, 75000);
	ok(rig_sent_close(&r, 1000), "then comes the Close");
	rig_close(&r, 1000);
	rig_wire_eof(&r);
	ok(r.done && r.t.end == TUNNEL_ENDED && r.ngot == n + 4,
	    "all has come: a clean end");
	rig_end(&r);

	/* The process slept, or nothing woke it while it was stuck. */
	begin(&r, client, 1, 0);
	rig_stream_eof(&r);
	fill(&r);
	r.now += 60000;
	tunnel_now(&r.t, r.now);
	release(&r);
	tunnel_tick(&r.t);
	rig_pump(&r);
	ok(rig_silent(&r), "read again after a minute: no Close yet");
	is(rig_deadline(&r), 70000, "but --linger later");
	rig_end(&r);
}

/* The wait for an answer to our Close. */
static void
test_closing(int client)
{
	struct rig r;
	size_t n;

	begin(&r, client, 0, 0);
	rig_stream_eof(&r);
	ok(rig_sent_close(&r, 1000), "--eof=close");
	n = fill(&r);
	is(rig_deadline(&r), -1, "unread: an answer is waited for without end");
	rig_at(&r, 60000);
	is(r.t.end, TUNNEL_GOING, "it is");
	release(&r);
	is(rig_deadline(&r), 70000, "then for --linger");
	rig_frame(&r, 0x82, "rest", 4);
	rig_close(&r, 1000);
	rig_wire_eof(&r);
	ok(r.done && r.t.end == TUNNEL_ENDED && r.ngot == n + 4,
	    "all has come: a clean end");
	rig_end(&r);

	begin(&r, client, 1, 0);
	rig_stream_eof(&r);
	rig_at(&r, 10000);
	ok(rig_sent_close(&r, 1000), "held back: Close");
	fill(&r);
	rig_at(&r, 60000);
	release(&r);
	rig_at(&r, 70000);
	ok(r.reset && !r.shut && r.t.end == TUNNEL_WIRE_LOST,
	    "data behind it, and no answer: a reset");
	rig_end(&r);
}

/* What ends a stream that takes nothing. */
static void
test_idle(int client)
{
	struct rig r;
	int hold;

	for (hold = 0; hold < 2; hold++) {
		begin(&r, client, hold, 20000);
		rig_stream_eof(&r);
		rig_at(&r, 1000);
		fill(&r);
		is(rig_deadline(&r), 21000, "--idle-timeout goes on");
		rig_at(&r, 21000);
		ok(r.reset && !r.shut && r.t.end == TUNNEL_IDLE,
		    "and ends it: a reset");
		rig_at(&r, 31000);
		ok(r.done, "for good");
		rig_end(&r);
	}
}

/* The network still takes what was sent: the peer cannot have answered. */
static void
test_slow_wire(int client)
{
	struct rig r;
	int left;

	for (left = 0; left < 2; left++) {
		begin(&r, client, 1, 0);
		is(tunnel_waits_for_wire(&r.t), WAIT_NONE, "nothing is waited for");
		rig_stream_eof(&r);
		is(tunnel_waits_for_wire(&r.t), WAIT_HELD, "a Close is held back");
		rig_at(&r, 5000);
		tunnel_wire_left(&r.t, 1, 1);
		is(rig_deadline(&r), 15000, "bytes move: it is for longer");
		rig_at(&r, 15000);
		is(tunnel_waits_for_wire(&r.t), WAIT_ANSWER, "Close is out");
		rig_at(&r, 24000);
		tunnel_wire_left(&r.t, 1, 1);
		is(rig_deadline(&r), 34000, "bytes move: it may be answered");
		tunnel_wire_left(&r.t, 0, left);
		rig_at(&r, 34000);
		ok(r.done && r.t.end == (left ? TUNNEL_WIRE_LOST :
		    TUNNEL_ENDED) && r.reset == left, left ?
		    "it never came there: a reset" : "it came: an end");
		is(tunnel_waits_for_wire(&r.t), WAIT_NONE, "nothing is waited for");
		rig_end(&r);
	}
}

/* Close is no part of what was written when it was due. */
static void
test_close_on_slow_wire(int client)
{
	struct rig r;

	begin(&r, client, 1, 0);
	rig_stream_eof(&r);
	r.wire_stuck = 1;
	rig_at(&r, 20000);
	is(tunnel_waits_for_wire(&r.t), WAIT_CLOSE, "Close is due");
	r.wire_stuck = 0;
	rig_pump(&r);
	is(tunnel_waits_for_wire(&r.t), WAIT_ANSWER, "it is written: another wait");
	rig_end(&r);
}

/* The stream takes the last bytes slowly, and sends. */
static void
test_slow_stream(int client)
{
	struct rig r;

	begin(&r, client, 1, 0);
	r.stream_stuck = 1;
	rig_frame(&r, 0x82, "all", 3);
	rig_close(&r, 1000);
	rig_wire_eof(&r);
	is(rig_deadline(&r), -1, "not all is written: it is not closed");
	rig_at(&r, 50000);
	rig_stream(&r, "x", 1);
	is(tunnel_waits_for_stream(&r.t), WAIT_NONE, "nor is the system asked");
	release(&r);
	ok(r.shut && !r.closed, "it is, and the end shown");
	is(rig_deadline(&r), 60000, "the stream has --linger to end");
	is(tunnel_waits_for_stream(&r.t), WAIT_STREAM, "the system is asked");
	rig_at(&r, 59000);
	tunnel_stream_moved(&r.t);
	is(rig_deadline(&r), 69000, "and longer while it takes something");
	rig_at(&r, 69000);
	ok(r.closed && r.done && r.t.end == TUNNEL_ENDED, "but no longer");
	is(tunnel_waits_for_stream(&r.t), WAIT_NONE, "nothing is waited for");
	rig_end(&r);
}

int
main(void)
{
	int client;

	for (client = 0; client < 2; client++) {
		test_held(client);
		test_closing(client);
		test_idle(client);
		test_slow_wire(client);
		test_close_on_slow_wire(client);
		test_slow_stream(client);
	}
	return done_testing();
}
