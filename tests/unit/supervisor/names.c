/* SPDX-License-Identifier: ISC */
/*
 * How long a name of --visitors-dir keeps its socket.
 *
 * If it fails: visitors of an agent that is on its way back find no socket, or
 * sockets of agents that are gone stay for ever.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "supervisor/names.h"
#include "supervisor/visitor.h"
#include "tap.h"

static char dir[] = "/tmp/names-XXXXXX";
static struct event_set events;
static struct error why;

static int
has_socket(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s.sock", dir, name);
	return access(path, F_OK) == 0;
}

/* queue: --queue; ms: how long it has to stay. */
static void
test_leaving(struct options *o, int64_t queue, int64_t ms)
{
	static const struct inherited given;
	struct names n = { 0 };
	int name;

	o->reverse.queue = queue;
	ok(names_begin(&n, o, &given, &events, 2, &why) == 0, "--queue %lld",
	    (long long)queue);
	name = names_listen(&n, "one", 1000, &why);
	ok(name != NAME_NONE && has_socket("one"), "a name has a socket");
	is(names_time(&n), 1000 + ms, "without an agent not for ever");
	names_add_agent(&n, name);
	is(names_time(&n), CLOCK_NEVER, "with one it stays");
	names_add_agent(&n, name);
	names_remove_agent(&n, name, 5000);
	is(names_time(&n), CLOCK_NEVER, "with another one, too");
	names_remove_agent(&n, name, 7000);
	is(names_time(&n), 7000 + ms, "behind the last one its time begins");
	is(names_expire(&n, 7000 + ms - 1), NAME_NONE, "it is not over");
	ok(has_socket("one"), "so it has its socket");
	is(names_expire(&n, 7000 + ms), name, "now it is");
	ok(!has_socket("one"), "and the socket is gone");
	is(names_time(&n), CLOCK_NEVER, "nothing is left");
	names_stop(&n, 0);
	names_end(&n);
}

int
main(void)
{
	struct options o;

	memset(&o, 0, sizeof(o));
	if (mkdtemp(dir) == NULL || event_open(&events) == -1)
		return 1;
	o.mode = MODE_GATE;
	o.reverse.visitors_dir = dir;
	test_leaving(&o, 30000, 30000);
	test_leaving(&o, 500, 500);
	test_leaving(&o, 0, 60000);
	rmdir(dir);
	return done_testing();
}
