/* SPDX-License-Identifier: ISC */
/*
 * check: dials as a client would, and tells each step, who is there and how
 * long it takes.  The target is dialled too: what works here works.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "handshake/tls_reload.h"
#include "modes/check/idle.h"
#include "modes/check/judge.h"
#include "modes/check/probe.h"
#include "modes/modes.h"
#include "os/clock.h"
#include "os/random.h"
#include "tls/tls.h"
#include "ws/frame.h"

#define PINGS		5
#define BYE_MS		1000	/* for the peer to send its Close */

static struct check c;
static struct probe probe;

/* A field of the answer for a person, "" if it is not there. */
static void
field(char *dst, size_t size, const struct websocket *w, const char *name)
{
	struct slice value;

	dst[0] = '\0';
	if (w->head != NULL && http_field(w->head, name, &value) == 1)
		str_escape(dst, size, value.p, value.len);
}

/* Since the step before it; -1: it was not done. */
static int64_t
took(const struct websocket *w, enum dial_step step)
{
	int before = step - 1;

	if (w->at[step] == 0)
		return -1;
	while (before > DIAL_BEGUN && w->at[before] == 0)
		before--;
	return w->at[step] - w->at[before];
}

static void
list_addresses(const struct net_found *found)
{
	char name[NET_NAME_MAX];
	int i;

	for (i = 0; found != NULL && i < found->n; i++) {
		if (i > 0)
			strlcat(c.addresses, ", ", sizeof(c.addresses));
		strlcat(c.addresses, net_print((const struct sockaddr *)
		    &found->at[i].ss, found->at[i].len, name, sizeof(name)),
		    sizeof(c.addresses));
	}
}

static void
describe(const struct websocket *w, const struct extension *ours,
    int http_status)
{
	c.find = took(w, DIAL_FOUND);
	c.connect = took(w, DIAL_CONNECTED);
	c.tunnel = took(w, DIAL_TUNNELLED);
	if (w->proxy != NULL)
		strlcpy(c.proxy, w->proxy, sizeof(c.proxy));
	c.tls = took(w, DIAL_SECURED);
	c.upgrade = took(w, DIAL_ANSWERED);
	list_addresses(w->found);
	strlcpy(c.peer, w->via, sizeof(c.peer));
	c.http_status = http_status;
	if (w->redirects > 0)
		strlcpy(c.at, w->name, sizeof(c.at));
	field(c.subprotocol, sizeof(c.subprotocol), w,
	    "Sec-WebSocket-Protocol");
	field(c.server, sizeof(c.server), w, "Server");
	field(c.via, sizeof(c.via), w, "Via");
	c.has_extension = w->has_extension;
	if (!w->has_extension)
		return;
	strlcpy(c.id, ours->id, sizeof(c.id));
	strlcpy(c.peer_id, w->theirs.id, sizeof(c.peer_id));
	c.window = w->theirs.win;
	c.resume_asked = (ours->flags & EXT_RESUME) != 0;
	c.resume = w->theirs.session[0] != '\0';
}

/*
 * A Close with a good code comes from a target that has ended its stream.
 */
static void
closed(void)
{
	char reason[4 * sizeof(probe.reason)];

	c.close = probe.code;
	str_escape(reason, sizeof(reason), probe.reason,
	    strlen(probe.reason));
	strlcpy(c.reason, probe.reason, sizeof(c.reason));
	if (probe.code == CLOSE_NORMAL || probe.code == CLOSE_NONE ||
	    probe.code == CLOSE_GOING_AWAY)
		return;
	error_set(&c.why, probe.code == CLOSE_PROTOCOL ? EXIT_PROTOCOL :
	    EXIT_UNREACHABLE, "the websocket was closed with %u%s%s",
	    probe.code, reason[0] != '\0' ? ": " : "", reason);
}

