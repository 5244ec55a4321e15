/* SPDX-License-Identifier: ISC */
/*
 * Limits that fit into the descriptors there may be, and what is shown of a
 * supervisor: ps(1), the service manager, the log.
 *
 * If it fails: an instance with few descriptors serves less than it could, or
 * runs out of them; or it is shown as another one.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "apart.h"
#include "connection/waiting.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/log.h"
#include "os/title.h"
#include "supervisor/internal.h"
#include "seen.h"
#include "tap.h"

static char prog[] = "prog", word[] = "arg";
static char *program[] = { prog, word, NULL };
static struct supervisor sup;
static struct options options;
static struct service service;
static unsigned int spares;

static int
serve_extra(void *arg, int fd, const char *peer, int channel)
{
	return 0;
}

static void
begin(void)
{
	memset(&sup, 0, sizeof(sup));
	memset(&options, 0, sizeof(options));
	memset(&service, 0, sizeof(service));
	sup.o = &options;
	sup.service = &service;
	sup.notify.fd = -1;
	options.mode = MODE_SERVER;
	children_begin(&sup.children);
}

static void
end(void)
{
	children_end(&sup.children);
	handshake_limit_end(&sup.handshakes);
	queue_end(&sup.queue);
}

/* Descriptors that there always are for one listener, without children. */
#define LEAST	(FD_KEPT + 5 + 1)

/* What a supervisor uses when all of it is used. */
static unsigned int
used(void)
{
	const struct limits *f = &sup.fits;
	unsigned int n = FD_KEPT + 5 + sup.nlisteners;

	if (options.observe.metrics != NULL)
		n += INHERIT_EXTRA_FDS;
	n += options.service.pidfile != NULL;
	n += 2 * (options.mode == MODE_CLIENT || options.mode == MODE_AGENT);
	n += f->extras + 2 * f->spares + f->visitors + f->names;
	n += service.parks ? 2 * f->connections : 0;
	return n + (f->ahead > 0 ? AHEAD_DESCRIPTORS : 0);
}

/* The largest limit that lets it begin, and how it is divided. */
static int
fits(int kind, unsigned int limit)
{
	static const struct addr some = { .kind = ADDR_TCP };
	int least, before;

	begin();
	sup.nlisteners = 1;
	sup.descriptor_limit = limit;
	options.limits.connections = 100;
	options.reverse.max_waiting = 8;
	if (kind & 1)
		service.serve_extra = serve_extra;
	if (kind & 2) {
		service.spares = &spares;
		spares = 4;
	}
	if (kind & 4) {
		service.parks = 1;
		options.mode = MODE_GATE;
		options.reverse.visitors = &some;
	}
	if (kind & 8)
		options.reverse.visitors_dir = "x";
	if (kind & 16) {
		options.observe.metrics = &some;
		options.service.pidfile = "x";
		options.mode = MODE_CLIENT;
	}
	least = accept_limits(&sup);
	before = (int)sup.fits.connections;
	end();
	if (least < 0 || before < 1 || before > 100)
		return -1;
	if ((unsigned int)least > limit)
		return 0;		/* it does not begin */
	return used() <= limit ? 1 : -2;
}

static void
test_fits(void)
{
	unsigned int limit;
	int kind, r, begun, bad = 0;

	for (kind = 0; kind < 32; kind++)
		for (limit = 1, begun = 0; limit < 3000; limit += limit < 200 ?
		    1 : 37) {
			r = fits(kind, limit);
			if (r < 0 || (begun && r == 0)) {
				fprintf(stderr, "# kind %d limit %u: %d, %u "
				    "used\n", kind, limit, r, used());
				bad++;
			}
			begun |= r;
		}
	is(bad, 0, "what is used fits, whatever the limit is");
}

