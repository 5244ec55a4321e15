/* SPDX-License-Identifier: ISC */
/*
 * Streams that come later: park and serve, at either side.
 *
 * If it fails: a visitor of a gate gets no answer, or that of another one.
 */
#include "tunnel/rig.h"

#define WIN	1000
#define ADDR	"192.0.2.1:4711"

/* Who dials and who asks; with or without a session. */
static void
begin(struct rig *r, int client, enum tunnel_role role, uint32_t win)
{
	struct tunnel_config cfg = rig_config(client, 1, win);

	cfg.role = role;
	cfg.ping_interval = 1000;
	cfg.ping_timeout = 2500;
	rig_begin(r, cfg);
	rig_pump(r);
}

static const char *
name(int client, enum tunnel_role role)
{
	return role == TUNNEL_ASKS ? client ? "warm client" : "gate" :
	    client ? "agent" : "parking server";
}

static void
test_waits(void)
{
	struct rig r;
	int client, role;

	for (client = 0; client < 2; client++)
		for (role = TUNNEL_ASKS; role <= TUNNEL_SERVES; role++) {
		begin(&r, client, role, WIN);
		ok(tunnel_waits(&r.t) && rig_silent(&r) &&
		    !rig_wants(&r, TUNNEL_READ_STREAM | TUNNEL_GET_STREAM) &&
		    rig_wants(&r, TUNNEL_READ_WIRE), "%s waits",
		    name(client, role));
		rig_at(&r, 1000);
		ok(rig_sent(&r, 9, NULL), "and pings");
		rig_frame(&r, 0x89, "?", 1);
		ok(rig_sent(&r, 10, "?"), "and answers pings");
		rig_at(&r, 3600);
		ok(r.done && r.t.end == TUNNEL_PING_TIMEOUT && !r.lost &&
		    !r.reset, "no session can have begun: a dead wire ends it");
		rig_end(&r);

		begin(&r, client, role, WIN);
		rig_close(&r, 1000);
		ok(rig_sent_close(&r, 1000) && r.t.end == TUNNEL_ENDED,
		    "Close is in order");
		rig_wire_eof(&r);
		ok(r.done && !r.reset && !r.closed, "that was all");
		rig_end(&r);

		begin(&r, client, role, 0);
		tunnel_stop(&r.t, 1001, TUNNEL_STOPPED, "told to end");
		rig_pump(&r);
		ok(rig_sent_close(&r, 1001), "told to end: Close, no rst");
		rig_close(&r, 1000);
		rig_wire_eof(&r);
		ok(r.done && r.t.end == TUNNEL_STOPPED, "and it ends");
		rig_end(&r);
	}
}

/* For the other side it is as if Close and "open" had crossed. */
static void
test_declined(void)
{
	struct rig r;
	uint32_t win;

	for (win = 0; win <= WIN; win += WIN) {
		begin(&r, 1, TUNNEL_SERVES, win);
		rig_line(&r, "open -");
		tunnel_decline(&r.t, "not needed");
		rig_pump(&r);
		ok(rig_sent_close(&r, 1000) && rig_silent(&r),
		    "declined: Close alone");
		ok(!rig_wants(&r, TUNNEL_GET_STREAM) && !r.lost,
		    "and no stream is wanted");
		rig_close(&r, 1000);
		rig_wire_eof(&r);
		ok(r.done && r.t.end == TUNNEL_STOPPED && !r.reset, "that was all");
		rig_end(&r);
	}
}

