/* SPDX-License-Identifier: ISC */
/*
 * check: dials as a client would, and tells each step, who is there and how
 * long it takes.  The target is dialled too: what works here works.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "handshake/tls_reload.h"
#include "modes/check/idle.h"
#include "modes/check/judge.h"
#include "modes/check/messages.h"
#include "modes/check/show.h"
#include "modes/modes.h"
#include "os/clock.h"
#include "os/random.h"
#include "tls/tls.h"

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

/* Which step has failed, by what has been done. */
static enum check_step
failed_at(const struct options *o, const struct websocket *w)
{
	struct slice value;

	if (w->at[DIAL_FOUND] == 0)
		return w->at[DIAL_BEGUN] == 0 ? CHECK_STEPS :
		    c.why.status == EXIT_BADUSAGE ? STEP_PROXY : STEP_NAME;
	if (w->at[DIAL_CONNECTED] == 0)
		return STEP_CONNECT;
	if (c.proxy[0] != '\0' && w->at[DIAL_TUNNELLED] == 0)
		return STEP_PROXY;
	if (c.is_tls && w->at[DIAL_SECURED] == 0)
		return STEP_TLS;
	switch (c.http_status) {
	case 0:
	case 401:
	case 403:
	case 407:
		return STEP_ANSWER;
	case 101:
		if (c.subprotocol[0] != '\0' && (o->websocket.subprotocol ==
		    NULL || strstr(o->websocket.subprotocol,
		    c.subprotocol) == NULL))
			return STEP_SUBPROTOCOL;
		return http_field(w->head, "Sec-WebSocket-Extensions",
		    &value) != 0 ? STEP_EXTENSION : STEP_UPGRADE;
	}
	if (c.who == WHO_LOGIN || (c.who == WHO_INETWS &&
	    c.http_status == 503))
		return STEP_ANSWER;
	return c.who == WHO_INETWS && (c.http_status == 502 ||
	    c.http_status == 504) ? STEP_TARGET : STEP_UPGRADE;
}

static void
describe_route(const struct options *o)
{
	static struct route route;
	struct error ignored;

	if (route_find(&route, o, &o->url, &ignored) == -1)
		return;
	c.route = route.reason;
	c.route_by = route.by_name;
	c.unused = c.route == ROUTE_UNNAMED ? route_unused_variable(&o->url) :
	    NULL;
	addr_print(c.host, sizeof(c.host), &route.dial);
}

static void
describe(const struct options *o, const struct websocket *w, int http_status)
{
	c.find = took(w, DIAL_FOUND);
	c.connect = took(w, DIAL_CONNECTED);
	c.tunnel = took(w, DIAL_TUNNELLED);
	if (w->proxy != NULL)
		strlcpy(c.proxy, w->proxy, sizeof(c.proxy));
	c.tls = took(w, DIAL_SECURED);
	c.upgrade = took(w, DIAL_ANSWERED);
	strlcpy(c.peer, w->via, sizeof(c.peer));
	c.http_status = http_status;
	if (w->redirects > 0)
		strlcpy(c.at, w->name, sizeof(c.at));
	c.is_tls = w->redirects > 0 ? strncmp(c.at, "wss", 3) == 0 :
	    o->url.tls;
	c.subprotocol_offered = o->websocket.subprotocol;
	field(c.subprotocol, sizeof(c.subprotocol), w,
	    "Sec-WebSocket-Protocol");
	field(c.server, sizeof(c.server), w, "Server");
	field(c.via, sizeof(c.via), w, "Via");
	check_who(&c, w);
}

/* Asked for no websocket, inetws tells by its answer what it is. */
static int
is_inetws(const struct options *o, struct trust *trust)
{
	struct error why;

	return websocket_look(o, trust, &why) == 426 &&
	    strstr(why.text, "(inetws)") != NULL;
}

static void
describe_extension(const struct options *o, struct trust *trust,
    const struct websocket *w, const struct extension *ours)
{
	if (!w->has_extension) {
		c.extension = is_inetws(o, trust) ? EXTENSION_STRIPPED :
		    EXTENSION_PLAIN;
		return;
	}
	c.extension = EXTENSION_AGREED;
	strlcpy(c.id, ours->id, sizeof(c.id));
	strlcpy(c.peer_id, w->theirs.id, sizeof(c.peer_id));
	c.window = w->theirs.win;
	c.resume_asked = (ours->flags & EXT_RESUME) != 0;
	c.resume = w->theirs.session[0] != '\0';
}

