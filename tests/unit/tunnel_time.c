/* SPDX-License-Identifier: ISC */
/*
 * What a tunnel does by the clock: pings and silence, the end of a stranger's
 * tunnel, the closing handshake, idleness.  Times are ms since the beginning.
 */
#include "tunnel_rig.h"

enum { SERVER, CLIENT };
enum { FOREIGN, INETWS };

static struct tunnel_config
pinging(int ext)
{
	struct tunnel_config cfg = rig_config(SERVER, ext, 0);

	cfg.ping_interval = 25000;
	cfg.ping_timeout = 50000;
	return cfg;
}

/* Bytes that are life and nothing else. */
static void
breathe(struct rig *r, int64_t ms)
{
	rig_at(r, ms);
	rig_frame(r, 0x8a, "", 0);
}

static void
test_ping_due(void)
{
	struct rig r;

	rig_begin(&r, pinging(FOREIGN));
	is(rig_deadline(&r), 25000, "the first ping is due at the interval");
	rig_at(&r, 24999);
	ok(rig_silent(&r), "not before");
	rig_at(&r, 25000);
	ok(rig_hears(&r, 9, NULL) && rig_silent(&r), "one ping");
	is(rig_deadline(&r), 50000, "and another one interval later");
	breathe(&r, 30000);
	is(rig_deadline(&r), 50000, "what comes alone puts no ping off");
	rig_at(&r, 31000);
	rig_stream(&r, "x", 1);
	is(rig_deadline(&r), 55000, "both ways busy: from the older of both");
	rig_at(&r, 55000);
	ok(rig_hears(&r, 2, "x") && rig_hears(&r, 9, NULL), "due again");
	rig_end(&r);

	rig_begin(&r, rig_config(SERVER, FOREIGN, 0));
	is(rig_deadline(&r), -1, "no interval, no deadline");
	rig_at(&r, 100000000);
	ok(rig_silent(&r) && !r.done, "and no ping");
	rig_end(&r);

	rig_begin(&r, pinging(FOREIGN));
	r.wire_stuck = 1;
	rig_at(&r, 25000);
	rig_at(&r, 90000);
	r.wire_stuck = 0;
	rig_pump(&r);
	ok(rig_hears(&r, 9, NULL) && rig_silent(&r),
	    "pings do not pile up on a stuck wire");
	rig_end(&r);
}

/* A pong that answers tells the round trip; another one does not. */
static void
test_rtt(void)
{
	struct rig r;
	struct heard h;

	rig_begin(&r, pinging(FOREIGN));
	rig_at(&r, 25000);
	rig_heard(&r, &h);
	rig_at(&r, 25010);
	rig_frame(&r, 0x8a, "no", 2);
	is(r.t.rtt, -1, "a foreign pong says nothing of the round trip");
	rig_at(&r, 25017);
	rig_frame(&r, 0x8a, h.payload, h.len);
	is(r.t.rtt, 17, "the answer does");
	rig_end(&r);
}

static void
test_silence(void)
{
	struct rig r;
	struct tunnel_config cfg;

	rig_begin(&r, pinging(FOREIGN));
	rig_at(&r, 10000000);
	is(r.t.end, TUNNEL_GOING,
	    "a stranger that never answered a ping may be silent");
	breathe(&r, 10000001);
	is(rig_deadline(&r), 10025000, "(the next ping)");
	rig_at(&r, 10050000);
	is(r.t.end, TUNNEL_GOING, "silent since the pong, not yet too long");
	rig_frame(&r, 0x82, "x", 1);
	rig_at(&r, 10099999);
	is(r.t.end, TUNNEL_GOING, "any byte is life");
	rig_at(&r, 10100000);
	is(r.t.end, TUNNEL_PING_TIMEOUT, "the timeout after the last byte");
	ok(r.reset && r.wire_closed && r.done && !r.shut,
	    "the stream is reset, the wire closed");
	rig_end(&r);

	rig_begin(&r, pinging(INETWS));
	rig_at(&r, 49999);
	is(r.t.end, TUNNEL_GOING, "inetws: not before the timeout");
	rig_at(&r, 50000);
	is(r.t.end, TUNNEL_PING_TIMEOUT, "inetws answers, so silence is death");
	rig_end(&r);

	rig_begin(&r, pinging(INETWS));
	breathe(&r, 40000);
	r.t.now = RIG_START + 89999;
	rig_frame(&r, 0x82, "x", 1);
	rig_at(&r, 90000);
	is(r.t.end, TUNNEL_GOING,
	    "what came in time but was told late is life");
	rig_end(&r);

	cfg = pinging(INETWS);
	cfg.ping_timeout = 0;
	rig_begin(&r, cfg);
	rig_at(&r, 10000000);
	is(r.t.end, TUNNEL_GOING, "no timeout: never");
	rig_end(&r);
}