/* Until the last one, or the end of the websocket; 1 to go on. */
static int
ping(int64_t limit, int64_t *sum)
{
	int64_t begun = clock_us(), us;
	int64_t deadline = clock_after(limit);
	enum probe_event event;

	if (probe_ping(&probe, deadline) == -1) {
		error_set(&c.why, EXIT_LOST, "cannot send a ping: %s",
		    strerror(errno));
		return 0;
	}
	c.pings++;
	do {
		event = probe_wait(&probe, deadline);
	} while (event == PROBE_EOF);
	switch (event) {
	case PROBE_PONG:
		us = clock_us() - begun;
		*sum += us;
		c.pongs++;
		if (c.pongs == 1 || us < c.least)
			c.least = us;
		if (us > c.most)
			c.most = us;
		return 1;
	case PROBE_NOTHING:
	case PROBE_EOF:
		break;
	case PROBE_CLOSE:
		closed();
		break;
	case PROBE_END:
		error_set(&c.why, EXIT_LOST, "the websocket was cut off: %s",
		    errno == 0 ? "it ended without a Close" :
		    strerror(errno));
		break;
	case PROBE_FAULT:
		error_set(&c.why, EXIT_PROTOCOL, "the peer broke a rule: %s",
		    probe.fault);
		break;
	}
	return 0;
}

static void
pings(const struct options *o)
{
	int64_t sum = 0;

	while (c.pings < PINGS && ping(o->timeouts.handshake, &sum))
		;
	if (c.pongs > 0)
		c.mean = sum / c.pongs;
}

static void
look(const struct options *o, struct trust *trust)
{
	struct extension offer = { .win = o->websocket.window,
	    .flags = o->timeouts.resume > 0 ? EXT_RESUME : 0 };
	struct websocket w;
	uint8_t raw[EXTENSION_ID_MAX / 2];
	int status, failed;

	random_bytes(raw, sizeof(raw));
	str_hex(offer.id, raw, sizeof(raw));
	failed = websocket_dial(&w, o, trust, &offer, &status, &c.why) == -1;
	describe(&w, &offer, status);
	if (failed)
		return;
	probe_begin(&probe, &w);
	pings(o);
	if (c.why.status == EXIT_ENDED && c.close == 0)
		probe_end(&probe, clock_ms() + BYE_MS);
	else
		io_close(&probe.io);
}

static int
is_for_person(const struct options *o)
{
	return !o->check.nagios && !o->json;
}

/* What is known is there to be read while the rest takes its time. */
static void
print_steps(int64_t now)
{
	static char text[16384];
	struct out out;

	out_begin(&out, text, sizeof(text));
	check_steps(&out, &c, now);
	fputs(text, stdout);
	fflush(stdout);
}

/* A redirect may lead to TLS; without one a missing TLS file is no error. */
static void
look_with_tls(const struct options *o)
{
	struct trust trust = { tls_reload_make(o, &c.why), NULL };

	if (trust.server == NULL && o->url.tls) {
		if (is_for_person(o))
			print_steps(0);
		return;
	}
	c.why.status = EXIT_ENDED;
	if (trust.server != NULL)
		tls_ctx_watch(trust.server, &c.cert);
	look(o, &trust);
	if (is_for_person(o))
		print_steps(time(NULL));
	if (c.why.status == EXIT_ENDED && o->check.proxy_idle > 0)
		check_idle(&c, o, &trust);
	tls_ctx_free(trust.server);
	tls_ctx_free(trust.proxy);
}

int
check_main(const struct options *o)
{
	static char text[16384];
	struct check_limits limits = { o->check.warn_expiry,
	    o->check.warn_rtt };
	int64_t now;
	struct out out;

	memset(&c, 0, sizeof(c));
	c.find = c.connect = c.tunnel = c.tls = c.upgrade = -1;
	url_print(c.url, sizeof(c.url), &o->url);
	look_with_tls(o);
	now = time(NULL);
	check_judge(&c, &limits, now);
	out_begin(&out, text, sizeof(text));
	if (o->check.nagios)
		check_nagios(&out, &c, &limits, now);
	else if (o->json)
		check_json(&out, &c, now);
	else
		check_result(&out, &c);
	if (fputs(text, stdout) == EOF || fflush(stdout) == EOF ||
	    ferror(stdout)) {
		fprintf(stderr, "inetws: standard output: %s\n",
		    strerror(errno));
		return o->check.nagios ? CHECK_UNKNOWN : EXIT_SYSTEM;
	}
	if (o->check.nagios)
		return (int)check_level(&c);
	if (c.why.status != EXIT_ENDED)
		return c.why.status;
	return c.nwarnings > 0 ? CHECK_PAST_THRESHOLD : EXIT_ENDED;
}