/* What an open websocket shows. */
static void
look_inside(const struct options *o, struct trust *trust,
    const struct extension *ours, const struct extension *theirs)
{
	check_pings(&c, &probe, o);
	check_listen(&c, &probe);
	if (c.why.status == EXIT_ENDED && c.close == 0 &&
	    o->check.test_resume)
		check_resume(&c, &probe, o, trust, ours, theirs);
	if (c.why.status == EXIT_ENDED && c.close == 0)
		check_message(&c, &probe, o);
	if (c.why.status == EXIT_ENDED && c.close == 0)
		probe_end(&probe, clock_ms() + BYE_MS);
	else
		io_close(&probe.io);
	check_target(&c, &probe);
}

static void
describe_command(const struct options *o)
{
	struct out again, left_out;

	out_begin(&again, c.again, sizeof(c.again));
	out_begin(&left_out, c.left_out, sizeof(c.left_out));
	options_repeat(o, MODE_CONNECT, &again, &left_out);
	if (again.cut)
		c.again[0] = '\0';
}

static void
look(const struct options *o, struct trust *trust)
{
	struct extension offer = { .win = o->websocket.window,
	    .flags = o->timeouts.resume > 0 ? EXT_RESUME : 0 };
	struct extension theirs;
	static struct net_found found;
	struct websocket w;
	uint8_t raw[EXTENSION_ID_MAX / 2];
	int status, failed;

	random_bytes(raw, sizeof(raw));
	str_hex(offer.id, raw, sizeof(raw));
	describe_route(o);
	failed = websocket_dial(&w, o, trust, &offer, &status, &c.why) == -1;
	describe(o, &w, status);
	if (failed)
		c.failed_at = failed_at(o, &w);
	if (c.failed_at == STEP_TARGET)
		c.target = TARGET_DEAD;
	found.n = 0;
	if (w.found != NULL)
		found = *w.found;
	if (!failed) {
		theirs = w.theirs;
		probe_begin(&probe, &w);
		describe_extension(o, trust, &w, &offer);
		look_inside(o, trust, &offer, &theirs);
	}
	check_addresses(&c, &found);
}

static int
is_for_person(const struct options *o)
{
	return !o->check.nagios && !o->json;
}

static int
has_colours(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && (no == NULL || no[0] == '\0') &&
	    (term == NULL || strcmp(term, "dumb") != 0);
}

/* What is known is there to be read while the rest takes its time. */
static void
print_steps(const struct options *o, enum check_step from, enum check_step to)
{
	struct check_limits limits = { o->check.warn_expiry,
	    o->check.warn_rtt };
	static char text[16384];
	struct out out;
	int64_t now = time(NULL);

	check_judge(&c, &limits, now);
	if (!is_for_person(o))
		return;
	out_begin(&out, text, sizeof(text));
	if (from == 0)
		out_add(&out, "%s\n", c.url);
	check_show(&out, &c, from, to, now, has_colours());
	fputs(text, stdout);
	fflush(stdout);
}

/* A redirect may lead to TLS; without one a missing TLS file is no error. */
static void
look_with_tls(const struct options *o)
{
	struct trust trust = { tls_reload_make(o, &c.why), NULL };

	if (trust.server == NULL && o->url.tls) {
		c.failed_at = STEP_TLS;
		print_steps(o, 0, CHECK_STEPS);
		return;
	}
	c.why.status = EXIT_ENDED;
	if (trust.server != NULL)
		tls_ctx_watch(trust.server, &c.cert);
	look(o, &trust);
	if (c.why.status == EXIT_ENDED && o->check.proxy_idle > 0) {
		print_steps(o, 0, STEP_IDLE);
		check_idle(&c, o, &trust);
		print_steps(o, STEP_IDLE, CHECK_STEPS);
	} else
		print_steps(o, 0, CHECK_STEPS);
	tls_ctx_free(trust.server);
	tls_ctx_free(trust.proxy);
}

int
check_main(const struct options *o)
{
	static char text[32768];
	struct out out;

	memset(&c, 0, sizeof(c));
	c.failed_at = CHECK_STEPS;
	c.find = c.connect = c.tunnel = c.tls = c.upgrade = -1;
	url_print(c.url, sizeof(c.url), &o->url);
	describe_command(o);
	look_with_tls(o);
	out_begin(&out, text, sizeof(text));
	if (o->check.nagios)
		check_nagios(&out, &c, &c.limits, c.now);
	else if (o->json)
		check_json(&out, &c, c.now);
	else
		check_result(&out, &c, has_colours());
	if (fputs(text, stdout) == EOF || fflush(stdout) == EOF ||
	    ferror(stdout)) {
		fprintf(stderr, "inetws: standard output: %s\n",
		    strerror(errno));
		return o->check.nagios ? CHECK_UNKNOWN : EXIT_SYSTEM;
	}
	if (o->check.nagios)
		return (int)check_level(&c);
	return check_status(&c);
}