/* A stuck consumer is not a dead peer. */
static void
test_silence_of_our_own(void)
{
	static uint8_t buf[65000];
	struct rig r;
	int i;

	rig_begin(&r, pinging(INETWS));
	r.stream_stuck = 1;
	for (i = 0; i < 8; i++)
		rig_frame(&r, 0x82, buf, sizeof(buf));
	ok(!rig_wants(&r, TUNNEL_READ_WIRE), "(the wire is not read)");
	for (i = 1; i < 100; i++)
		rig_at(&r, i * 10000);
	is(r.t.end, TUNNEL_GOING, "we do not listen: silence means nothing");
	r.stream_stuck = 0;
	rig_pump(&r);
	rig_at(&r, 1039999);
	is(r.t.end, TUNNEL_GOING, "we listen again: time begins anew");
	rig_at(&r, 1041000);
	is(r.t.end, TUNNEL_PING_TIMEOUT, "and runs out");
	rig_end(&r);

	rig_begin(&r, pinging(FOREIGN));
	breathe(&r, 10);
	r.wire_stuck = 1;
	rig_stream(&r, buf, sizeof(buf));
	{
		struct iovec iov[3];

		tunnel_wire_data(&r.t, iov);
		tunnel_wire_wrote(&r.t, 100);
	}
	for (i = 1; i < 100; i++)
		rig_at(&r, i * 10000);
	is(r.t.end, TUNNEL_GOING,
	    "a stranger that is stuck on what we sent is not dead");
	rig_end(&r);
}

/* Our stream has ended: Close is held back for strangers. */
static void
test_hold(void)
{
	struct rig r;
	struct tunnel_config cfg = rig_config(SERVER, FOREIGN, 0);

	rig_begin(&r, cfg);
	rig_stream(&r, "bye", 3);
	rig_at(&r, 1000);
	rig_stream_eof(&r);
	ok(rig_hears(&r, 2, "bye") && rig_silent(&r), "Close is held back");
	is(rig_deadline(&r), 11000, "for the linger time");
	rig_at(&r, 5000);
	rig_frame(&r, 0x82, "reply", 5);
	ok(rig_got(&r, "reply"), "a reply comes through");
	is(rig_deadline(&r), 15000, "and the time begins anew");
	breathe(&r, 9000);
	is(rig_deadline(&r), 15000, "a pong is no reply");
	rig_at(&r, 14999);
	ok(rig_silent(&r), "not yet");
	rig_at(&r, 15000);
	ok(rig_hears_close(&r, 1000), "then Close 1000");
	rig_frame(&r, 0x82, "late", 4);
	ok(rig_got(&r, "replylate"), "what still comes is still delivered");
	rig_close(&r, 1000);
	rig_wire_eof(&r);
	ok(r.done && r.closed && r.t.end == TUNNEL_ENDED, "a clean end");
	rig_end(&r);

	rig_begin(&r, cfg);
	rig_stream_eof(&r);
	rig_frame(&r, 0x82, "reply", 5);
	rig_close(&r, 1000);
	ok(rig_hears_close(&r, 1000) && r.shut, "its Close is answered at once");
	is(r.t.end, TUNNEL_ENDED, "a clean end before the time");
	rig_end(&r);

	rig_begin(&r, cfg);
	rig_stream_eof(&r);
	rig_at(&r, 100);
	rig_wire_eof(&r);
	is(r.t.end, TUNNEL_WIRE_LOST, "a bare end while we hold is a loss");
	ok(r.reset && !r.shut, "and a reset");
	rig_end(&r);

	rig_begin(&r, cfg);
	rig_stream_eof(&r);
	rig_at(&r, 10000);
	rig_wire_eof(&r);
	ok(r.t.end == TUNNEL_ENDED && r.shut && r.done,
	    "a bare end behind our Close is none: it had the time");
	rig_end(&r);

	cfg.linger = 0;
	rig_begin(&r, cfg);
	rig_stream_eof(&r);
	is(rig_deadline(&r), -1, "--linger 0 holds for ever");
	rig_end(&r);
}

