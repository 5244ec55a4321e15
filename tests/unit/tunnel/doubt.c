/* SPDX-License-Identifier: ISC */
/*
 * When the dialling side of a session pings early, and when it wants a new
 * path.  Times are ms since the beginning.
 *
 * If it fails: a dead path is noticed late, or a good one is left.
 */
#include "tunnel/rig.h"

enum { SERVER, CLIENT };

#define HOUR	3600000

static struct tunnel_config
dialling(void)
{
	struct tunnel_config cfg = rig_config(CLIENT, 1, 1 << 18);

	cfg.ping_interval = 25000;
	cfg.ping_timeout = 50000;
	return cfg;
}

/* The peer answers the Ping that was sent last. */
static void
pong(struct rig *r)
{
	rig_frame(r, 0x8a, &r->t.ping_seq, 4);
}

static void
test_unacknowledged(void)
{
	struct rig r;

	rig_begin(&r, dialling());
	is(rig_deadline(&r), 25000, "nothing is due from the peer");
	rig_at(&r, 10000);
	rig_stream(&r, "x", 1);
	ok(rig_sent(&r, 2, "x"), "(data of ours)");
	is(rig_deadline(&r), 11500, "an ack is, from when it was sent");
	rig_at(&r, 11400);
	rig_stream(&r, "y", 1);
	ok(rig_sent(&r, 2, "y"), "(more)");
	rig_at(&r, 11499);
	ok(rig_silent(&r), "not before");
	rig_at(&r, 11500);
	ok(rig_sent(&r, 9, NULL) && rig_silent(&r), "one Ping");
	is(rig_deadline(&r), 14500, "its Pong has 3 s");
	rig_at(&r, 14499);
	ok(!rig_wants(&r, TUNNEL_NEW_PATH), "not before");
	rig_at(&r, 14500);
	ok(rig_wants(&r, TUNNEL_NEW_PATH), "then a new path is wanted");
	ok(rig_wants(&r, TUNNEL_READ_WIRE) && r.t.link == LINK_UP,
	    "and the old websocket may still speak");
	rig_at(&r, 20000);
	rig_feed(&r, "\x81", 1);
	ok(!rig_wants(&r, TUNNEL_NEW_PATH), "any byte ends the doubt");
	is(rig_deadline(&r), 21500, "and silence is measured again");
	rig_feed(&r, "\x0a" "ack 2 9999", 12);
	tunnel_abandon(&r.t);
	ok(r.t.link == LINK_UP, "what is not in doubt cannot be abandoned");
	rig_end(&r);
}

static void
test_data_that_stops(void)
{
	struct rig r;

	rig_begin(&r, dialling());
	rig_at(&r, 1000);
	rig_frame(&r, 0x82, "x", 1);
	rig_at(&r, 2000);
	rig_frame(&r, 0x82, "y", 1);
	rig_at(&r, 3000);
	ok(rig_sent(&r, 1, "ack 1 262144") && rig_sent(&r, 1,
	    "ack 2 262144"), "(the acks)");
	rig_at(&r, 3499);
	ok(rig_silent(&r), "data that came until then: not before 1.5 s");
	rig_at(&r, 3500);
	ok(rig_sent(&r, 9, NULL), "then one Ping");
	rig_at(&r, 3550);
	pong(&r);
	is(rig_deadline(&r), 28500, "and after its Pong no other");
	rig_at(&r, 28500);
	ok(rig_sent(&r, 9, NULL), "(the one of the interval)");
	rig_at(&r, 31499);
	ok(!rig_wants(&r, TUNNEL_NEW_PATH), "its Pong has 3 s too");
	rig_at(&r, 31500);
	ok(rig_wants(&r, TUNNEL_NEW_PATH), "a new path");
	rig_end(&r);
}

static void
test_abandoned(void)
{
	struct rig r;

	rig_begin(&r, dialling());
	rig_stream(&r, "xyz", 3);
	rig_at(&r, 4500);
	rig_at(&r, 4501);
	ok(rig_sent(&r, 2, NULL), "(data)");
	ok(!rig_wants(&r, TUNNEL_NEW_PATH), "a late tick pings first");
	rig_at(&r, 7500);
	ok(rig_wants(&r, TUNNEL_NEW_PATH), "(doubted)");
	tunnel_abandon(&r.t);
	rig_pump(&r);
	ok(r.lost && r.wire_closed && r.t.end == TUNNEL_GOING,
	    "abandoned: closed, lost, the session kept");
	is_str(r.t.why, "no answer to a Ping", "and says why");
	ok(!rig_wants(&r, TUNNEL_NEW_PATH), "and wants nothing else");
	is(tunnel_resume(&r.t, 1), 0, "resumed");
	ok(r.t.silence == SILENCE_NONE, "nothing is doubted then");
	rig_pump(&r);
	ok(rig_sent(&r, 9, NULL) == 1, "(the Ping of the old one)");
	ok(rig_sent(&r, 2, "yz"), "what had not arrived is sent again");
	is(rig_deadline(&r), 9000, "and watched as before");
	rig_end(&r);
}

