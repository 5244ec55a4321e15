/* SPDX-License-Identifier: ISC */
/*
 * Two inetws: half-close, resets, acknowledgements and windows.
 *
 * If it fails: the end of one direction is lost, as with ssh or git.
 */
#include "tunnel/rig.h"

#define WIN	1000

static uint8_t sample[4 * WIN];

static void
begin(struct rig *r, int client)
{
	rig_begin(r, rig_config(client, 1, WIN));
}

/* Both directions, either order, and their Close. */
static void
test_half_close(void)
{
	struct rig r;
	uint32_t win;
	int client, ours_first;

	for (client = 0; client < 2; client++)
		for (ours_first = 0; ours_first < 2; ours_first++)
			for (win = 0; win <= WIN; win += WIN) {
		rig_begin(&r, rig_config(client, 1, win));
		rig_stream(&r, "hello", 5);
		rig_frame(&r, 0x82, "reply", 5);
		if (ours_first)
			rig_stream_eof(&r);
		rig_line(&r, "eof 5");
		ok(r.shut && !r.closed && rig_got(&r, "reply"),
		    "their end is shown");
		if (!ours_first) {
			rig_stream(&r, "more", 4);
			rig_stream_eof(&r);
		}
		ok(r.t.close_code == 0 && !r.closed,
		    "no Close before the ack");
		rig_line(&r, ours_first ? "ack 5" : "ack 9");
		rig_close(&r, 1000);
		rig_wire_eof(&r);
		ok(r.done && r.closed && !r.reset &&
		    r.t.end == TUNNEL_ENDED, "%s, %s eof first, window %u: "
		    "ends well", client ? "client" : "server",
		    ours_first ? "our" : "their", win);
		ok(rig_sent(&r, 2, "hello"), "data was sent");
		if (ours_first)
			ok(rig_sent(&r, 1, "eof 5"), "then our eof");
		ok(rig_sent(&r, 1, "ack 5"), "and an ack");
		if (!ours_first)
			ok(rig_sent(&r, 2, "more") &&
			    rig_sent(&r, 1, "eof 9"), "more, and our eof");
		ok(rig_sent_close(&r, 1000) && rig_silent(&r), "and Close");
		rig_end(&r);
	}

	rig_begin(&r, rig_config(0, 1, 0));
	rig_stream_eof(&r);
	rig_at(&r, 100000000);
	rig_frame(&r, 0x82, "late", 4);
	ok(rig_sent(&r, 1, "eof 0") && rig_silent(&r) && rig_got(&r, "late"),
	    "half-closed for a day");
	rig_wire_eof(&r);
	ok(r.reset && !r.shut && r.t.end == TUNNEL_WIRE_LOST,
	    "no session: a wire lost is a reset");
	rig_end(&r);
}

static void
test_rst(void)
{
	struct rig r;

	rig_begin(&r, rig_config(0, 1, 0));
	rig_stream(&r, "hello", 5);
	tunnel_stream_failed(&r.t);
	rig_pump(&r);
	ok(rig_sent(&r, 2, "hello") && rig_sent(&r, 1, "rst") &&
	    rig_sent_close(&r, 1000), "our stream was reset: rst and Close");
	rig_close(&r, 1000);
	rig_wire_eof(&r);
	ok(r.done && r.reset && r.t.end == TUNNEL_STREAM_RESET, "that is all");
	rig_end(&r);

	rig_begin(&r, rig_config(0, 0, 0));
	tunnel_stream_failed(&r.t);
	rig_pump(&r);
	ok(rig_sent_close(&r, 1011) && rig_silent(&r),
	    "a plain peer is told by Close 1011");
	rig_end(&r);

	begin(&r, 1);
	rig_stream_eof(&r);
	rig_line(&r, "rst");
	ok(r.reset && r.t.end == TUNNEL_PEER_RESET,
	    "rst resets our stream, though it had ended");
	rig_end(&r);
}

static void
test_ack_out(void)
{
	struct rig r;

	begin(&r, 0);
	rig_frame(&r, 0x82, sample, WIN / 4 - 1);
	is(rig_deadline(&r), 1000, "a little: a second after its delivery");
	rig_at(&r, 150);
	rig_frame(&r, 0x8a, "", 0);
	is(rig_deadline(&r), 1000, "other frames do not put it off");
	rig_at(&r, 999);
	ok(rig_silent(&r), "not before");
	rig_at(&r, 1000);
	ok(rig_sent(&r, 1, "ack 249 1000"), "then");
	is(rig_deadline(&r), -1, "and nothing more");
	rig_frame(&r, 0x82, sample, WIN / 4);
	ok(rig_sent(&r, 1, "ack 499 1000") && rig_silent(&r),
	    "a quarter of the window: at once");
	r.stream_stuck = 1;
	rig_frame(&r, 0x82, sample, WIN / 2);
	rig_at(&r, 5000);
	ok(rig_silent(&r), "what has not been delivered is not acknowledged");
	r.stream_stuck = 0;
	rig_pump(&r);
	ok(rig_sent(&r, 1, "ack 999 1000") && rig_silent(&r), "then it is");
	rig_frame(&r, 0x82, "x", 1);
	rig_line(&r, "eof 1000");
	ok(r.shut && rig_silent(&r), "behind eof: not at once");
	is(rig_deadline(&r), 5200, "but in a moment");
	rig_at(&r, 5199);
	ok(rig_silent(&r), "not before");
	rig_at(&r, 5200);
	ok(rig_sent(&r, 1, "ack 1000") && rig_silent(&r), "then");
	is(rig_deadline(&r), -1, "once");
	rig_end(&r);

	begin(&r, 0);
	r.wire_stuck = 1;
	rig_frame(&r, 0x82, sample, WIN / 4);
	rig_frame(&r, 0x82, sample, WIN / 4);
	rig_frame(&r, 0x82, sample, WIN / 4);
	r.wire_stuck = 0;
	rig_pump(&r);
	ok(rig_sent(&r, 1, "ack 750 1000") && rig_silent(&r),
	    "one that is not sent yet is replaced by a later one");
	rig_end(&r);
}

