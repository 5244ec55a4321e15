/* SPDX-License-Identifier: ISC */
/*
 * Bytes of the wire that go to the stream without passing the buffers: which
 * may, and that they count as if they had.
 *
 * If it fails: bytes are lost, doubled or out of order, or more are taken than
 * the stream has room for.
 */
#include "tunnel/rig.h"

#define LONG	100000		/* a payload; its header has 10 bytes */

static uint8_t frame[LONG + 14];

/* The beginning of a frame has come: so many bytes of it. */
static void
begin(struct rig *r, struct tunnel_config cfg, int first, size_t n)
{
	static uint8_t payload[LONG];

	rig_begin(r, cfg);
	rig_make(frame, !cfg.client, first, payload, LONG);
	rig_feed(r, frame, n);
}

/* What may bypass when a frame with this first byte has begun. */
static size_t
may(struct tunnel_config cfg, int first, size_t n)
{
	struct rig r;
	size_t all;

	begin(&r, cfg, first, n);
	all = tunnel_bypass_in(&r.t);
	rig_end(&r);
	return all;
}

static void
test_may(void)
{
	struct tunnel_config plain = rig_config(1, 0, 0),
	    masked = rig_config(0, 0, 0), session = rig_config(1, 1, 65536),
	    small = plain;
	struct rig r;

	is(may(plain, 0x82, 10), LONG, "the payload of a frame");
	is(may(plain, 0x02, 10), LONG, "of a fragment, too");
	is(may(session, 0x82, 10), 65536, "not more than was permitted");
	small.in_size = TUNNEL_SLACK - 200000;
	is(may(small, 0x82, 10), small.in_size, "nor than the buffer has");
	is(may(plain, 0x82, 9), 0, "not before the whole header");
	is(may(plain, 0x82, 0), 0, "nor between two frames");
	is(may(plain, 0x82, 11), 0, "nor what is behind a byte in the buffer");
	is(may(masked, 0x82, 14), 0, "nothing masked");
	is(may(plain, 0x81, 10), 0, "no text, which is checked");

	begin(&r, plain, 0x82, 10);
	tunnel_wire_eof(&r.t);
	is(tunnel_bypass_in(&r.t), 0, "nothing behind the wire's end");
	rig_end(&r);
	begin(&r, plain, 0x82, 10);
	tunnel_wire_failed(&r.t);
	is(tunnel_bypass_in(&r.t), 0, "nor of a broken one");
	rig_end(&r);
	begin(&r, plain, 0x82, 10);
	tunnel_stream_failed(&r.t);
	is(tunnel_bypass_in(&r.t), 0, "nor to a broken stream");
	rig_end(&r);
	begin(&r, plain, 0x82, 10);
	rig_stream_eof(&r);
	is(tunnel_bypass_in(&r.t), LONG, "while Close is held back");
	rig_at(&r, 10000);
	ok(rig_sent_close(&r, 1000), "until it is sent");
	is(tunnel_bypass_in(&r.t), 0, "and not behind it");
	rig_end(&r);
}

/* From the stream to the wire, past what is read. */
static void
test_out(void)
{
	struct tunnel_config cfg = rig_config(0, 0, 0);
	struct rig r;
	size_t all;

	rig_begin(&r, cfg);
	all = tunnel_bypass_out(&r.t);
	ok(all > 0, "a server's stream may bypass");
	r.wire_stuck = 1;
	rig_stream(&r, "hello", 5);
	is(tunnel_bypass_out(&r.t), 0, "not what was read before it");
	r.wire_stuck = 0;
	rig_pump(&r);
	is(tunnel_bypass_out(&r.t), all, "once that is written it may again");
	rig_close(&r, 1000);
	is(tunnel_bypass_out(&r.t), 0, "nor behind the peer's Close");
	rig_end(&r);

	rig_begin(&r, rig_config(0, 0, 0));
	rig_stream_eof(&r);
	is(tunnel_bypass_out(&r.t), 0, "nor behind the stream's end");
	rig_end(&r);
	cfg.text = 1;
	rig_begin(&r, cfg);
	is(tunnel_bypass_out(&r.t), 0, "nor text, which is looked at");
	rig_end(&r);
	rig_begin(&r, rig_config(1, 0, 0));
	is(tunnel_bypass_out(&r.t), 0, "nor what a client masks");
	rig_end(&r);

	cfg = rig_config(0, 1, 65536);
	rig_begin(&r, cfg);
	ok(tunnel_bypass_out(&r.t) > 0, "with a session");
	r.wire_stuck = 1;
	while (rig_stream(&r, frame, 1000) > 0)
		;
	is(tunnel_bypass_out(&r.t), 0, "while there is room to keep it");
	rig_end(&r);
}