static void
test_eof_close(void)
{
	struct tunnel_config cfg = rig_config(CLIENT, FOREIGN, 0);
	struct rig r;

	cfg.hold = 0;
	rig_begin(&r, cfg);
	rig_stream(&r, "bye", 3);
	rig_stream_eof(&r);
	ok(rig_hears(&r, 2, "bye") && rig_hears_close(&r, 1000),
	    "--eof=close: Close at once");
	rig_frame(&r, 0x82, "reply", 5);
	rig_close(&r, 1000);
	ok(rig_got(&r, "reply") && r.t.end == TUNNEL_ENDED,
	    "a reply on its way is delivered");
	rig_end(&r);

	rig_begin(&r, cfg);
	rig_stream_eof(&r);
	rig_wire_eof(&r);
	ok(r.t.end == TUNNEL_WIRE_LOST && r.reset,
	    "--eof=close: a bare end is a reset, nothing was waited for");
	rig_end(&r);

	rig_begin(&r, cfg);
	r.wire_stuck = 1;
	rig_stream(&r, "bye", 3);
	rig_stream_eof(&r);
	r.wire_stuck = 0;
	rig_pump(&r);
	ok(rig_hears(&r, 2, "bye") && rig_hears_close(&r, 1000),
	    "--eof=close: behind what is still to be written");
	rig_end(&r);
}

/* The closing handshake does not take for ever. */
static void
test_closing(void)
{
	struct tunnel_config cfg = rig_config(SERVER, FOREIGN, 0);
	struct rig r;

	rig_begin(&r, cfg);
	rig_at(&r, 500);
	tunnel_stop(&r.t, 1001, TUNNEL_STOPPED, "told to");
	rig_pump(&r);
	ok(rig_hears_close(&r, 1001) && r.reset, "stopped: Close 1001, reset");
	is(rig_deadline(&r), 10500, "an answer is waited for");
	rig_at(&r, 10500);
	ok(r.done, "but no longer");
	is(rig_deadline(&r), -1, "nothing is left to wait for");
	rig_end(&r);

	cfg.linger = 0;
	rig_begin(&r, cfg);
	tunnel_stop(&r.t, 1001, TUNNEL_STOPPED, NULL);
	rig_pump(&r);
	is(rig_deadline(&r), 10000, "--linger 0: ten seconds for the answer");
	rig_at(&r, 10000);
	ok(r.done, "and no longer");
	rig_end(&r);

	rig_begin(&r, rig_config(SERVER, FOREIGN, 0));
	rig_at(&r, 1000);
	tunnel_stop(&r.t, 1001, TUNNEL_STOPPED, NULL);
	rig_pump(&r);
	rig_at(&r, 1500);
	rig_close(&r, 1001);
	ok(r.finished && !r.wire_closed, "Close both ways: our end of the wire");
	is(rig_deadline(&r), 3500, "theirs is waited for");
	rig_wire_eof(&r);
	ok(r.wire_closed && r.done, "it came");
	rig_end(&r);

	rig_begin(&r, rig_config(SERVER, FOREIGN, 0));
	rig_close(&r, 1000);
	ok(r.finished && r.shut && !r.closed, "Close answered, stream shut");
	rig_at(&r, 2000);
	ok(r.wire_closed, "their end did not come: closed");
	is(rig_deadline(&r), 10000, "the stream has longer to end");
	rig_stream(&r, "useless", 7);
	rig_at(&r, 10000);
	ok(r.done && r.closed && r.t.end == TUNNEL_ENDED, "but not for ever");
	rig_end(&r);
}