/* With plenty of descriptors each kind has what it wants. */
static void
test_plenty(void)
{
	int kind;

	for (kind = 0; kind < 16; kind++) {
		is(fits(kind, 1000000), 1, "it fits");
		is(sup.fits.connections, 100, "connections");
		is(sup.fits.extras, kind & 1 ? SUPERVISOR_EXTRA : 0, "extras");
		is(sup.fits.spares, kind & 2 ? 4 : 0, "spares");
		is(sup.fits.visitors, kind & 12 ? 100 : 0, "visitors");
		is(sup.fits.names, kind & 8 ? NAMES_MAX : 0, "names");
		is(sup.fits.ahead, kind & 6 ? 0 : AHEAD_MAX, "forked ahead");
	}
	begin();
	options.program = program;
	sup.nlisteners = 1;
	sup.descriptor_limit = 100000;
	accept_limits(&sup);
	is(sup.fits.connections, 1, "at least one");
	is(sup.fits.ahead, 0, "a program needs a process of its own");
	end();
	begin();
	sup.descriptor_limit = 100000;
	accept_limits(&sup);
	is(sup.fits.ahead, 0, "without listeners there is nothing to wait for");
	end();
	begin();
	options.limits.connections = 5;
	options.reverse.max_waiting = 77;
	options.reverse.visitors_dir = "x";
	sup.descriptor_limit = 100000;
	accept_limits(&sup);
	is(sup.fits.visitors, 77, "as many visitors as one name may have");
	end();
}

/* Children that are forked ahead need six; the limit where they begin to fit. */
static void
test_ahead(void)
{
	fits(0, LEAST + AHEAD_DESCRIPTORS - 1);
	is(sup.fits.ahead, 0, "no room for those");
	fits(0, LEAST + AHEAD_DESCRIPTORS);
	is(sup.fits.ahead, AHEAD_MAX, "room for them");
	fits(1, LEAST + 1 + 15);
	is(sup.fits.extras, 1, "one extra child");
	fits(1, LEAST + 1 + 16);
	is(sup.fits.extras, 2, "and one more for each sixteen");
	fits(2, LEAST + 2 + 1);
	is(sup.fits.spares, 1, "a spare takes two");
	fits(2, LEAST + 2 + 2);
	is(sup.fits.spares, 2, "each");
}

/* The example that is told where it is computed. */
static void
test_example(void)
{
	static const struct addr some = { .kind = ADDR_TCP };
	int least;

	begin();
	sup.nlisteners = 1;
	service.parks = 1;
	options.mode = MODE_GATE;
	options.limits.connections = 100000;
	options.reverse.visitors = &some;
	options.reverse.visitors_dir = "x";
	sup.descriptor_limit = LEAST + 2 + 1 + 1 + 900;
	least = accept_limits(&sup);
	is(least, LEAST + 4, "what a gate needs at least");
	is(sup.fits.connections, 226, "connections");
	is(sup.fits.visitors, 226, "visitors");
	is(sup.fits.names, 226, "names");
	end();
}

static int
tells(void)
{
	char want[200];

	seen_begin();
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	fits(6, LEAST + 20);
	if (!was_seen("level=warn event=few-descriptors limit="))
		return 1;
	begin();
	sup.nlisteners = 1;
	service.parks = 1;
	options.mode = MODE_GATE;
	options.limits.connections = 10;
	sup.descriptor_limit = LEAST + 19;
	accept_limits(&sup);
	end();
	snprintf(want, sizeof(want), "limit=%d needed=%d max-connections=9 "
	    "hint=\"raise ulimit -n or LimitNOFILE=\"\n", LEAST + 19, LEAST + 20);
	if (!was_seen(want))
		return 2;
	begin();
	sup.nlisteners = 1;
	service.parks = 1;
	options.mode = MODE_GATE;
	options.limits.connections = 10;
	sup.descriptor_limit = LEAST + 20;
	accept_limits(&sup);
	end();
	return was_seen("few-descriptors") ? 3 : 0;
}

/* --- what is shown --- */