/* A websocket that is lost otherwise leaves no doubt to the next one. */
static void
test_lost(void)
{
	struct rig r;

	rig_begin(&r, dialling());
	rig_stream(&r, "x", 1);
	tunnel_doubt(&r.t, "its address is gone");
	tunnel_wire_failed(&r.t);
	rig_pump(&r);
	ok(r.lost && tunnel_resume(&r.t, 1) == 0, "(doubted, reset, resumed)");
	ok(!rig_wants(&r, TUNNEL_NEW_PATH), "a new websocket is not doubted");
	rig_stream(&r, "y", 1);
	rig_at(&r, 1500);
	ok(tunnel_pong_due(&r.t), "(pinged)");
	rig_wire_eof(&r);
	ok(r.lost && !tunnel_pong_due(&r.t), "no Pong is due on a lost one");
	tunnel_resume(&r.t, 2);
	rig_pump(&r);
	rig_at(&r, 4500);
	ok(!rig_wants(&r, TUNNEL_NEW_PATH), "nor on the next");
	rig_end(&r);
}

/* The largest round trip lately, four times. */
static void
test_slow_path(void)
{
	struct rig r;
	int i;

	rig_begin(&r, dialling());
	rig_stream(&r, "x", 1);
	rig_at(&r, 1500);
	rig_at(&r, 3500);
	pong(&r);
	is(r.t.rtt_most, 2000, "(a Pong after 2 s)");
	rig_at(&r, 5000);
	is(rig_deadline(&r), 13000, "the next one has 8 s");
	rig_at(&r, 5100);
	pong(&r);
	is(r.t.rtt_most, 1763, "a shorter one takes an eighth off the rest");
	for (i = 1; i <= 10; i++) {
		rig_at(&r, 5100 + i * 1600 - 100);
		rig_at(&r, 5100 + i * 1600);
		pong(&r);
	}
	ok(r.t.rtt_most > 100 && r.t.rtt_most < 750, "it fades");
	rig_end(&r);
}

static void
test_network_that_takes(void)
{
	struct rig r;
	int i;

	rig_begin(&r, dialling());
	rig_stream(&r, "x", 1);
	rig_at(&r, 1500);
	is(tunnel_pong_due(&r.t), PONG_DUE, "pinged");
	for (i = 0; i < 20; i++) {
		rig_at(&r, 2000 + i * 1000);
		tunnel_wire_moved(&r.t);
	}
	is(rig_deadline(&r), 24000, "while bytes move there is no doubt");
	rig_at(&r, 24000);
	ok(rig_wants(&r, TUNNEL_NEW_PATH), "3 s after the last there is");
	rig_end(&r);
}

static void
test_ping_on_slow_wire(void)
{
	struct rig r;

	rig_begin(&r, dialling());
	rig_stream(&r, "x", 1);
	r.wire_stuck = 1;
	rig_at(&r, 1500);
	is(tunnel_pong_due(&r.t), PONG_UNASKED, "a Ping is to be written");
	r.wire_stuck = 0;
	rig_pump(&r);
	is(tunnel_pong_due(&r.t), PONG_DUE, "and is: no more is waited for");
	rig_end(&r);
}

static void
test_told(void)
{
	struct rig r;

	rig_begin(&r, dialling());
	rig_at(&r, 100);
	tunnel_doubt(&r.t, "its address is gone");
	ok(rig_wants(&r, TUNNEL_NEW_PATH), "told from outside: at once");
	rig_pump(&r);
	ok(rig_sent(&r, 9, NULL), "and the old one is asked");
	tunnel_doubt(&r.t, "its route is gone");
	rig_pump(&r);
	ok(rig_silent(&r), "once, also if it is told again");
	is_str(r.t.doubt, "its address is gone", "the first reason stays");
	rig_at(&r, 200);
	pong(&r);
	ok(!rig_wants(&r, TUNNEL_NEW_PATH), "if it answers it is kept");
	tunnel_doubt(&r.t, "its address is gone");
	tunnel_abandon(&r.t);
	is_str(r.t.why, "its address is gone", "otherwise that is the reason");
	rig_end(&r);

	rig_begin(&r, rig_config(SERVER, 1, 1 << 18));
	tunnel_doubt(&r.t, "its address is gone");
	rig_pump(&r);
	ok(rig_silent(&r) && !rig_wants(&r, TUNNEL_NEW_PATH),
	    "the side that did not dial doubts nothing");
	rig_end(&r);
}