/* What is told of a stream that cannot be had, and once. */
static void
test_reason(void)
{
	char text[2 * CONTROL_REASON_MAX];
	struct rig r;

	begin(&r, 1, TUNNEL_SERVES, 0);
	rig_line(&r, "open -");
	tunnel_fail(&r.t, "");
	rig_pump(&r);
	ok(rig_sent(&r, 1, "fail failed"), "no reason");
	tunnel_fail(&r.t, "again");
	rig_pump(&r);
	ok(rig_sent_close(&r, 1000) && rig_silent(&r), "then Close, and no more");
	rig_end(&r);
	begin(&r, 1, TUNNEL_SERVES, 0);
	rig_line(&r, "open -");
	tunnel_fail(&r.t, "a\nb\x7f~\xc3");
	rig_pump(&r);
	ok(rig_sent(&r, 1, "fail a?b?~?"), "what no line may hold");
	rig_end(&r);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	begin(&r, 1, TUNNEL_SERVES, 0);
	rig_line(&r, "open -");
	tunnel_fail(&r.t, text);
	is(strlen(r.t.why), CONTROL_REASON_MAX - 1, "one that is too long");
	rig_pump(&r);
	ok(rig_sent(&r, 1, NULL) && rig_sent_close(&r, 1000), "is told, cut");
	rig_end(&r);
}

static void
test_asks(void)
{
	struct rig r;
	int client;
	uint32_t win;

	for (client = 0; client < 2; client++)
		for (win = 0; win <= WIN; win += WIN) {
		begin(&r, client, TUNNEL_ASKS, win);
		r.wire_stuck = 1;
		tunnel_open(&r.t, ADDR);
		rig_pump(&r);
		ok(!rig_wants(&r, TUNNEL_READ_STREAM),
		    "%s: nothing is read before open is on its way",
		    name(client, TUNNEL_ASKS));
		r.wire_stuck = 0;
		rig_pump(&r);
		ok(rig_sent(&r, 1, "open " ADDR) && !tunnel_waits(&r.t),
		    "open is sent");
		ok(rig_wants(&r, TUNNEL_READ_STREAM) == client,
		    client ? "the stream is read at once" :
		    "the stream waits for ok");
		if (client)
			rig_stream(&r, "hello", 5);
		rig_line(&r, "ok");
		rig_line(&r, "ok");
		if (!client)
			rig_stream(&r, "hello", 5);
		ok(rig_sent(&r, 2, "hello"), "what it sends goes out");
		rig_frame(&r, 0x82, "reply", 5);
		ok(rig_got(&r, "reply"), "what comes is delivered");
		rig_line(&r, "eof 5");
		rig_stream_eof(&r);
		rig_line(&r, "ack 5");
		rig_close(&r, 1000);
		rig_wire_eof(&r);
		ok(r.done && r.t.end == TUNNEL_ENDED && r.closed,
		    "it ends well");
		rig_end(&r);

		begin(&r, client, TUNNEL_ASKS, win);
		tunnel_open(&r.t, "-");
		rig_pump(&r);
		rig_line(&r, "fail connection refused");
		ok(r.reset && r.t.end == TUNNEL_PEER_RESET &&
		    strcmp(r.t.why, "connection refused") == 0,
		    "fail: a reset");
		ok(rig_sent(&r, 1, "open -") && rig_sent_close(&r, 1000),
		    "and Close");
		rig_end(&r);

		begin(&r, client, TUNNEL_ASKS, win);
		tunnel_open(&r.t, ADDR);
		rig_pump(&r);
		tunnel_stream_failed(&r.t);
		rig_pump(&r);
		ok(r.reset && rig_sent(&r, 1, "open " ADDR) &&
		    rig_sent(&r, 1, "rst") && rig_sent_close(&r, 1000),
		    "the visitor leaves before ok: rst");
		rig_end(&r);
	}
}

