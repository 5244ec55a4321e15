/* SPDX-License-Identifier: ISC */
/*
 * Text messages to a plain peer: whole characters, whatever the stream's pieces
 * are, and an end that is told where it is none.
 *
 * If it fails: a peer that wants text gets half a character.
 */
#include "tunnel/rig.h"

enum { SERVER, CLIENT };

static struct tunnel_config
config(int client)
{
	struct tunnel_config cfg = rig_config(client, 0, 0);

	cfg.text = 1;
	return cfg;
}

static void
test_characters(int client)
{
	const char *name = client ? "client" : "server";
	struct rig r;

	rig_begin(&r, config(client));
	rig_stream(&r, "plain", 5);
	ok(rig_sent(&r, 1, "plain"), "%s: a text message", name);
	rig_stream(&r, "\xc3", 1);
	ok(rig_silent(&r), "half a character waits");
	rig_stream(&r, "\xa4z", 2);
	ok(rig_sent(&r, 1, "\xc3\xa4z"), "for its other half");
	rig_stream(&r, "a\xf0\x9f", 3);
	ok(rig_sent(&r, 1, "a"), "what is whole goes on");
	rig_stream(&r, "\x98", 1);
	ok(rig_silent(&r), "a quarter is missing");
	rig_stream(&r, "\x80", 1);
	ok(rig_sent(&r, 1, "\xf0\x9f\x98\x80"), "and is there");
	rig_stream_eof(&r);
	rig_close(&r, 1000);
	ok(rig_sent_close(&r, 1000), "a clean end");
	rig_end(&r);
}

/* Frames of 125 bytes; characters of three do not fit evenly. */
static void
test_frames(void)
{
	struct tunnel_config cfg = config(SERVER);
	struct sent_frame f;
	struct rig r;
	char text[900];
	size_t i, total = 0, bad = 0;

	cfg.frame_max = 125;
	for (i = 0; i < sizeof(text); i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3);
	rig_begin(&r, cfg);
	rig_stream(&r, text, sizeof(text));
	while (rig_next(&r, &f) == 1) {
		bad += f.opcode != 1 || f.len % 3 != 0 || f.len > 125 ||
		    !f.fin;
		total += f.len;
	}
	is(total, sizeof(text), "all of it");
	is(bad, 0, "in frames of whole characters");
	rig_end(&r);
}

static void
test_broken(void)
{
	static const char *const bad[] = { "\xff", "\xc0\x80", "\xed\xa0\x80",
	    "\xf4\x90\x80\x80", "\xc3(" };
	struct rig r;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rig_begin(&r, config(SERVER));
		rig_stream(&r, bad[i], strlen(bad[i]));
		ok(rig_sent_close(&r, 1007) && r.reset, "%zu: 1007, reset", i);
		is(r.t.end, TUNNEL_STREAM_RESET, "for the stream's fault");
		rig_end(&r);
	}
	rig_begin(&r, config(CLIENT));
	rig_stream(&r, "end\xe2\x82", 5);
	ok(rig_sent(&r, 1, "end"), "the whole ones");
	rig_stream_eof(&r);
	ok(rig_sent_close(&r, 1007) && r.reset, "an end within a character");
	rig_end(&r);
}

int
main(void)
{
	test_characters(SERVER);
	test_characters(CLIENT);
	test_frames();
	test_broken();
	return done_testing();
}