static int
listener(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) == -1 ||
	    listen(fd, 5) == -1)
		abort();
	return fd;
}

static void
test_name(void)
{
	char err[200];
	char a[NET_NAME_MAX], b[NET_NAME_MAX], want[400];
	struct stats_about about;

	begin();
	sup.listener[0] = listener();
	sup.listener[1] = listener();
	net_local_name(sup.listener[0], a, sizeof(a));
	net_local_name(sup.listener[1], b, sizeof(b));
	sup.nlisteners = 2;
	addr_target(&options.target, "h:22", err, sizeof(err));
	show_name(&sup);
	snprintf(want, sizeof(want), "inetws server: %s,%s -> h:22", a, b);
	is_str(sup.shown.name, want, "listeners and target");
	sup.fits.connections = 7;
	about = show_about(&sup);
	is_str(about.name, want + strlen("inetws server: "), "for status");
	is_str(about.mode, "server", "and its mode");
	is(about.max, 7, "and its limit");
	options.program = program;
	sup.nlisteners = 1;
	show_name(&sup);
	snprintf(want, sizeof(want), "inetws server: %s -> prog", a);
	is_str(sup.shown.name, want, "a program");
	options.mode = MODE_GATE;
	show_name(&sup);
	snprintf(want, sizeof(want), "inetws gate: %s -> visitors", a);
	is_str(sup.shown.name, want, "a gate");
	options.mode = MODE_CLIENT;
	url_parse(&options.url, "wss://u:secret@h/a", err, sizeof(err));
	show_name(&sup);
	snprintf(want, sizeof(want), "inetws client: %s -> wss://h/a", a);
	is_str(sup.shown.name, want, "a client, without its secret");
	options.mode = MODE_AGENT;
	options.program = NULL;
	sup.nlisteners = 0;
	show_name(&sup);
	is_str(sup.shown.name, "inetws agent: wss://h/a -> h:22",
	    "an agent: its gate");
	close(sup.listener[0]);
	close(sup.listener[1]);
	end();
}

static int
said(int fd, const char *want)
{
	char text[300];
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[n > 0 ? n : 0] = '\0';
	return strcmp(text, want) == 0;
}

/* The service manager is told what is new, and less often while nothing is. */
static int
notifies(void)
{
	static const struct stats_about about = { "server", "a", 2 };
	int pair[2], i;
	int64_t every = 5000;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == -1 ||
	    stats_create(NULL, 2, &about) == -1)
		return 1;
	begin();
	sup.phase = SERVING;
	sup.notify.fd = pair[1];
	children_grow(&sup.children, 2);
	if (show_time(&sup) != CLOCK_NEVER)
		return 2;
	sup.shown.changed = 1;
	sup.shown.next = 400;
	if (show_time(&sup) != 400)
		return 3;
	show_tend(&sup, 399);
	if (!said(pair[0], ""))
		return 4;
	show_tend(&sup, 400);
	if (!said(pair[0], "STATUS=0 active, 0 total, 0 B") ||
	    sup.shown.changed || sup.shown.next != 1400 ||
	    show_time(&sup) != CLOCK_NEVER)
		return 5;		/* nothing can change by itself */
	children_add(&sup.children, 100, 1, -1, 0);
	sup.shown.changed = 1;
	stats_prepare(1);
	stats_take(1, STATE_OPEN);
	stats_mine->counts.up = 1500;
	stats_mine->counts.down = 500;
	show_tend(&sup, 1400);
	if (!said(pair[0], "STATUS=1 active, 1 total, 2.0 kB") ||
	    show_time(&sup) != 1400 + 5000)
		return 6;
	for (i = 0; i < 10; i++) {
		show_tend(&sup, sup.shown.refresh);
		every = every * 2 > 320000 ? 320000 : every * 2;
		if (!said(pair[0], "") || sup.shown.refresh_every != every)
			return 7;
	}
	stats_mine->counts.up++;
	sup.phase = SERVING + 1;
	show_tend(&sup, sup.shown.refresh);
	if (!said(pair[0], "STATUS=1 active, 1 total, 2.0 kB, draining") ||
	    sup.shown.refresh_every != 5000)
		return 8;
	return 0;
}

