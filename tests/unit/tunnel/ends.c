/* SPDX-License-Identifier: ISC */
/*
 * Ends that are true: whatever happens between the last byte and the last
 * Close, with and without a session, a stream is ended well only if all that it
 * sent was delivered.
 *
 * If it fails: a file that is cut short looks complete.
 */
#include "tunnel/rig.h"

enum { SERVER, CLIENT };
enum { PLAIN, INETWS };

#define WIN	65536

/* The peer's stream is reset after both ends: its Close is not answered yet. */
static void
test_reset_behind_both_ends(void)
{
	struct rig r;
	int client;

	for (client = 0; client < 2; client++) {
		rig_begin(&r, rig_config(client, INETWS, 0));
		rig_stream(&r, "all of it", 9);
		rig_stream_eof(&r);
		rig_line(&r, "eof 0");
		ok(r.shut && !r.closed && r.t.close_code == 0,
		    "both have ended, nothing is confirmed: no Close");
		rig_at(&r, 3600000);
		ok(!r.done && !r.reset, "for as long as it takes");
		rig_line(&r, "rst");
		ok(r.reset && r.t.end == TUNNEL_PEER_RESET,
		    "rst behind both ends is a reset");
		rig_end(&r);

		rig_begin(&r, rig_config(client, INETWS, 0));
		r.stream_stuck = 1;
		rig_stream_eof(&r);
		rig_frame(&r, 0x82, "all of it", 9);
		rig_line(&r, "eof 9");
		ok(rig_sent(&r, 1, "eof 0") && rig_silent(&r),
		    "what is not delivered is not confirmed");
		rig_line(&r, "ack 0");
		tunnel_stream_failed(&r.t);
		rig_pump(&r);
		ok(rig_sent(&r, 1, "rst") && r.reset &&
		    r.t.end == TUNNEL_STREAM_RESET, "and the peer is told");
		rig_end(&r);
	}
}

/* Without a session Close 1000 has to be in order, too. */
static void
test_close_too_early(void)
{
	struct rig r;
	uint32_t win;

	for (win = 0; win <= WIN; win += WIN) {
		rig_begin(&r, rig_config(SERVER, INETWS, win));
		rig_stream(&r, "hello", 5);
		rig_line(&r, "eof 0");
		rig_close(&r, 1000);
		ok(r.t.end == TUNNEL_PEER_FAULT && r.t.close_code == 1002 &&
		    r.reset, "window %u: Close before our eof is a fault", win);
		rig_end(&r);

		rig_begin(&r, rig_config(SERVER, INETWS, win));
		rig_stream_eof(&r);
		rig_line(&r, "eof 0");
		rig_close(&r, 1000);
		ok(r.t.end == TUNNEL_PEER_FAULT && r.reset,
		    "window %u: and before our eof is confirmed", win);
		rig_end(&r);
	}
}

static void
ends_bare(struct rig *r)
{
	rig_wire_eof(r);
}

static void
is_reset(struct rig *r)
{
	tunnel_wire_failed(&r->t);
	rig_pump(r);
}

static void
is_silent(struct rig *r)
{
	rig_at(r, 10000);
	rig_at(r, 20000);
}

/* The wire is lost about its Close. */
static void
test_lost_about_close(void)
{
	static const struct {
		const char *name;
		void (*how)(struct rig *);
	} ways[] = {
		{ "a bare end", ends_bare }, { "a reset", is_reset },
		{ "no answer", is_silent },
	};
	struct rig r;
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		rig_begin(&r, rig_config(CLIENT, INETWS, 0));
		rig_stream(&r, "x", 1);
		rig_stream_eof(&r);
		rig_line(&r, "eof 0");
		if (i < 2) {
			ways[i].how(&r);
			ok(r.reset && r.t.end == TUNNEL_WIRE_LOST,
			    "%s before the end is confirmed is a loss",
			    ways[i].name);
		}
		rig_end(&r);

		rig_begin(&r, rig_config(CLIENT, INETWS, 0));
		rig_stream(&r, "x", 1);
		rig_stream_eof(&r);
		rig_line(&r, "eof 0");
		rig_line(&r, "ack 1");
		ok(r.closed, "(confirmed)");
		ways[i].how(&r);
		ok(r.done && !r.reset && r.t.end == TUNNEL_ENDED,
		    "%s after it is none", ways[i].name);
		rig_end(&r);
	}
}

/* What cannot be understood behind it is no fault, and Close has its time. */
static void
test_fault_behind_confirmed(void)
{
	struct rig r;

	rig_begin(&r, rig_config(CLIENT, INETWS, 0));
	rig_stream(&r, "x", 1);
	rig_stream_eof(&r);
	r.wire_stuck = 1;
	rig_line(&r, "eof 0");
	rig_line(&r, "ack 1");
	ok(r.t.close_code == 0, "(our confirmation cannot be sent)");
	rig_at(&r, 5000);
	rig_line(&r, "nonsense");
	ok(r.t.end == TUNNEL_ENDED && r.t.close_code == 1000,
	    "a fault behind both confirmed ends is none");
	is(rig_deadline(&r), 15000, "and from then on --linger is left");
	rig_end(&r);
}

