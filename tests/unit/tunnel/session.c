/* SPDX-License-Identifier: ISC */
/*
 * Sessions that lose their wire and go on with another.
 *
 * If it fails: a tunnel does not survive its websocket, or bytes come twice.
 */
#include "tunnel/rig.h"

#define WIN	1000

static uint8_t sample[4 * WIN];

static void
begin(struct rig *r, int client)
{
	rig_begin(r, rig_config(client, 1, WIN));
}

/* A new wire: what was sent on the old one is forgotten. */
static int
resume(struct rig *r, uint64_t at)
{
	r->nsent = r->seen = 0;
	r->wire_closed = r->finished = r->lost = 0;
	if (tunnel_resume(&r->t, at) == -1)
		return -1;
	rig_pump(r);
	return 0;
}

/* What is a loss, and what is not. */
static void
test_loss(void)
{
	static const struct {
		const char *name;
		int code;	/* of Close; 0: bare end, -1: reset */
		int lost;
	} how[] = {
		{ "a bare end", 0, 1 }, { "a reset of the wire", -1, 1 },
		{ "Close 1001", 1001, 1 }, { "Close 1012", 1012, 1 },
		{ "Close 1000", 1000, 0 }, { "Close 1011", 1011, 0 },
		{ "Close 1002", 1002, 0 }, { "Close 1013", 1013, 0 },
	};
	struct rig r;
	size_t i;
	uint32_t win;

	for (i = 0; i < sizeof(how) / sizeof(how[0]); i++)
		for (win = 0; win <= WIN; win += WIN) {
			rig_begin(&r, rig_config(1, 1, win));
			rig_stream(&r, "hello", 5);
			rig_frame(&r, 0x82, "re", 2);
			if (how[i].code > 0)
				rig_close(&r, how[i].code);
			else if (how[i].code == 0)
				rig_wire_eof(&r);
			else {
				tunnel_wire_failed(&r.t);
				rig_pump(&r);
			}
			if (win > 0 && how[i].lost)
				ok(r.lost && !r.reset && r.wire_closed &&
				    !r.done && r.t.end == TUNNEL_GOING,
				    "session: %s is a loss", how[i].name);
			else
				ok(!r.lost && r.reset && !r.shut,
				    "%s: %s is the end", win > 0 ?
				    "session" : "no session", how[i].name);
			ok(tunnel_closes_passed(&r.t) == (how[i].code > 0),
			    "%s: are both Closes through?", how[i].name);
			rig_end(&r);
		}

	begin(&r, 0);
	rig_stream(&r, "hello", 5);
	rig_stream_eof(&r);
	rig_frame(&r, 0x82, "all", 3);
	rig_line(&r, "eof 3");
	ok(rig_sent(&r, 2, "hello") && rig_sent(&r, 1, "eof 5") &&
	    rig_sent(&r, 1, "ack 3"), "both directions are sent");
	rig_frame(&r, 0x88, "\x03\xf4" "back soon", 11);
	ok(rig_sent_close(&r, 1012) && r.lost && r.wire_closed && !r.done,
	    "Close 1012 is answered by the same, and a loss");
	ok(r.t.peer_code == 1012 && r.t.peer_reason_len == 9 &&
	    memcmp(r.t.peer_reason, "back soon", 9) == 0,
	    "what it said is there for the log");
	resume(&r, 5);
	ok(r.t.peer_code == 0 && r.t.peer_reason_len == 0,
	    "and is forgotten with its wire");
	rig_line(&r, "ack 5");
	is(r.t.out_kept, 5, "what is confirmed is not kept");
	rig_line(&r, "eof 3");
	rig_close(&r, 1000);
	rig_wire_eof(&r);
	ok(r.done && r.t.end == TUNNEL_ENDED, "after which it ends well");
	rig_end(&r);

	begin(&r, 1);
	r.t.cfg.ping_timeout = 100;
	rig_at(&r, 100);
	ok(r.lost && r.wire_closed, "silence is a loss");
	ok(!tunnel_over(&r.t), "and nothing is over");
	is(tunnel_progress(&r.t), 0, "nothing has moved on that wire");
	is(rig_deadline(&r), -1, "which has no deadline of its own");
	rig_stream(&r, sample, WIN);
	rig_at(&r, 100000);
	ok(r.lost && !r.done, "the stream goes on meanwhile");
	tunnel_expire(&r.t);
	rig_pump(&r);
	ok(r.done && r.reset && r.t.end == TUNNEL_WIRE_LOST,
	    "until the session expires");
	rig_end(&r);
}