/* The gate's visitor has not been touched: it may go elsewhere. */
static void
test_returned(void)
{
	struct rig r;
	int how;

	for (how = 0; how < 5; how++) {
		begin(&r, 0, TUNNEL_ASKS, how & 1 ? WIN : 0);
		rig_frame(&r, 0x8a, "", 0);
		tunnel_open(&r.t, ADDR);
		rig_pump(&r);
		if (how == 0)
			rig_wire_eof(&r);
		else if (how == 1) {
			tunnel_wire_failed(&r.t);
			rig_pump(&r);
		} else if (how == 2)
			rig_close(&r, 1000);
		else if (how == 3)
			rig_close(&r, 1001);
		else
			rig_frame(&r, 0x82, "too early", 9);
		ok(rig_wants(&r, TUNNEL_RETURN_STREAM) && !r.reset,
		    "case %d: the stream is given back", how);
		tunnel_stream_closed(&r.t);
		rig_pump(&r);
		rig_at(&r, 100000);
		ok(r.done && r.t.end != TUNNEL_ENDED && !r.lost,
		    "and the wire ends");
		rig_end(&r);
	}
	begin(&r, 0, TUNNEL_ASKS, WIN);
	r.t.cfg.ping_timeout = 0;
	tunnel_open(&r.t, ADDR);
	rig_at(&r, 4999);
	ok(!rig_wants(&r, TUNNEL_RETURN_STREAM) && rig_deadline(&r) == 5000,
	    "five seconds for ok");
	rig_at(&r, 5000);
	ok(rig_wants(&r, TUNNEL_RETURN_STREAM), "and no more");
	is(r.t.end, TUNNEL_PING_TIMEOUT, "no sign of life");
	is_str(r.t.why, "no answer to open", "and why");
	rig_line(&r, "ok");
	ok(rig_wants(&r, TUNNEL_RETURN_STREAM), "late is too late");
	rig_end(&r);

	begin(&r, 0, TUNNEL_ASKS, WIN);
	tunnel_open(&r.t, ADDR);
	rig_pump(&r);
	rig_line(&r, "ok");
	rig_wire_eof(&r);
	ok(r.lost && !rig_wants(&r, TUNNEL_RETURN_STREAM),
	    "behind ok there is a session to resume");
	rig_end(&r);

	begin(&r, 0, TUNNEL_ASKS, WIN);
	tunnel_open(&r.t, ADDR);
	rig_pump(&r);
	rig_line(&r, "fail no");
	is(r.t.end, TUNNEL_PEER_RESET, "fail: a reset");
	rig_close(&r, 1000);
	is(r.t.peer_code, 1000, "and the Close behind it is read");
	rig_end(&r);
}

static void
test_serves(void)
{
	struct rig r;
	int client;
	uint32_t win;

	for (client = 0; client < 2; client++)
		for (win = 0; win <= WIN; win += WIN) {
		begin(&r, client, TUNNEL_SERVES, win);
		rig_line(&r, "open " ADDR);
		rig_line(&r, "open " ADDR);
		ok(rig_wants(&r, TUNNEL_GET_STREAM) &&
		    strcmp(r.t.addr, ADDR) == 0, "%s is told the address",
		    name(client, TUNNEL_SERVES));
		if (!client)
			rig_frame(&r, 0x82, "early", 5);
		tunnel_ok(&r.t);
		rig_pump(&r);
		ok(rig_sent(&r, 1, "ok") &&
		    !rig_wants(&r, TUNNEL_GET_STREAM), "and sends ok");
		if (!client)
			ok(rig_got(&r, "early"), "what came is delivered");
		rig_stream(&r, "data", 4);
		if (!client && win > 0)
			ok(rig_sent(&r, 1, "ack 5 1000"), "it is acknowledged");
		ok(rig_sent(&r, 2, "data"), "data flows");
		rig_end(&r);

		begin(&r, client, TUNNEL_SERVES, win);
		rig_line(&r, "open -");
		tunnel_fail(&r.t, "no \xff there");
		rig_pump(&r);
		ok(rig_sent(&r, 1, "fail no ? there") &&
		    rig_sent_close(&r, 1000) && !r.reset,
		    "there is nothing: fail and Close");
		rig_close(&r, 1000);
		rig_wire_eof(&r);
		ok(r.done && r.t.end == TUNNEL_STREAM_RESET, "that is all");
		rig_end(&r);
	}
}