static int
left_out(void)
{
	seen_begin();
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	begin();
	sup.phase = SERVING;
	failure_lines_ended(&sup.failures, 0, 1, 5500);
	failure_lines_ended(&sup.failures, 0, 1, 5500);
	if (show_time(&sup) != 6000)
		return 1;
	show_tend(&sup, 5999);
	if (was_seen("failures"))
		return 2;
	show_tend(&sup, 6000);
	if (!was_seen("level=warn event=failures-left-out count=2\n") ||
	    show_time(&sup) != CLOCK_NEVER)
		return 3;
	show_tend(&sup, 7000);
	return was_seen("failures") ? 4 : 0;
}

static int
announces(void)
{
	char name[NET_NAME_MAX], want[1000];

	seen_begin();
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	begin();
	options.service.sandbox = SANDBOX_OFF;
	sup.listener[0] = listener();
	sup.nlisteners = 1;
	net_local_name(sup.listener[0], name, sizeof(name));
	show_name(&sup);
	show_addresses(&sup);
	snprintf(want, sizeof(want), "listening on %s\n", name);
	if (!was_seen(want))
		return 1;
	log_style(LOG_JSON, 0);
	show_addresses(&sup);
	snprintf(want, sizeof(want), "\"event\":\"listening\",\"address\":\"%s\","
	    "\"name\":\"%s\",\"version\":\"%s\",\"msg\":\"listening on %s as "
	    "server\"}\n", name, sup.shown.name + 7, INETWS_VERSION, name);
	if (!was_seen(want))
		return 2;
	log_open(LOG_TO_STDERR, LOG_L_WARN, NULL);
	show_addresses(&sup);
	snprintf(want, sizeof(want), "listening on %s\n", name);
	return was_seen(want) ? 0 : 3;
}

/* A line about a limit is written every ten seconds at most. */
static int64_t now = 100000;

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	ts->tv_sec = now / 1000;
	ts->tv_nsec = now % 1000 * 1000000;
	return 0;
}

static int
complains(void)
{
	int pair[2];
	char c;

	seen_begin();
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	begin();
	accept_count_refused(&sup);
	accept_at_limit(&sup, "max-connections", 7);
	if (!was_seen("level=warn event=at-limit max-connections=7 "
	    "refused=1\n"))
		return 1;
	accept_count_refused(&sup);
	now += 9999;
	accept_at_limit(&sup, "max-connections", 7);
	if (was_seen("at-limit"))
		return 2;
	now++;
	accept_at_limit(&sup, "max-handshakes", 8);
	if (!was_seen("at-limit max-handshakes=8 refused=2\n") ||
	    stats_mine->counts.refused != 2)
		return 3;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		return 4;
	accept_refuse(&sup, pair[1]);	/* the mode has no answer */
	return sup.nrefused == 3 && read(pair[0], &c, 1) == 0 &&
	    fcntl(pair[1], F_GETFD) == -1 ? 0 : 5;
}

int
main(void)
{
	int kept = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);

	/* The log would keep a pipe that is there at first. */
	if (waiting_begin() == -1 || dup2(null, STDERR_FILENO) == -1)
		abort();
	log_open(LOG_TO_NOWHERE, LOG_L_ERROR, NULL);
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(null);
	test_fits();
	test_plenty();
	test_ahead();
	test_example();
	is(run(tells), 0, "what does not fit is told");
	test_name();
	is(run(notifies), 0, "the service manager");
	is(run(left_out), 0, "failures that were not logged");
	is(run(announces), 0, "addresses");
	is(run(complains), 0, "limits that are reached");
	return done_testing();
}