/* A reset is sent until it is answered, on whatever wire. */
static void
test_rst(void)
{
	struct rig r;

	begin(&r, 1);
	rig_wire_eof(&r);
	tunnel_stream_failed(&r.t);
	rig_pump(&r);
	ok(r.lost && r.reset && !r.done, "reset while the wire is lost");
	ok(tunnel_over(&r.t), "only the peer has to be told");
	is(resume(&r, 0), 0, "(a new wire)");
	ok(rig_sent(&r, 1, "rst") && rig_sent_close(&r, 1000),
	    "is sent on the new one");
	rig_frame(&r, 0x82, "late", 4);
	rig_wire_eof(&r);
	ok(r.lost, "a wire lost before the answer");
	resume(&r, 0);
	ok(rig_sent(&r, 1, "rst") && rig_sent_close(&r, 1000),
	    "rst is repeated");
	rig_close(&r, 1000);
	rig_wire_eof(&r);
	ok(r.done, "until it is answered");
	rig_end(&r);
}

static void
test_resume(void)
{
	struct rig r;
	uint64_t at;
	int client;

	for (client = 0; client < 2; client++) {
		begin(&r, client);
		rig_stream(&r, "0123456789", 10);
		rig_line(&r, "ack 4 1000");
		rig_frame(&r, 0x82, "abc", 3);
		rig_wire_eof(&r);
		ok(r.lost, "(lost)");
		is(tunnel_taken(&r.t), 3, "at");
		is(tunnel_resume(&r.t, 3), -1, "before the last ack: no");
		is(tunnel_resume(&r.t, 11), -1, "beyond what was sent: no");
		is(tunnel_resume(&r.t, UINT64_MAX), -1, "far beyond: no");
		ok(rig_wants(&r, TUNNEL_LOST) && r.t.end == TUNNEL_GOING,
		    "and nothing has changed");
		for (at = 4; at <= 10; at++) {
			is(resume(&r, at), 0, "a position we have");
			ok(rig_sent(&r, 1, "ack 3 1000"), "what was delivered");
			if (at < 10)
				ok(rig_sent(&r, 2, &"0123456789"[at]),
				    "what is missing");
			ok(rig_silent(&r) && !r.lost, "goes on");
			rig_wire_eof(&r);
		}
		is(resume(&r, 10), 0, "(once more)");
		rig_frame(&r, 0x82, "def", 3);
		ok(rig_got(&r, "abcdef"), "and so does the other direction");
		rig_end(&r);
	}
	rig_begin(&r, rig_config(1, 1, 0));
	is(tunnel_resume(&r.t, 0), -1, "no session, no resume");
	rig_end(&r);
}

/* A wire may be cut anywhere: inside a header, a payload, a control line. */
static void
test_cut_inside(void)
{
	struct rig r;
	uint8_t frame[64];
	size_t n, cut, head;
	uint64_t at;
	int client, good;

	for (client = 0; client < 2; client++) {
		good = 1;
		n = rig_make(frame, !client, 0x82, "0123456789", 10);
		head = n - 10;
		n += rig_make(frame + n, !client, 0x81, "eof 10", 6);
		for (cut = 0; cut <= n; cut++) {
			begin(&r, client);
			rig_feed(&r, frame, cut);
			rig_wire_eof(&r);
			at = tunnel_taken(&r.t);
			good &= at == (cut < head ? 0 :
			    cut - head < 10 ? cut - head : 10);
			good &= resume(&r, 0) == 0;
			rig_frame(&r, 0x82, &"0123456789"[at], 10 - at);
			rig_line(&r, "eof 10");
			good &= rig_got(&r, "0123456789") && r.shut &&
			    r.t.end == TUNNEL_GOING;
			rig_end(&r);
		}
		ok(good, "%s: what comes is cut anywhere",
		    client ? "client" : "server");
	}
}

