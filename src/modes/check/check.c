/* SPDX-License-Identifier: ISC */
/*
 * check: dials as a client does, and tells each step, who answers and how long
 * it takes.  The server dials its target too, so what works here works for a
 * client.
 */
#include <string.h>

#include "handshake/dialer.h"
#include "handshake/tls_reload.h"
#include "modes/check/idle.h"
#include "modes/check/messages.h"
#include "modes/check/tell.h"
#include "modes/modes.h"
#include "os/clock.h"
#include "os/random.h"
#include "os/signals.h"
#include "proto/header.h"
#include "tls/tls.h"

#define BYE_MS		1000	/* for the peer to send its Close */

static struct check c;
static struct probe probe;
static int is_path_known;	/* the first dial has ended */

/* Copies a field of the answer, escaped; "" if there is none. */
static void
field(char *dst, size_t size, const struct websocket *w, const char *name)
{
	struct slice value;

	dst[0] = '\0';
	if (w->head != NULL && http_field(w->head, name, &value) == 1)
		str_escape(dst, size, value.p, value.len);
}

/* The duration of a step, in microseconds; -1: it was not done. */
static int64_t
took(const struct websocket *w, enum dial_step step)
{
	int before = (int)step - 1;

	if (w->at[step] == 0)
		return -1;
	while (before > DIAL_BEGUN && w->at[before] == 0)
		before--;
	return w->at[step] - w->at[before];
}

/* The step of dialling that is under way, by those that are done. */
static enum check_step
path_step(const struct websocket *w)
{
	if (w->at[DIAL_FOUND] == 0)
		return w->at[DIAL_BEGUN] == 0 ? CHECK_STEPS : STEP_NAME;
	if (w->at[DIAL_CONNECTED] == 0)
		return STEP_CONNECT;
	if (c.proxy[0] != '\0' && w->at[DIAL_TUNNELLED] == 0)
		return STEP_PROXY;
	if (c.is_tls && w->at[DIAL_SECURED] == 0)
		return STEP_TLS;
	return STEP_ANSWER;
}

