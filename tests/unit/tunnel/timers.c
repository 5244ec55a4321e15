/* SPDX-License-Identifier: ISC */
/*
 * What a tunnel does by the clock: pings, silence, idleness.  Times are ms
 * since the beginning.
 *
 * If it fails: a dead peer is never noticed, or a living one is given up.
 */
#include "tunnel/rig.h"

enum { SERVER };
enum { PLAIN, INETWS };

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

	rig_begin(&r, pinging(PLAIN));
	is(rig_deadline(&r), 25000, "the first ping is due at the interval");
	rig_at(&r, 24999);
	ok(rig_silent(&r), "not before");
	rig_at(&r, 25000);
	ok(rig_sent(&r, 9, NULL) && rig_silent(&r), "one ping");
	is(rig_deadline(&r), 50000, "and another one interval later");
	breathe(&r, 30000);
	is(rig_deadline(&r), 50000, "what comes alone puts no ping off");
	rig_at(&r, 31000);
	rig_stream(&r, "x", 1);
	is(rig_deadline(&r), 55000, "both ways busy: from the older of both");
	rig_at(&r, 55000);
	ok(rig_sent(&r, 2, "x") && rig_sent(&r, 9, NULL), "due again");
	rig_end(&r);

	rig_begin(&r, rig_config(SERVER, PLAIN, 0));
	is(rig_deadline(&r), -1, "no interval, no deadline");
	rig_at(&r, 100000000);
	ok(rig_silent(&r) && !r.done, "and no ping");
	rig_end(&r);

	rig_begin(&r, pinging(PLAIN));
	r.wire_stuck = 1;
	rig_at(&r, 25000);
	rig_at(&r, 90000);
	r.wire_stuck = 0;
	rig_pump(&r);
	ok(rig_sent(&r, 9, NULL) && rig_silent(&r),
	    "pings do not pile up on a stuck wire");
	rig_end(&r);
}

/* A pong that answers tells the round trip; another one does not. */
static void
test_rtt(void)
{
	struct rig r;
	struct sent_frame h;

	rig_begin(&r, pinging(PLAIN));
	rig_at(&r, 25000);
	rig_next(&r, &h);
	rig_at(&r, 25010);
	rig_frame(&r, 0x8a, "no", 2);
	is(r.t.rtt, -1, "an unasked pong tells nothing of the round trip");
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

	rig_begin(&r, pinging(PLAIN));
	rig_at(&r, 10000000);
	is(r.t.end, TUNNEL_GOING,
	    "a plain peer that never answered a ping may be silent");
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

	rig_begin(&r, pinging(PLAIN));
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
	    "a plain peer that is stuck on what we sent is not dead");
	rig_end(&r);
}

static void
test_idle(void)
{
	struct tunnel_config cfg = pinging(PLAIN);
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
	while (rig_sent(&r, 9, NULL) || rig_sent(&r, 2, NULL))
		;
	ok(r.reset && r.t.close_code == 1008, "Close 1008 and a reset");
	rig_end(&r);

	rig_begin(&r, cfg);
	r.stream_stuck = 1;
	rig_frame(&r, 0x82, "late", 4);
	rig_frame(&r, 0x88, "\x03\xe8", 2);
	rig_at(&r, 59999);
	ok(r.t.link == LINK_GONE && r.t.end == TUNNEL_GOING && !r.done,
	    "what came before Close waits for the stream");
	rig_at(&r, 60000);
	ok(r.t.end == TUNNEL_IDLE && r.reset && r.done, "but not for ever");
	rig_end(&r);

	rig_begin(&r, rig_config(SERVER, PLAIN, 0));
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
	test_idle();
	return done_testing();
}
