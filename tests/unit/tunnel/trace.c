/* SPDX-License-Identifier: ISC */
/*
 * Each change of a state is told, by its names, before it is made.
 *
 * If it fails: the log at -vv does not show why a tunnel ended.
 */
#include "tunnel/rig.h"

static char told[1024];
static int early;		/* each was told before it was made */

static void
tell(const struct tunnel *t, const char *what, const char *from,
    const char *to)
{
	size_t n = strlen(told);

	snprintf(told + n, sizeof(told) - n, "%s %s %s\n", what, from, to);
	if (strcmp(what, "to-stream") == 0 && strcmp(to, "ended") == 0)
		early = t->in == FLOW_DRAINING;
}

static void
test_ends_well(void)
{
	struct tunnel_config cfg = rig_config(0, 1, 0);
	struct rig r;

	cfg.trace = tell;
	rig_begin(&r, cfg);
	rig_line(&r, "eof 0");
	rig_stream_eof(&r);
	rig_line(&r, "ack 0");
	rig_close(&r, 1000);
	rig_wire_eof(&r);
	is_str(told, "to-stream open draining\n"
	    "to-stream draining ended\n"
	    "from-stream open draining\n"
	    "from-stream draining ended\n"
	    "websocket open close-sent\n"
	    "websocket close-sent closed\n"
	    "end going ended\n"
	    "descriptor up dropped\n"
	    "descriptor dropped gone\n", "all changes of a good end");
	ok(early, "before they are made");
	rig_end(&r);
}

static void
test_session(void)
{
	struct tunnel_config cfg = rig_config(1, 1, 65536);
	struct rig r;

	cfg.trace = tell;
	cfg.role = TUNNEL_ASKS;
	told[0] = '\0';
	rig_begin(&r, cfg);
	tunnel_open(&r.t, "-");
	rig_pump(&r);
	rig_line(&r, "ok");
	rig_wire_eof(&r);
	tunnel_expire(&r.t);
	rig_pump(&r);
	is_str(told, "opening waiting told\n"
	    "opening told flowing\n"
	    "websocket open lost\n"
	    "descriptor up dropped\n"
	    "descriptor dropped gone\n"
	    "session kept over\n"
	    "end going websocket-lost\n"
	    "from-stream open reset\n"
	    "to-stream open reset\n", "and of a session that is given up");
	rig_end(&r);
}

int
main(void)
{
	test_ends_well();
	test_session();
	return done_testing();
}