/* Who is stopped tells so; a plain peer's 1001 is an end only at a server. */
static void
test_stopped(void)
{
	struct rig r;
	uint32_t win;
	int client;

	for (client = 0; client < 2; client++)
		for (win = 0; win <= WIN; win += WIN) {
		rig_begin(&r, rig_config(client, INETWS, win));
		tunnel_stop(&r.t, 1001, TUNNEL_STOPPED, "stopped");
		rig_pump(&r);
		ok(rig_sent(&r, 1, "rst") && rig_sent_close(&r, 1001),
		    "window %u: stopped: rst and Close 1001", win);
		ok(memcmp(r.sent + r.nsent - 7, "stopped", 7) == 0 ||
		    r.t.cfg.client, "with a reason");
		ok(r.reset, "and a reset");
		rig_end(&r);

		rig_begin(&r, rig_config(client, INETWS, win));
		rig_line(&r, "rst");
		rig_close(&r, 1001);
		rig_wire_eof(&r);
		ok(r.reset && !r.lost && r.done &&
		    r.t.end == TUNNEL_PEER_RESET && r.t.peer_code == 1001,
		    "window %u: the peer was stopped: no loss", win);
		rig_end(&r);
	}
	for (client = 0; client < 2; client++) {
		rig_begin(&r, rig_config(client, PLAIN, 0));
		rig_frame(&r, 0x82, "half", 4);
		rig_close(&r, 1001);
		ok(r.reset == client && r.shut == !client,
		    "1001 of a plain %s", client ? "server is a reset" :
		    "client is an end");
		rig_end(&r);
	}
}

/* Time without a wire is not idle. */
static void
test_idle_while_lost(void)
{
	struct tunnel_config cfg = rig_config(CLIENT, INETWS, WIN);
	struct rig r;

	cfg.idle_timeout = 3000;
	rig_begin(&r, cfg);
	rig_at(&r, 1000);
	rig_wire_eof(&r);
	rig_at(&r, 8400);
	tunnel_resume(&r.t, 0);
	rig_at(&r, 8402);
	is(r.t.end, TUNNEL_GOING, "resumed after 7.4 s: not idle");
	rig_at(&r, 10399);
	is(r.t.end, TUNNEL_GOING, "the second before the loss counts");
	rig_at(&r, 10400);
	is(r.t.end, TUNNEL_IDLE, "and two after it");
	rig_end(&r);
}

/* After rst everything is ignored but Close. */
static void
test_behind_rst(void)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
	} what[] = {
		{ "a line that is none", "\x81\x04what", 6 },
		{ "a line that is malformed", "\x81\x05" "eof x", 7 },
		{ "half a line", "\x01\x03" "eof\x80\x02 1", 9 },
		{ "text that is not UTF-8", "\x81\x02\xff\xfe", 4 },
		{ "a long text", "\x81\x7e\x00\x7e", 4 },
		{ "data", "\x82\x02hi", 4 },
	};
	char filler[126];
	struct rig r;
	size_t i;
	int ours;

	memset(filler, 'x', sizeof(filler));
	for (i = 0; i < sizeof(what) / sizeof(what[0]); i++)
		for (ours = 0; ours < 2; ours++) {
		rig_begin(&r, rig_config(CLIENT, INETWS, WIN));
		if (ours) {
			tunnel_stream_failed(&r.t);
			rig_pump(&r);
		} else
			rig_line(&r, "rst");
		rig_feed(&r, what[i].bytes, what[i].len);
		if (what[i].bytes[1] == 0x7e)
			rig_feed(&r, filler, sizeof(filler));
		rig_close(&r, 1000);
		rig_wire_eof(&r);
		ok(r.t.wire == WIRE_CLOSED && r.done, "behind %s rst: %s",
		    ours ? "our" : "their", what[i].name);
		rig_end(&r);
	}
}

/* A process that slept while it could not read is no silent peer. */
static void
test_slept(void)
{
	struct tunnel_config cfg = rig_config(SERVER, PLAIN, 0);
	static uint8_t big[TUNNEL_SLACK];
	struct rig r;

	cfg.ping_interval = 1000;
	cfg.ping_timeout = 2000;
	rig_begin(&r, cfg);
	r.t.answered = 1;
	r.stream_stuck = 1;
	while (rig_wants(&r, TUNNEL_READ_WIRE))
		rig_frame(&r, 0x82, big, 60000);
	tunnel_now(&r.t, r.now + 60000);
	r.stream_stuck = 0;
	rig_pump(&r);
	ok(rig_wants(&r, TUNNEL_READ_WIRE), "(it reads again)");
	tunnel_tick(&r.t);
	is(r.t.end, TUNNEL_GOING, "time in which we did not read is no silence");
	rig_end(&r);
}

/* No frame is so long that a Ping or an ack waits for it. */
static void
test_frame_length(void)
{
	static uint8_t big[1 << 19];
	struct tunnel_config cfg = rig_config(SERVER, INETWS, 1 << 19);
	struct sent_frame f;
	struct rig r;
	size_t most = 0;

	rig_begin(&r, cfg);
	rig_stream(&r, big, sizeof(big));
	while (rig_next(&r, &f) == 1)
		if (f.len > most)
			most = f.len;
	is(most, 131072, "frames have 128 KiB at most");
	rig_end(&r);

}

/* The server ends the connection first (RFC 6455 7.1.1). */
static void
test_who_ends_first(void)
{
	struct rig r;
	int client;

	for (client = 0; client < 2; client++) {
		rig_begin(&r, rig_config(client, INETWS, 0));
		rig_stream_eof(&r);
		rig_line(&r, "eof 0");
		rig_line(&r, "ack 0");
		rig_close(&r, 1000);
		ok(r.finished == !client, client ? "a client waits" :
		    "a server ends the connection");
		if (client) {
			is(rig_deadline(&r), 2000, "for two seconds");
			rig_at(&r, 2000);
			ok(r.done && r.t.end == TUNNEL_ENDED, "and no longer");
		}
		rig_end(&r);
	}
}

int
main(void)
{
	test_reset_behind_both_ends();
	test_close_too_early();
	test_lost_about_close();
	test_fault_behind_confirmed();
	test_stopped();
	test_idle_while_lost();
	test_behind_rst();
	test_slept();
	test_frame_length();
	test_who_ends_first();
	return done_testing();
}