/* ... and so may what is sent: replays are whole and freshly masked. */
static void
test_cut_outside(void)
{
	static const size_t sizes[] = { 1, 13, 700, WIN };
	struct rig r;
	struct sent_frame h, again;
	size_t i, cut;
	int client, good = 1;

	for (client = 0; client < 2; client++)
		for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			begin(&r, client);
			r.wire_stuck = 1;
			rig_stream(&r, sample, sizes[i]);
			r.morsel = cut = 1 + sizes[i] / 3;
			{
				struct iovec iov[3];
				int k = tunnel_wire_data(&r.t, iov);

				tunnel_wire_wrote(&r.t, rig_collect(&r,
				    r.sent, &r.nsent, iov, k));
			}
			memcpy(h.key, r.sent + (sizes[i] > 125 ? 4 : 2), 4);
			tunnel_wire_failed(&r.t);
			rig_pump(&r);
			r.wire_stuck = 0;
			good &= resume(&r, 0) == 0;
			good &= rig_next(&r, &again) == 1 &&
			    again.len == sizes[i] &&
			    memcmp(again.payload, sample, again.len) == 0;
			if (client && cut > 8)
				good &= memcmp(h.key, again.key, 4) != 0;
			good &= rig_silent(&r);
			rig_end(&r);
		}
	ok(good, "what was cut off is sent again, with another mask");
}

static void
test_resume_end(void)
{
	struct rig r;

	begin(&r, 0);
	rig_stream(&r, "hello", 5);
	rig_stream_eof(&r);
	rig_wire_eof(&r);
	resume(&r, 2);
	ok(rig_sent(&r, 2, "llo") && rig_sent(&r, 1, "eof 5") &&
	    rig_silent(&r), "eof is repeated at its place");
	rig_line(&r, "eof 0");
	rig_line(&r, "ack 5 1000");
	ok(rig_sent(&r, 1, "ack 0") && rig_silent(&r),
	    "bytes are acknowledged, the end is not: no Close");
	rig_line(&r, "ack 5");
	ok(rig_sent_close(&r, 1000), "Close is due");
	rig_wire_eof(&r);
	ok(r.lost && tunnel_over(&r.t), "lost before the answer");
	resume(&r, 5);
	ok(rig_sent(&r, 1, "ack 0") && rig_sent(&r, 1, "eof 5") &&
	    rig_sent_close(&r, 1000), "all are repeated");
	rig_line(&r, "eof 0");
	rig_wire_eof(&r);
	tunnel_expire(&r.t);
	rig_pump(&r);
	ok(r.done && r.t.end == TUNNEL_ENDED && r.closed && !r.reset,
	    "no answer, but Close was due: success");
	rig_end(&r);

	begin(&r, 0);
	rig_stream_eof(&r);
	rig_line(&r, "eof 0");
	rig_line(&r, "ack 0");
	rig_wire_eof(&r);
	ok(r.lost && tunnel_over(&r.t), "over, but the peer does not know");
	tunnel_stop(&r.t, 1001, TUNNEL_STOPPED, "told to end");
	rig_pump(&r);
	ok(r.done && r.t.end == TUNNEL_ENDED && !r.reset,
	    "told to end while it waits for that: success");
	rig_end(&r);

	begin(&r, 0);
	rig_stream_eof(&r);
	rig_line(&r, "eof 0");
	rig_line(&r, "ack 0");
	ok(rig_sent(&r, 1, "eof 0") && rig_sent(&r, 1, "ack 0") &&
	    rig_sent_close(&r, 1000), "Close is out");
	tunnel_stop(&r.t, 1001, TUNNEL_STOPPED, "told to end");
	rig_close(&r, 1000);
	rig_wire_eof(&r);
	ok(r.done && r.t.end == TUNNEL_ENDED && !r.reset,
	    "told to end before the answer: success, too");
	rig_end(&r);

	begin(&r, 0);
	rig_stream(&r, "hello", 5);
	rig_stream_eof(&r);
	rig_line(&r, "eof 0");
	rig_line(&r, "ack 5 1000");
	rig_wire_eof(&r);
	ok(r.lost && !tunnel_over(&r.t), "lost before the ack");
	tunnel_expire(&r.t);
	rig_pump(&r);
	ok(r.done && r.t.end == TUNNEL_WIRE_LOST, "no answer: lost");
	rig_end(&r);

	begin(&r, 0);
	rig_wire_eof(&r);
	tunnel_stop(&r.t, 1001, TUNNEL_STOPPED, NULL);
	rig_pump(&r);
	ok(r.done && r.reset && r.t.end == TUNNEL_STOPPED,
	    "stopped while lost: the end");
	rig_end(&r);
}