/* What has ended is told to the peer over the wire that there is. */
static void
test_ended(void)
{
	struct rig r;

	rig_begin(&r, dialling());
	tunnel_doubt(&r.t, "its address is gone");
	rig_pump(&r);
	ok(rig_sent(&r, 9, NULL), "(a Ping)");
	tunnel_stop(&r.t, 1001, TUNNEL_STOPPED, "stopped");
	ok(!rig_wants(&r, TUNNEL_NEW_PATH), "stopped: no new path is wanted");
	tunnel_abandon(&r.t);
	rig_pump(&r);
	ok(rig_sent(&r, 1, "rst") && rig_sent_close(&r, 1001),
	    "and the old wire still says so");
	rig_end(&r);
}

static int
doubts(struct tunnel_config cfg)
{
	struct rig r;
	int wanted;

	rig_begin(&r, cfg);
	rig_stream(&r, "x", 1);
	rig_at(&r, 1500);
	rig_at(&r, 4500);
	wanted = rig_wants(&r, TUNNEL_NEW_PATH);
	tunnel_doubt(&r.t, "told");
	wanted |= rig_wants(&r, TUNNEL_NEW_PATH);
	rig_end(&r);
	return wanted;
}

static void
test_waiting(void)
{
	struct tunnel_config cfg = dialling();
	struct rig r;

	cfg.role = TUNNEL_SERVES;
	rig_begin(&r, cfg);
	tunnel_doubt(&r.t, "its address is gone");
	rig_pump(&r);
	ok(r.done && r.wire_closed, "one that waits for a stream is given up");
	is_str(r.t.why, "its address is gone", "and says why");
	rig_end(&r);

	cfg.client = SERVER;
	cfg.role = TUNNEL_ASKS;
	rig_begin(&r, cfg);
	tunnel_doubt(&r.t, "told");
	rig_pump(&r);
	ok(!r.done, "but not at the side that cannot dial");
	rig_end(&r);
}

static void
test_others(void)
{
	struct tunnel_config cfg = dialling();

	ok(doubts(cfg), "the dialling side of a session doubts");
	cfg.client = SERVER;
	ok(!doubts(cfg), "the accepting side does not");
	cfg = dialling();
	cfg.session = 0;
	ok(!doubts(cfg), "nor one without a session");
	cfg = dialling();
	cfg.ping_interval = 0;
	ok(!doubts(cfg), "nor one without pings");
	cfg = dialling();
	cfg.ping_timeout = 0;
	ok(!doubts(cfg), "nor one that waits for ever");
	cfg = dialling();
	cfg.role = TUNNEL_SERVES;
	ok(!doubts(cfg), "nor one that has no stream yet");
}

/*
 * Bulk over 2 Mbit/s with 2 s of it in a queue, for an hour: acknowledgements
 * come as the network lets them through, Pongs behind what was queued before.
 * Sometimes a burst of loss stops everything for 2.8 s.
 */
static void
test_full_queue(void)
{
	struct rig r;
	char line[40];
	uint64_t acked = 0;
	int64_t ms = 0, stop = 0;
	uint32_t answered = 0;
	int doubted = 0;

	rig_begin(&r, dialling());
	for (; ms < HOUR; ms += 100) {
		rig_at(&r, ms);
		r.seen = r.nsent = 0;
		while (rig_stream(&r, rig_sent_room, 25000) == 25000 &&
		    r.t.out_head - acked < 1 << 17)
			;
		doubted |= rig_wants(&r, TUNNEL_NEW_PATH);
		if (ms % 60000 == 0)
			stop = ms + 2800;
		if (ms < stop)
			continue;
		tunnel_wire_moved(&r.t);
		if (ms % 2000 != 0)
			continue;
		acked = tunnel_sent(&r.t);
		snprintf(line, sizeof(line), "ack %llu 262144",
		    (unsigned long long)acked);
		rig_line(&r, line);
		if (r.t.ping_seq != answered)
			pong(&r);
		answered = r.t.ping_seq;
	}
	ok(!doubted && r.t.link == LINK_UP,
	    "an hour of a full queue of 2 s: never a doubt");
	ok(acked > 100000000, "(and it was bulk)");
	rig_end(&r);
}

int
main(void)
{
	test_unacknowledged();
	test_data_that_stops();
	test_abandoned();
	test_lost();
	test_slow_path();
	test_network_that_takes();
	test_ping_on_slow_wire();
	test_told();
	test_ended();
	test_waiting();
	test_others();
	test_full_queue();
	return done_testing();
}