static void
test_resumed(void)
{
	struct rig r;

	begin(&r, 0, TUNNEL_SERVES, WIN);
	rig_line(&r, "open " ADDR);
	rig_wire_eof(&r);
	ok(r.lost && rig_wants(&r, TUNNEL_GET_STREAM),
	    "park: the session begins with open");
	tunnel_ok(&r.t);
	is(tunnel_resume(&r.t, 0), 0, "resumed");
	rig_pump(&r);
	ok(rig_sent(&r, 1, "ok") && rig_silent(&r), "ok is sent there");
	rig_stream(&r, "data", 4);
	rig_wire_eof(&r);
	tunnel_resume(&r.t, 0);
	rig_pump(&r);
	r.seen = 0;
	ok(rig_sent(&r, 1, "ok") && rig_sent(&r, 2, "data") &&
	    rig_sent(&r, 1, "ok") && rig_sent(&r, 2, "data"),
	    "and again, before what is sent again");
	rig_wire_eof(&r);
	tunnel_resume(&r.t, 2);
	rig_pump(&r);
	ok(rig_sent(&r, 2, "ta") && rig_silent(&r),
	    "not to one who must have read it");
	rig_end(&r);

	begin(&r, 1, TUNNEL_SERVES, WIN);
	rig_line(&r, "open " ADDR);
	rig_wire_eof(&r);
	ok(r.done && !r.lost && r.t.end == TUNNEL_WIRE_LOST,
	    "serve: not before ok");
	rig_end(&r);

	begin(&r, 1, TUNNEL_SERVES, WIN);
	rig_line(&r, "open " ADDR);
	tunnel_ok(&r.t);
	rig_pump(&r);
	rig_wire_eof(&r);
	ok(r.lost && !r.reset, "but from there on");
	rig_end(&r);

	begin(&r, 1, TUNNEL_ASKS, WIN);
	tunnel_open(&r.t, ADDR);
	rig_pump(&r);
	rig_wire_eof(&r);
	ok(r.lost, "a warm client redials from open on");
	tunnel_resume(&r.t, 0);
	rig_pump(&r);
	ok(rig_sent(&r, 1, "open " ADDR) && rig_sent(&r, 1, "open " ADDR),
	    "and repeats it");
	rig_end(&r);

	begin(&r, 1, TUNNEL_ASKS, WIN);
	is(tunnel_resume(&r.t, 0), -1, "what has not begun is not resumed");
	rig_end(&r);
}

/* What each side may not hear when. */
static const struct {
	int client;
	enum tunnel_role role;
	const char *lines[4];	/* "=x" is data; "!" what we do then */
} faults[] = {
	{ 0, TUNNEL_JOINED, { "open -" } },
	{ 1, TUNNEL_JOINED, { "ok" } },
	{ 1, TUNNEL_JOINED, { "fail x" } },
	{ 0, TUNNEL_SERVES, { "=x" } },
	{ 0, TUNNEL_SERVES, { "eof 0" } },
	{ 0, TUNNEL_SERVES, { "rst" } },
	{ 0, TUNNEL_SERVES, { "ok" } },
	{ 0, TUNNEL_SERVES, { "fail x" } },
	{ 0, TUNNEL_SERVES, { "open nobody" } },
	{ 0, TUNNEL_SERVES, { "open -", "open 192.0.2.1:1" } },
	{ 1, TUNNEL_SERVES, { "=x" } },
	{ 1, TUNNEL_SERVES, { "eof 0" } },
	{ 1, TUNNEL_SERVES, { "rst" } },
	{ 1, TUNNEL_SERVES, { "ok" } },
	{ 1, TUNNEL_SERVES, { "fail x" } },
	{ 1, TUNNEL_SERVES, { "open -", "open 192.0.2.1:1" } },
	{ 1, TUNNEL_SERVES, { "open -", "=x" } },
	{ 1, TUNNEL_SERVES, { "open -", "eof 0" } },
	{ 0, TUNNEL_ASKS, { "open -" } },
	{ 0, TUNNEL_ASKS, { "=x" } },
	{ 0, TUNNEL_ASKS, { "ok" } },
	{ 0, TUNNEL_ASKS, { "fail x" } },
	{ 0, TUNNEL_ASKS, { "!", "=x" } },
	{ 0, TUNNEL_ASKS, { "!", "eof 0" } },
	{ 0, TUNNEL_ASKS, { "!", "ok", "fail x" } },
	{ 1, TUNNEL_ASKS, { "=x" } },
	{ 1, TUNNEL_ASKS, { "ok" } },
	{ 1, TUNNEL_ASKS, { "fail x" } },
	{ 1, TUNNEL_ASKS, { "!", "ok", "fail x" } },
	{ 1, TUNNEL_ASKS, { "!", "=x" } },
	{ 1, TUNNEL_ASKS, { "!", "eof 0" } },
	{ 1, TUNNEL_ASKS, { "!", "ok", "open -" } },
};

