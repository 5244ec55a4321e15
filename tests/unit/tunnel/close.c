/* SPDX-License-Identifier: ISC */
/*
 * How a tunnel ends: Close held back for plain peers, the closing handshake and
 * its deadlines.  Times are ms since the beginning.
 *
 * If it fails: a stream is cut short or never ends, with programs of others at
 * the other end.
 */
#include "tunnel/rig.h"

enum { SERVER, CLIENT };
enum { PLAIN, INETWS };

/* Bytes that are life and nothing else. */
static void
breathe(struct rig *r, int64_t ms)
{
	rig_at(r, ms);
	rig_frame(r, 0x8a, "", 0);
}

/* Our stream has ended: Close is held back for plain peers. */
static void
test_hold(void)
{
	struct rig r;
	struct tunnel_config cfg = rig_config(SERVER, PLAIN, 0);

	rig_begin(&r, cfg);
	rig_stream(&r, "bye", 3);
	rig_at(&r, 1000);
	rig_stream_eof(&r);
	ok(rig_sent(&r, 2, "bye") && rig_silent(&r), "Close is held back");
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
	ok(rig_sent_close(&r, 1000), "then Close 1000");
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
	ok(rig_sent_close(&r, 1000) && r.shut, "its Close is answered at once");
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

/*
 * Silence behind our Close is an end.  A peer that still sends had not ended,
 * and only its Close tells that it has.
 */
static void
test_hold_cut(void)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
		enum tunnel_end end;
	} how[] = {
		{ "nothing", "", 0, TUNNEL_ENDED },
		{ "a Pong", "\x8a\x00", 2, TUNNEL_ENDED },
		{ "an empty message", "\x82\x00", 2, TUNNEL_ENDED },
		{ "a whole message", "\x82\x02hi", 4, TUNNEL_WIRE_LOST },
		{ "a message cut short", "\x82\x05hi", 4, TUNNEL_WIRE_LOST },
		{ "a fragment", "\x02\x02hi", 4, TUNNEL_WIRE_LOST },
		{ "a header cut short", "\x82", 1, TUNNEL_WIRE_LOST },
	};
	struct rig r;
	size_t i;
	int slow;

	for (i = 0; i < sizeof(how) / sizeof(how[0]); i++)
		for (slow = 0; slow < 2; slow++) {
			rig_begin(&r, rig_config(CLIENT, PLAIN, 0));
			rig_stream_eof(&r);
			rig_at(&r, 10000);
			rig_feed(&r, how[i].bytes, how[i].len);
			rig_pump(&r);
			if (slow)
				rig_at(&r, 20000);
			else
				rig_wire_eof(&r);
			ok(r.t.end == how[i].end &&
			    r.shut == (how[i].end == TUNNEL_ENDED),
			    "behind our Close: %s, and %s", how[i].name,
			    slow ? "silence" : "a bare end");
			rig_end(&r);
		}

	rig_begin(&r, rig_config(CLIENT, PLAIN, 0));
	rig_stream_eof(&r);
	rig_at(&r, 10000);
	rig_at(&r, 15000);
	rig_frame(&r, 0x82, "hi", 2);
	rig_at(&r, 20000);
	ok(!r.shut, "data behind our Close: more may come");
	rig_frame(&r, 0x82, "ho", 2);
	rig_close(&r, 1000);
	ok(r.shut && rig_got(&r, "hiho"), "and does");
	rig_end(&r);
}