/* The redial comes before the loss was noticed. */
static void
test_take_over(void)
{
	struct rig r;

	begin(&r, 0);
	rig_stream(&r, "0123456789", 10);
	rig_feed(&r, "\x82\x85" "\0\0\0\0" "abc", 9);
	rig_pump(&r);
	is(tunnel_may_resume(&r.t, 11), 0, "no such position");
	ok(r.t.link == LINK_UP && r.t.wire == WIRE_OPEN,
	    "the old wire is not disturbed");
	rig_feed(&r, "d", 1);
	is(tunnel_may_resume(&r.t, 6), 1, "a position we have");
	is(tunnel_taken(&r.t), 4, "half a frame was taken");
	is(resume(&r, 6), 0, "taken over");
	ok(rig_sent(&r, 1, "ack 4 1000") && rig_sent(&r, 2, "6789") &&
	    rig_silent(&r), "replayed");
	rig_frame(&r, 0x82, "e", 1);
	ok(rig_got(&r, "abcde") && r.t.end == TUNNEL_GOING,
	    "the new wire begins with a frame of its own");
	rig_end(&r);
}

/* A pong, ping or ack of the old wire is not sent on the new one. */
static void
test_old_wire(void)
{
	struct rig r;

	begin(&r, 1);
	r.wire_stuck = 1;
	rig_frame(&r, 0x89, "old", 3);
	rig_wire_eof(&r);
	r.wire_stuck = 0;
	resume(&r, 0);
	ok(rig_silent(&r), "an old ping is not answered");
	rig_end(&r);

	begin(&r, 1);
	r.t.cfg.ping_interval = 1000;
	rig_wire_eof(&r);
	is(rig_deadline(&r), -1, "no pings without a wire");
	rig_at(&r, 90000);
	resume(&r, 0);
	ok(rig_silent(&r), "none at once");
	is(rig_deadline(&r), 91000, "but after the interval");
	rig_end(&r);
}

/* Two wires end after so many milliseconds without a byte. */
static void
test_idle_death(void)
{
	static const struct {
		int64_t first, second, interval;	/* 0: it stays */
		int close, given;
	} t[] = {
		{ 10000, 10000, 7500, 0, 0 }, { 10000, 9000, 6750, 0, 0 },
		{ 9000, 10000, 6750, 0, 0 }, { 10000, 8999, 0, 0, 0 },
		{ 8999, 10000, 0, 0, 0 }, { 2001, 2100, 2000, 0, 0 },
		{ 2500, 2500, 2000, 0, 0 }, { 2000, 2000, 0, 0, 0 },
		{ 0, 0, 0, 0, 0 }, { 24999, 24999, 18749, 0, 0 },
		{ 10000, 10000, 0, 1001, 0 }, { 10000, 10000, 0, 0, 1 }
	};
	struct tunnel_config cfg = rig_config(0, 1, WIN);
	struct rig r;
	size_t i;
	int n;

	cfg.ping_interval = 25000;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		cfg.ping_adapts = !t[i].given;
		rig_begin(&r, cfg);
		rig_line(&r, "ack 0 1000");
		for (n = 0; n < 2; n++) {
			rig_at(&r, r.now - RIG_START + (n == 0 ? t[i].first :
			    t[i].second));
			ok(!r.t.ping_adapted, "(the first one proves nothing)");
			if (t[i].close != 0)
				rig_close(&r, t[i].close);
			else
				rig_wire_eof(&r);
			ok(r.lost, "(lost)");
			if (n == 0)
				resume(&r, 0);
		}
		is(r.t.cfg.ping_interval, t[i].interval != 0 ? t[i].interval :
		    25000, "the interval");
		is(r.t.ping_adapted, t[i].interval != 0, "is told");
		rig_end(&r);
	}
	cfg.ping_interval = 2000;
	cfg.ping_adapts = 1;
	rig_begin(&r, cfg);
	r.wire_stuck = 1;
	for (n = 1; n <= 2; n++) {
		rig_at(&r, r.now - RIG_START + 2500);
		rig_wire_eof(&r);
		resume(&r, 0);
	}
	ok(!r.t.ping_adapted, "an interval that stays is not told");
	rig_end(&r);
}