/* Which step has failed. */
static enum check_step
failed_at(const struct options *o, const struct websocket *w)
{
	enum check_step step = path_step(w);
	struct slice value;

	if (step == STEP_NAME && c.why.status == EXIT_BADUSAGE)
		return STEP_PROXY;
	if (step != STEP_ANSWER)
		return step;
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
describe_route(const struct route *r)
{
	if (r->proxy.kind != PROXY_NONE)
		strlcpy(c.proxy, r->name, sizeof(c.proxy));
	c.route = r->reason;
	c.route_by = r->by_name;
	if (c.route != ROUTE_UNNAMED)
		c.unused = NULL;
	addr_print(c.host, sizeof(c.host), &r->dial);
}

/* Copies what is known of the path and of the answer. */
static void
describe(const struct websocket *w)
{
	c.find = took(w, DIAL_FOUND);
	c.connect = took(w, DIAL_CONNECTED);
	c.tunnel = took(w, DIAL_TUNNELLED);
	c.tls = took(w, DIAL_SECURED);
	c.upgrade = took(w, DIAL_ANSWERED);
	if (w->route != NULL)
		describe_route(w->route);
	strlcpy(c.peer, w->via, sizeof(c.peer));
	if (w->redirects > 0)
		strlcpy(c.at, w->name, sizeof(c.at));
	c.is_tls = strncmp(w->name, "wss", 3) == 0;
	if (w->found != NULL)
		check_addresses(&c, w->found);
	c.http_status = w->head != NULL ? w->head->status : 0;
	field(c.subprotocol, sizeof(c.subprotocol), w,
	    "Sec-WebSocket-Protocol");
	field(c.server, sizeof(c.server), w, "Server");
	field(c.via, sizeof(c.via), w, "Via");
	check_who(&c, w);
}

/*
 * A path begins, the first one or that of a redirect: forgets the one before.
 */
static void
begin_path(const struct websocket *w)
{
	c.proxy[0] = c.title[0] = c.who_name[0] = '\0';
	c.who = WHO_UNKNOWN;
	c.addresses = 0;
	memset(&c.cert, 0, sizeof(c.cert));
	describe(w);
	if (w->redirects > 0)
		tell_redirect(&c);
	tell_under_way(&c, STEP_NAME);
}

/*
 * Called when a step of a dial is done.  Only the steps of the first dial are
 * shown.
 */
static void
dial_done(const struct websocket *w, enum dial_step step)
{
	struct error why;

	if (step != DIAL_BEGUN)
		tell_flags();
	if (!is_path_known) {
		if (step == DIAL_BEGUN)
			begin_path(w);
		else if (step < DIAL_ANSWERED) {
			describe(w);
			tell_before(&c, path_step(w));
			tell_under_way(&c, path_step(w));
		} else if (step == DIAL_ANSWERED) {
			describe(w);
			tell_before(&c, STEP_EXTENSION);
		}
	}
	if (step != DIAL_BEGUN && !w->looks_up)
		return;
	error_set(&why, EXIT_AGAIN, "the host of %s was being looked up",
	    w->name);
	tell_at_once(&c, &why);
}

/*
 * The answer of inetws to a request that is not for a websocket has its name.
 */
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
		    signal_terminated() ? EXTENSION_NOT_KNOWN :
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

/* Did a signal come?  Then it stops the step that is under way. */
static int
is_stopped(void)
{
	if (c.stopped == 0 && signal_terminated())
		check_stop(&c, signal_terminated(), clock_us() - c.since);
	return c.stopped != 0;
}

static int
goes_on(void)
{
	return !is_stopped() && c.why.status == EXIT_ENDED && c.close == 0;
}

/* Pings without an answer are judged together with the message, so not here. */
static void
tell_inside(enum check_step end)
{
	if (c.pongs > 0)
		tell_before(&c, end);
}

/* Tries what can be tried over an open websocket. */
static void
look_inside(const struct options *o, struct trust *trust,
    const struct extension *ours, const struct extension *theirs)
{
	tell_under_way(&c, STEP_PING);
	check_pings(&c, &probe, o);
	if (goes_on()) {
		tell_inside(STEP_RESUME);
		tell_under_way(&c, STEP_TARGET);
		check_listen(&c, &probe);
	}
	if (goes_on() && o->check.test_resume) {
		tell_under_way(&c, STEP_RESUME);
		check_resume(&c, &probe, o, trust, ours, theirs);
		if (goes_on())
			tell_inside(STEP_MESSAGE);
	}
	if (goes_on()) {
		tell_under_way(&c, STEP_MESSAGE);
		check_message(&c, &probe, o);
		if (goes_on())
			tell_before(&c, STEP_TARGET);
	}
}

/* Ends the websocket, and judges the target. */
static void
end_inside(void)
{
	if (!is_stopped())
		tell_under_way(&c, STEP_TARGET);
	probe_end(&probe, clock_ms() + BYE_MS);
	check_target(&c, &probe);
	if (c.why.status == EXIT_ENDED)
		tell_step(&c, STEP_TARGET);
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

/* Where the field Authorization comes from. */
static const char *
login_of(const struct options *o)
{
	unsigned int i;

	for (i = 0; i < o->websocket.header.n; i++)
		if (header_has(o->websocket.header.v[i], "Authorization"))
			return "the field Authorization of --header";
	if (o->websocket.user.value == NULL && o->url.user[0] == '\0' &&
	    o->websocket.header_command != NULL)
		return "the field Authorization that --header-command prints";
	return "the user and password: -u @FILE with a line USER:PASSWORD";
}

/* The other addresses of the name. */
static void
look_elsewhere(const struct net_found *found)
{
	if (c.stopped != 0)
		return;
	tell_under_way(&c, CHECK_STEPS);
	if (check_other_addresses(&c, found) == -1) {
		if (c.why.status == EXIT_ENDED)
			error_set(&c.why, EXIT_AGAIN, "the other addresses "
			    "were being tried");
		is_stopped();
	}
	tell_addresses(&c);
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
	c.unused = route_unused_variable(&o->url);
	c.subprotocol_offered = o->websocket.subprotocol;
	websocket_watch(dial_done);
	failed = websocket_dial(&w, o, trust, &offer, &status, &c.why) == -1;
	is_path_known = 1;
	if (trust->server != NULL)
		tls_ctx_watch(trust->server, NULL);
	describe(&w);
	found.n = 0;
	if (w.found != NULL)
		found = *w.found;
	if (failed && !is_stopped()) {
		c.failed_at = failed_at(o, &w);
		options_blame(o, &c.why);
		if (c.failed_at < CHECK_STEPS)
			tell_before(&c, c.failed_at + 1);
	}
	if (c.failed_at == STEP_TARGET)
		c.target = TARGET_DEAD;
	if (!failed) {
		theirs = w.theirs;
		probe_begin(&probe, &w);
		tell_under_way(&c, STEP_EXTENSION);
		describe_extension(o, trust, &w, &offer);
		if (goes_on()) {
			tell_before(&c, STEP_PING);
			look_inside(o, trust, &offer, &theirs);
		}
		end_inside();
	}
	look_elsewhere(&found);
}

/*
 * Nothing is tried with options that no mode would start with.  What is wrong
 * with the way there is told as a step.
 */
static int
begin(struct dialer *d, const struct options *o)
{
	static struct route way;
	struct error why;
	int r;

	error_set(&why, EXIT_AGAIN, "the files of the options were being read");
	tell_at_once(&c, &why);
	r = dialer_begin(d, o, 0, &c.why);
	tell_flags();
	if (r == 0)
		return 0;
	options_blame(o, &c.why);
	if (route_find(&way, o, &o->url, &why) == -1)
		c.failed_at = STEP_PROXY;
	else if (route_check(&way, o, &o->url, &why) == -1) {
		describe_route(&way);
		c.failed_at = STEP_NAME;
	}
	return -1;
}

static void
look_with_tls(const struct options *o, struct dialer *d)
{
	struct trust *trust = dialer_trust(d);
	struct error why;

	/* A redirect may lead to TLS. */
	if (trust->server == NULL)
		trust->server = tls_reload_make(tls_reload_options, o, &why);
	if (trust->server != NULL)
		tls_ctx_watch(trust->server, &c.cert);
	look(o, trust);
	if (c.why.status == EXIT_ENDED && o->check.proxy_idle > 0) {
		tell_before(&c, STEP_IDLE);
		tell_under_way(&c, STEP_IDLE);
		check_idle(&c, o, trust);
	}
}

int
check_main(const struct options *o)
{
	struct dialer d;

	memset(&c, 0, sizeof(c));
	c.failed_at = CHECK_STEPS;
	c.resumed = o->check.test_resume ? RESUME_NOT_TRIED : RESUME_NOT_ASKED;
	c.idle = o->check.proxy_idle > 0 ? IDLE_NOT_TRIED : IDLE_NOT_ASKED;
	c.find = c.connect = c.tunnel = c.tls = c.upgrade = -1;
	url_print(c.url, sizeof(c.url), &o->url);
	describe_command(o);
	c.login = login_of(o);
	tell_begin(&c, o);
	if (begin(&d, o) == 0) {
		look_with_tls(o, &d);
		dialer_end(&d);
	}
	/* A signal since a step was over, as while a websocket was ended. */
	if (c.stopped == 0)
		c.under_way = CHECK_STEPS;
	is_stopped();
	return tell_end(&c);
}