/* What our stream answers to the peer's end goes out with its "ack". */
static void
test_ack_of_eof(void)
{
	struct rig r;
	int win;

	for (win = 0; win <= WIN; win += WIN) {
		rig_begin(&r, rig_config(0, 1, win));
		rig_line(&r, "eof 0");
		ok(r.shut && rig_silent(&r), "window %d: eof", win);
		rig_stream(&r, "bye", 3);
		ok(rig_sent(&r, 1, "ack 0") && rig_sent(&r, 2, "bye") &&
		    rig_silent(&r), "with data of ours");
		rig_stream_eof(&r);
		ok(rig_sent(&r, 1, "eof 3") && rig_silent(&r), "our eof");
		rig_end(&r);

		rig_begin(&r, rig_config(0, 1, win));
		rig_line(&r, "eof 0");
		rig_stream_eof(&r);
		ok(rig_sent(&r, 1, "ack 0") && rig_sent(&r, 1, "eof 0") &&
		    rig_silent(&r), "with our eof");
		rig_end(&r);

		rig_begin(&r, rig_config(0, 1, win));
		rig_stream_eof(&r);
		rig_line(&r, "ack 0");
		ok(rig_sent(&r, 1, "eof 0"), "our eof first");
		rig_line(&r, "eof 0");
		ok(rig_sent(&r, 1, "ack 0") && rig_sent_close(&r, 1000) &&
		    rig_silent(&r), "at once, and Close");
		is(r.nwrites, 2, "both in one write");
		rig_end(&r);
	}
}

static void
test_ack_in(void)
{
	struct rig r;

	begin(&r, 1);
	is(rig_stream(&r, sample, 3 * WIN), WIN, "no more than the window");
	rig_line(&r, "ack 400 1000");
	is(rig_stream(&r, sample, 3 * WIN), 400, "what was acknowledged");
	rig_line(&r, "ack 400 1000");
	is(r.t.end, TUNNEL_GOING, "an ack sent twice");
	rig_line(&r, "ack 1400 1000");
	is(r.t.end, TUNNEL_GOING, "all that was sent");
	rig_line(&r, "ack 1399 1001");
	ok(r.t.end == TUNNEL_PEER_FAULT && r.reset, "an ack that goes back");
	rig_end(&r);

	begin(&r, 1);
	rig_stream(&r, sample, 100);
	rig_line(&r, "ack 101 1000");
	is(r.t.end, TUNNEL_PEER_FAULT, "an ack of what was never sent");
	rig_end(&r);

	begin(&r, 1);
	r.wire_stuck = 1;
	rig_stream(&r, sample, 100);
	rig_line(&r, "ack 1 1000");
	is(r.t.end, TUNNEL_PEER_FAULT, "... or not yet");
	rig_end(&r);
}

/* The wire takes one byte of a frame, and then no more. */
static void
write_one(struct rig *r)
{
	struct iovec iov[3];

	tunnel_wire_data(&r->t, iov);
	tunnel_wire_wrote(&r->t, 1);
}

static void
test_window(void)
{
	struct rig r;
	int client;

	begin(&r, 0);
	r.stream_stuck = 1;
	rig_frame(&r, 0x82, sample, WIN);
	is(r.t.end, TUNNEL_GOING, "the whole window, nothing delivered");
	ok(rig_wants(&r, TUNNEL_READ_WIRE), "the wire is read all the same");
	rig_frame(&r, 0x89, "?", 1);
	ok(rig_sent(&r, 10, "?"), "and a ping answered");
	rig_frame(&r, 0x82, "", 0);
	is(r.t.end, TUNNEL_GOING, "an empty message");
	rig_frame(&r, 0x82, "x", 1);
	ok(r.t.end == TUNNEL_PEER_FAULT && rig_sent_close(&r, 1002) &&
	    r.reset, "one byte more");
	rig_end(&r);

	for (client = 0; client < 2; client++) {
		begin(&r, client);
		r.stream_stuck = r.wire_stuck = 1;
		rig_stream(&r, sample, WIN);
		write_one(&r);
		rig_frame(&r, 0x82, sample, WIN);
		is((long long)tunnel_taken(&r.t), WIN,
		    "all of it is taken while we cannot send");
		rig_line(&r, "ack 0 1000");
		ok(rig_wants(&r, TUNNEL_READ_WIRE) &&
		    r.t.end == TUNNEL_GOING, "and more is read");
		rig_end(&r);
	}

	begin(&r, 0);
	rig_frame(&r, 0x82, sample, WIN - 1);
	rig_frame(&r, 0x82, sample, WIN);
	rig_frame(&r, 0x82, sample, WIN);
	is(r.t.end, TUNNEL_GOING, "it moves on with the acks");
	rig_end(&r);
}

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof(sample); i++)
		sample[i] = i * 31 >> 3;
	test_half_close();
	test_rst();
	test_ack_out();
	test_ack_of_eof();
	test_ack_in();
	test_window();
	return done_testing();
}