/* What was acknowledged and permitted on the wire before still counts. */
static void
test_ack_of_another_wire(void)
{
	static const struct { const char *line; enum tunnel_end end; } t[] = {
		{ "ack 5 1000", TUNNEL_GOING }, { "ack 6 1000", TUNNEL_GOING },
		{ "ack 4 2000", TUNNEL_PEER_FAULT },
		{ "ack 6 998", TUNNEL_PEER_FAULT },
		{ "ack 11 1000", TUNNEL_PEER_FAULT },
	};
	struct rig r;
	size_t i;
	int client;

	for (client = 0; client < 2; client++)
		for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		begin(&r, client);
		rig_stream(&r, "0123456789", 10);
		rig_line(&r, "ack 5 1000");
		rig_wire_eof(&r);
		is(resume(&r, 5), 0, "resumed");
		rig_line(&r, t[i].line);
		is(r.t.end, t[i].end, t[i].line);
		rig_end(&r);
	}
}

/* The last acknowledgement is said on each new wire, without a window. */
static void
test_last_ack_again(void)
{
	struct rig r;
	int client, sent, i;

	for (client = 0; client < 2; client++)
		for (sent = 0; sent < 2; sent++) {
		begin(&r, client);
		rig_frame(&r, 0x82, "all", 3);
		rig_line(&r, "eof 3");
		is(rig_sent(&r, 1, "ack 3"), 0, "it waits for our end");
		if (sent) {
			rig_at(&r, 1000);
			rig_pump(&r);
			ok(rig_sent(&r, 1, "ack 3"), "for a while");
		}
		for (i = 0; i < 2; i++) {
			rig_wire_eof(&r);
			is(resume(&r, 0), 0, "resumed");
			rig_at(&r, 2000 + i * 1000);
			rig_pump(&r);
			ok(rig_sent(&r, 1, "ack 3") && rig_silent(&r),
			    "it may have been lost");
		}
		rig_end(&r);
	}
}

/* It grows with what has come or arrived, and with nothing else. */
static void
test_progress(void)
{
	struct rig r;

	rig_begin(&r, rig_config(0, 1, WIN));
	is(tunnel_progress(&r.t), 0, "nothing yet");
	rig_frame(&r, 0x82, "hello", 5);
	is(tunnel_progress(&r.t), 5, "bytes that have come");
	rig_stream(&r, "there", 5);
	is(tunnel_progress(&r.t), 5, "bytes that were sent are none");
	rig_line(&r, "ack 3 65536");
	is(tunnel_progress(&r.t), 8, "until they are acknowledged");
	rig_wire_eof(&r);
	is(tunnel_progress(&r.t), 8, "nor is a loss");
	is(tunnel_resume(&r.t, 5), 0, "resumed");
	is(tunnel_progress(&r.t), 10, "what the peer has is some");
	r.wire_closed = r.finished = 0;
	rig_pump(&r);
	rig_line(&r, "eof 5");
	is(tunnel_progress(&r.t), 11, "an end that has come");
	rig_stream_eof(&r);
	is(tunnel_progress(&r.t), 11, "our own end is none");
	rig_line(&r, "ack 5");
	is(tunnel_progress(&r.t), 12, "until it is confirmed");
	rig_end(&r);
}

int
main(void)
{
	test_progress();
	size_t i;

	for (i = 0; i < sizeof(sample); i++)
		sample[i] = i * 31 >> 3;
	test_loss();
	test_rst();
	test_resume();
	test_cut_inside();
	test_cut_outside();
	test_resume_end();
	test_take_over();
	test_ack_of_another_wire();
	test_last_ack_again();
	test_old_wire();
	test_idle_death();
	return done_testing();
}