/* A header that comes when all before it has been taken has room. */
static void
test_room(void)
{
	static uint8_t made[90028], payload[60000];
	struct rig r;
	struct iovec iov;
	size_t n;
	int i;

	rig_begin(&r, rig_config(1, 0, 0));
	r.stream_stuck = 1;
	for (i = 0; i < 3; i++)
		rig_frame(&r, 0x82, payload, sizeof(payload));
	n = rig_make(made, 0, 0x82, payload, 30000) + 3;
	rig_make(made + n - 3, 0, 0x82, payload, 60000);
	is(rig_feed(&r, made, n), n, "a frame, and most of a header");
	r.stream_stuck = 0;
	rig_pump(&r);
	tunnel_wire_space(&r.t, &iov);
	ok(iov.iov_len > 200000, "all is free but for a few bytes");
	is(rig_feed(&r, made + n, 60001), 60001, "the next frame goes on");
	rig_pump(&r);
	is(r.ngot, 3 * 60000 + 30000 + 60000, "and arrives");
	rig_end(&r);
}

/* Pieces of a frame, each read in another way. */
static void
test_counts(void)
{
	struct rig r;
	struct iovec iov[TUNNEL_RUNS];

	begin(&r, rig_config(1, 0, 0), 0x82, 10);
	tunnel_wire_bypass(&r.t, 60000);
	is(tunnel_taken(&r.t), 60000, "what bypassed has been taken");
	is(tunnel_stream_data(&r.t, iov), 0, "but is not in the buffer");
	ok(rig_wants(&r, TUNNEL_WRITE_STREAM), "it has to be written");
	tunnel_stream_wrote(&r.t, 20000);
	is(tunnel_stream_data(&r.t, iov), 0, "in pieces");
	is(tunnel_bypass_in(&r.t), LONG - 60000, "the rest may bypass, too");
	tunnel_wire_bypass(&r.t, LONG - 60000);
	is(tunnel_bypass_in(&r.t), 0, "then the frame is at its end");
	rig_frame(&r, 0x82, "x", 1);
	is(r.ngot, 0, "the next one waits for what bypassed");
	tunnel_stream_wrote(&r.t, LONG - 20000);
	rig_pump(&r);
	ok(rig_got(&r, "x"), "and comes behind it");
	is(tunnel_taken(&r.t), LONG + 1, "all counts");
	rig_frame(&r, 0x88, "\3\350", 2);
	ok(r.t.end != TUNNEL_PEER_FAULT, "the message has ended");
	rig_end(&r);
}

/* How many bytes to read so that only what is looked at has come. */
static void
test_missing(void)
{
	struct rig r;

	begin(&r, rig_config(1, 0, 0), 0x82, 0);
	is(tunnel_wire_missing(&r.t, 10), 10, "a header");
	rig_feed(&r, frame, 4);
	is(tunnel_wire_missing(&r.t, 10), 6, "the rest of one");
	is(tunnel_wire_missing(&r.t, 4), 0, "which is there if it is short");
	rig_feed(&r, frame + 4, 6);
	is(tunnel_wire_missing(&r.t, 10), 0, "payload may bypass");
	rig_feed(&r, frame + 10, 1);
	is(tunnel_wire_missing(&r.t, 10), 0,
	    "nothing helps while the stream is behind");
	rig_end(&r);

	begin(&r, rig_config(1, 0, 0), 0x82, 0);
	rig_feed(&r, "\x89\x05" "ab", 4);
	is(tunnel_wire_missing(&r.t, 10), 3, "the rest of a control frame");
	is(tunnel_bypass_in(&r.t), 0, "which does not bypass");
	rig_end(&r);
}

/* What is dropped is forgotten, whether it passed buffers or not. */
static void
test_dropped(void)
{
	struct tunnel_config cfg = rig_config(0, 0, 0);
	struct iovec iov[TUNNEL_RUNS];
	struct rig r;

	begin(&r, rig_config(1, 0, 0), 0x82, 5000);
	is(tunnel_stream_data(&r.t, iov), 1, "bytes for the stream,");
	tunnel_stream_failed(&r.t);
	is(tunnel_stream_data(&r.t, iov), 0, "none once it is broken");
	rig_end(&r);

	cfg.discard = 1;
	rig_begin(&r, cfg);
	tunnel_stream_bypass(&r.t, 1000);
	is(tunnel_bypass_kept(&r.t), 1000, "bytes from the stream, in a pipe,");
	rig_feed(&r, frame, rig_make(frame, 1, 0x88, "\x03\xe8", 2));
	is(r.t.out, FLOW_DISCARDING, "and Close of a peer that takes nothing");
	tunnel_stream_space(&r.t, iov);
	is(tunnel_bypass_kept(&r.t), 0, "none are kept");
	rig_end(&r);
}

int
main(void)
{
	test_dropped();
	test_may();
	test_counts();
	test_missing();
	test_out();
	test_room();
	return done_testing();
}