static void
test_eof_close(void)
{
	struct tunnel_config cfg = rig_config(CLIENT, PLAIN, 0);
	struct rig r;

	cfg.hold = 0;
	rig_begin(&r, cfg);
	rig_stream(&r, "bye", 3);
	rig_stream_eof(&r);
	ok(rig_sent(&r, 2, "bye") && rig_sent_close(&r, 1000),
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
	ok(rig_sent(&r, 2, "bye") && rig_sent_close(&r, 1000),
	    "--eof=close: behind what is still to be written");
	rig_end(&r);
}

/* The closing handshake does not take for ever. */
static void
test_closing(void)
{
	struct tunnel_config cfg = rig_config(SERVER, PLAIN, 0);
	struct rig r;

	rig_begin(&r, cfg);
	rig_at(&r, 500);
	tunnel_stop(&r.t, 1001, TUNNEL_STOPPED, "told to");
	rig_pump(&r);
	ok(rig_sent_close(&r, 1001) && r.reset, "stopped: Close 1001, reset");
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

	rig_begin(&r, rig_config(SERVER, PLAIN, 0));
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

	rig_begin(&r, rig_config(SERVER, PLAIN, 0));
	rig_at(&r, 1000);
	tunnel_stop(&r.t, 1001, TUNNEL_STOPPED, NULL);
	rig_pump(&r);
	r.wire_stuck = 1;
	rig_at(&r, 1500);
	rig_close(&r, 1001);
	ok(!r.finished, "our end of the wire cannot be told");
	is(rig_deadline(&r), 3500, "that is waited for from the second Close on");
	rig_end(&r);

	rig_begin(&r, rig_config(SERVER, PLAIN, 0));
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

/* What the stream has sent is not sent behind our Close, whoever began. */
static void
test_last_frame(void)
{
	struct rig r;
	int client, ours;

	for (client = 0; client < 2; client++)
		for (ours = 0; ours < 2; ours++) {
		rig_begin(&r, rig_config(client, PLAIN, 0));
		r.wire_stuck = 1;
		rig_stream(&r, "unsent", 6);
		if (ours)
			tunnel_stop(&r.t, 1001, TUNNEL_STOPPED, NULL);
		else
			rig_close(&r, 1000);
		r.wire_stuck = 0;
		rig_pump(&r);
		ok(rig_sent_close(&r, ours ? 1001 : 1000) && rig_silent(&r),
		    "%s: Close, and nothing behind it",
		    client ? "client" : "server");
		rig_stream(&r, "more", 4);
		rig_frame(&r, 0x89, "?", 1);
		rig_at(&r, 1000);
		ok(rig_silent(&r), "neither data nor Pong");
		rig_end(&r);
	}
}

/* Who stops it waits for a moment only, whatever it waits for. */
static void
test_hurry(void)
{
	struct rig r;
	int win;

	rig_begin(&r, rig_config(SERVER, PLAIN, 0));
	rig_at(&r, 500);
	tunnel_stop(&r.t, 1001, TUNNEL_STOPPED, NULL);
	tunnel_hurry(&r.t, 1000);
	rig_pump(&r);
	is(rig_deadline(&r), 1500, "stopped: a second for the answer");
	rig_at(&r, 700);
	tunnel_hurry(&r.t, 1000);
	is(rig_deadline(&r), 1500, "from the first time");
	tunnel_hurry(&r.t, 100);
	is(rig_deadline(&r), 800, "or less");
	rig_at(&r, 800);
	ok(r.done && r.t.end == TUNNEL_STOPPED, "then it is over");
	rig_end(&r);

	for (win = 0; win <= 65536; win += 65536) {
		rig_begin(&r, rig_config(SERVER, INETWS, win));
		rig_stream_eof(&r);
		rig_line(&r, "eof 0");
		rig_line(&r, "ack 0");
		tunnel_stop(&r.t, 1001, TUNNEL_STOPPED, NULL);
		tunnel_hurry(&r.t, 1000);
		is(rig_deadline(&r), 1000, "all is confirmed: the same");
		rig_at(&r, 1000);
		tunnel_stop(&r.t, 1001, TUNNEL_STOPPED, NULL);
		rig_pump(&r);
		ok(r.done && r.t.end == TUNNEL_ENDED, "a clean end");
		rig_end(&r);
	}

	rig_begin(&r, rig_config(SERVER, PLAIN, 0));
	rig_close(&r, 1000);
	rig_wire_eof(&r);
	tunnel_stop(&r.t, 1001, TUNNEL_STOPPED, NULL);
	tunnel_hurry(&r.t, 1000);
	is(rig_deadline(&r), 1000, "a stream that has to end: the same");
	rig_at(&r, 1000);
	ok(r.done && r.closed && r.t.end == TUNNEL_ENDED, "it is closed");
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

	rig_begin(&r, rig_config(SERVER, PLAIN, 0));
	r.wire_stuck = 1;
	rig_stream(&r, "stuck", 5);
	rig_close(&r, 1000);
	rig_at(&r, 10000);
	rig_at(&r, 20000);
	ok(r.done, "Close from one that reads no more: it ends");
	rig_end(&r);

	rig_begin(&r, rig_config(SERVER, PLAIN, 0));
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

/* ... nor if the peer goes on talking. */
static void
test_closing_talk(void)
{
	struct rig r;
	int i;

	rig_begin(&r, rig_config(SERVER, PLAIN, 0));
	tunnel_stop(&r.t, 1001, TUNNEL_STOPPED, NULL);
	for (i = 1; i <= 10; i++) {
		rig_at(&r, 4000 * i);
		rig_frame(&r, 0x82, "and", 3);
	}
	ok(r.done, "stopped, and the peer talks on: it ends");
	rig_end(&r);

	rig_begin(&r, rig_config(SERVER, INETWS, 0));
	tunnel_stream_failed(&r.t);
	for (i = 1; i <= 10; i++) {
		rig_at(&r, 4000 * i);
		rig_frame(&r, 0x82, "and", 3);
	}
	ok(r.done, "our stream was reset, and the peer talks on: it ends");
	rig_end(&r);
}

/* A pipe need not be read to its end. */
static void
test_no_discard(void)
{
	struct tunnel_config cfg = rig_config(CLIENT, PLAIN, 0);
	struct rig r;

	cfg.discard = 0;
	rig_begin(&r, cfg);
	rig_frame(&r, 0x82, "bye", 3);
	rig_close(&r, 1000);
	ok(rig_got(&r, "bye") && r.shut && r.closed,
	    "a stream that need not be read to its end is closed at once");
	rig_wire_eof(&r);
	ok(r.done && r.t.end == TUNNEL_ENDED, "a clean end");
	rig_end(&r);
}

/* The reader of the stream has gone. */
static void
test_write_closed(void)
{
	struct tunnel_config cfg = rig_config(SERVER, PLAIN, 0);
	struct rig r;

	rig_begin(&r, rig_config(SERVER, PLAIN, 0));
	tunnel_stream_write_closed(&r.t);
	rig_pump(&r);
	is(r.t.end, TUNNEL_GOING, "no reader: no harm yet");
	rig_stream(&r, "x", 1);
	rig_at(&r, 100000);
	ok(!r.done && rig_sent(&r, 2, "x"), "what it sends is sent");
	rig_frame(&r, 0x82, "y", 1);
	is(r.t.end, TUNNEL_GOING, "what comes cannot be delivered: not yet told");
	rig_stream(&r, "z", 1);
	ok(rig_sent(&r, 2, "z"), "the rest of what it sends is sent");
	rig_frame(&r, 0x82, "yy", 2);
	rig_stream_eof(&r);
	ok(r.t.end == TUNNEL_STREAM_RESET && rig_sent_close(&r, 1011),
	    "its end is a reset");
	is(r.ngot + r.t.in_delivered, 0, "nothing was delivered");
	rig_end(&r);

	rig_begin(&r, rig_config(SERVER, PLAIN, 0));
	tunnel_stream_write_closed(&r.t);
	rig_close(&r, 1000);
	ok(r.shut && rig_sent_close(&r, 1000), "the peer's end is no harm");
	rig_end(&r);

	for (cfg.linger = 0; cfg.linger <= 10000; cfg.linger += 10000) {
		rig_begin(&r, cfg);
		tunnel_stream_write_closed(&r.t);
		rig_stream(&r, "all", 3);
		rig_at(&r, 1000);
		rig_stream_eof(&r);
		is(rig_deadline(&r), 11000, "a plain peer: Close is held back");
		rig_at(&r, 11000);
		ok(rig_sent(&r, 2, "all") && rig_sent_close(&r, 1000),
		    "and comes as for any stream");
		rig_close(&r, 1000);
		rig_wire_eof(&r);
		ok(r.done && r.t.end == TUNNEL_ENDED, "a clean end");
		rig_end(&r);
	}

	rig_begin(&r, rig_config(SERVER, INETWS, 0));
	rig_at(&r, 1000);
	tunnel_stream_write_closed(&r.t);
	rig_pump(&r);
	rig_at(&r, 2000);
	rig_stream_eof(&r);
	ok(rig_sent(&r, 1, "eof 0"), "closed both ways: the peer is told");
	rig_at(&r, 60000);
	is(r.t.end, TUNNEL_GOING, "and may take what came before");
	rig_line(&r, "ack 0");
	is(rig_deadline(&r), 70000, "once it has: linger");
	rig_at(&r, 70000);
	ok(r.t.end == TUNNEL_STREAM_RESET && rig_sent(&r, 1, "rst"),
	    "then it is a reset");
	rig_end(&r);
}

static void
bad_close(struct rig *r)
{
	rig_close(r, 1011);
}

static void
expire(struct rig *r)
{
	rig_wire_eof(r);
	rig_at(r, 0);
	tunnel_expire(&r->t);
	rig_pump(r);
}

static void
nonsense(struct rig *r)
{
	rig_frame(r, 0x83, "", 0);
}

static void
reset(struct rig *r)
{
	rig_line(r, "rst");
}

static void
stop(struct rig *r)
{
	tunnel_stop(&r->t, 1001, TUNNEL_STOPPED, "");
	rig_pump(r);
}

/*
 * What came before the wire or the peer failed is delivered before the reset,
 * if the stream takes it in time; before a fault of the peer's it is not.
 */
static void
test_arrived(void)
{
	static const struct {
		const char *name;
		void (*how)(struct rig *);
		int extension;
		uint32_t session;
		enum tunnel_end end;
		int kept;
	} ends[] = {
		{ "Close 1011", bad_close, PLAIN, 0, TUNNEL_PEER_CLOSED, 1 },
		{ "a bare end", rig_wire_eof, PLAIN, 0, TUNNEL_WIRE_LOST, 1 },
		{ "no new wire", expire, INETWS, 65536, TUNNEL_WIRE_LOST, 1 },
		{ "nonsense", nonsense, PLAIN, 0, TUNNEL_PEER_FAULT, 0 },
		{ "rst", reset, INETWS, 0, TUNNEL_PEER_RESET, 0 },
		{ "told to end", stop, PLAIN, 0, TUNNEL_STOPPED, 0 },
	};
	enum { READS, STUCK, FAILS, WRITE_CLOSED, STOPPED, ALL };
	struct rig r;
	size_t i;
	int later;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		for (later = 0; later < ALL; later++) {
			rig_begin(&r, rig_config(CLIENT, ends[i].extension,
			    ends[i].session));
			r.stream_stuck = 1;
			rig_frame(&r, 0x82, "why", 3);
			ends[i].how(&r);
			ok(r.reset != ends[i].kept && !r.shut &&
			    r.t.end == ends[i].end, "%s: %s", ends[i].name,
			    ends[i].kept ? "the stream is waited for" :
			    "a reset at once");
			if (later == READS) {
				r.stream_stuck = 0;
				rig_pump(&r);
				rig_wire_eof(&r);
			} else if (later == STUCK) {
				rig_at(&r, 9999);
				ok(!r.reset || !ends[i].kept, "linger");
				rig_at(&r, 10000);
			} else if (later == FAILS)
				tunnel_stream_failed(&r.t);
			else if (later == WRITE_CLOSED)
				tunnel_stream_write_closed(&r.t);
			else
				stop(&r);
			rig_pump(&r);
			ok(r.reset && !r.shut && r.t.end == ends[i].end &&
			    r.ngot == (later == READS && ends[i].kept ? 3 : 0),
			    "then it is a reset (%d)", later);
			rig_end(&r);
		}

	/* Both in one read: nothing was stuck. */
	rig_begin(&r, rig_config(CLIENT, PLAIN, 0));
	rig_feed(&r, "\x82\x03why\x88\x02\x03\xf3", 9);
	rig_pump(&r);
	ok(rig_got(&r, "why") && r.reset && !r.shut,
	    "last data and a bad Close at once: delivered, and a reset");
	rig_end(&r);
}

/* The stream takes the last, and shows the end, when the wire is long gone. */
static void
test_end_behind_wire(void)
{
	struct rig r;
	int client;

	for (client = 0; client < 2; client++) {
		rig_begin(&r, rig_config(client, 0, 0));
		rig_stream_eof(&r);
		r.stream_stuck = 1;
		rig_frame(&r, 0x82, "late", 4);
		rig_close(&r, 1000);
		rig_wire_eof(&r);
		ok(r.wire_closed && !r.done && r.t.end == TUNNEL_GOING,
		    "the wire is gone, and the stream has not got all");
		r.stream_stuck = 0;
		rig_pump(&r);
		ok(rig_got(&r, "late") && r.done && !r.reset &&
		    r.t.end == TUNNEL_ENDED, "then it has, and all is over");
		rig_end(&r);
	}
}

/* The stream shows the end last, and goes on sending what is thrown away. */
static void
test_end_shown(void)
{
	struct rig r;
	int client;

	for (client = 0; client < 2; client++) {
		rig_begin(&r, rig_config(client, 0, 0));
		r.stream_stuck = 1;
		rig_frame(&r, 0x82, "late", 4);
		rig_close(&r, 1000);
		ok(!r.shut && r.t.end == TUNNEL_GOING,
		    "after both Closes the stream has not got all");
		r.stream_stuck = 0;
		rig_pump(&r);
		ok(r.shut && !r.closed && r.t.end == TUNNEL_ENDED,
		    "it has been shown the end: all has arrived");
		tunnel_stop(&r.t, 1001, TUNNEL_STOPPED, "stopped");
		ok(r.t.end == TUNNEL_ENDED, "which is so if it is stopped");
		rig_end(&r);
	}
}

int
main(void)
{
	test_end_behind_wire();
	test_end_shown();
	test_hold();
	test_hold_cut();
	test_eof_close();
	test_closing();
	test_last_frame();
	test_hurry();
	test_closing_stuck();
	test_closing_talk();
	test_no_discard();
	test_write_closed();
	test_arrived();
	return done_testing();
}