/* ... even if Close cannot be written, or never was. */
static void
test_closing_stuck(void)
{
	struct rig r;
	int ext;

	for (ext = 0; ext < 2; ext++) {
		rig_begin(&r, rig_config(SERVER, ext, 0));
		r.wire_stuck = 1;
		rig_stream(&r, "stuck", 5);
		tunnel_stop(&r.t, 1001, TUNNEL_STOPPED, NULL);
		rig_at(&r, 10000);
		rig_at(&r, 20000);
		ok(r.done, "stopped on a stuck wire: it ends");
		rig_end(&r);

		rig_begin(&r, rig_config(SERVER, ext, 0));
		r.wire_stuck = 1;
		rig_stream(&r, "stuck", 5);
		rig_frame(&r, 0x83, "", 0);
		rig_at(&r, 10000);
		rig_at(&r, 20000);
		ok(r.done && r.reset, "a fault on a stuck wire: it ends");
		rig_end(&r);
	}

	rig_begin(&r, rig_config(SERVER, FOREIGN, 0));
	r.wire_stuck = 1;
	rig_stream(&r, "stuck", 5);
	rig_close(&r, 1000);
	rig_at(&r, 10000);
	rig_at(&r, 20000);
	ok(r.done, "Close from one that reads no more: it ends");
	rig_end(&r);

	rig_begin(&r, rig_config(SERVER, FOREIGN, 0));
	r.wire_stuck = 1;
	rig_close(&r, 1000);
	tunnel_wire_failed(&r.t);
	rig_pump(&r);
	ok(r.wire_closed && r.shut, "Close and a reset of the wire");
	rig_at(&r, 10000);
	rig_at(&r, 20000);
	ok(r.done, "... and a stream that does not end: it ends");
	rig_end(&r);
}

static void
test_idle(void)
{
	struct tunnel_config cfg = pinging(FOREIGN);
	struct rig r;

	cfg.idle_timeout = 60000;
	rig_begin(&r, cfg);
	rig_at(&r, 20000);
	rig_stream(&r, "x", 1);
	rig_at(&r, 30000);
	rig_frame(&r, 0x82, "y", 1);
	breathe(&r, 50000);
	rig_at(&r, 80000);
	rig_frame(&r, 0x82, "", 0);
	rig_at(&r, 89999);
	is(r.t.end, TUNNEL_GOING, "data either way is no idleness");
	breathe(&r, 89999);
	rig_at(&r, 90000);
	is(r.t.end, TUNNEL_IDLE, "pings and empty messages are");
	while (rig_hears(&r, 9, NULL) || rig_hears(&r, 2, NULL))
		;
	ok(r.reset && r.t.close_code == 1008, "Close 1008 and a reset");
	rig_end(&r);

	rig_begin(&r, rig_config(SERVER, FOREIGN, 0));
	rig_at(&r, 1000000000);
	is(r.t.end, TUNNEL_GOING, "no idle timeout, no end");
	rig_end(&r);
}

int
main(void)
{
	test_ping_due();
	test_rtt();
	test_silence();
	test_silence_of_our_own();
	test_hold();
	test_eof_close();
	test_closing();
	test_closing_stuck();
	test_idle();
	return done_testing();
}