static void
test_faults(void)
{
	struct rig r;
	const char *line;
	size_t i, k;

	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		begin(&r, faults[i].client, faults[i].role, WIN);
		for (k = 0; (line = faults[i].lines[k]) != NULL; k++) {
			if (r.t.end != TUNNEL_GOING)
				break;
			if (line[0] == '!') {
				tunnel_open(&r.t, ADDR);
				rig_pump(&r);
			} else if (line[0] == '=')
				rig_frame(&r, 0x82, line + 1,
				    strlen(line + 1));
			else
				rig_line(&r, line);
		}
		ok(line == NULL && r.t.end == TUNNEL_PEER_FAULT &&
		    r.t.close_code == 1002, "fault %zu", i);
		rig_end(&r);
	}
	begin(&r, 0, TUNNEL_SERVES, WIN);
	rig_frame(&r, 0x82, "", 0);
	rig_line(&r, "ack 0 1000");
	is(r.t.end, TUNNEL_GOING, "an empty message and an ack are none");
	rig_end(&r);
}

/* The same conversation in pieces of every size. */
static void
test_chunks(void)
{
	static uint8_t bytes[256];
	struct rig r;
	size_t n = 0, chunk, at, part;

	n += rig_make(bytes + n, 1, 0x89, "?", 1);
	n += rig_make(bytes + n, 1, 0x81, "open " ADDR, 5 + strlen(ADDR));
	n += rig_make(bytes + n, 1, 0x82, "hel", 3);
	n += rig_make(bytes + n, 1, 0x82, "lo", 2);
	n += rig_make(bytes + n, 1, 0x81, "eof 5", 5);
	for (chunk = 1; chunk <= n; chunk++) {
		begin(&r, 0, TUNNEL_SERVES, 0);
		r.morsel = chunk;
		for (at = 0; at < n; at += part) {
			part = n - at < chunk ? n - at : chunk;
			rig_feed(&r, bytes + at, part);
			rig_pump(&r);
			if (rig_wants(&r, TUNNEL_GET_STREAM) && at % 3 == 0)
				tunnel_ok(&r.t);
		}
		if (rig_wants(&r, TUNNEL_GET_STREAM))
			tunnel_ok(&r.t);
		rig_pump(&r);
		rig_at(&r, 200);
		ok(r.t.end == TUNNEL_GOING && rig_got(&r, "hello") &&
		    r.shut && rig_sent(&r, 10, "?") &&
		    rig_sent(&r, 1, "ok") && rig_sent(&r, 1, "ack 5") &&
		    rig_silent(&r), "in pieces of %zu", chunk);
		rig_end(&r);
	}
}

int
main(void)
{
	test_waits();
	test_declined();
	test_reason();
	test_asks();
	test_returned();
	test_serves();
	test_resumed();
	test_faults();
	test_chunks();
	return done_testing();
}
