/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "handshake/attempt.h"
#include "handshake/tls_reload.h"
#include "net/socket.h"
#include "os/clock.h"

#define STUCK_MS	3000	/* a connection that does not get on */
#define LOOK_EVERY	20	/* ms: has a full backlog of a Unix socket room? */

static void
set_state(struct attempt *a, enum attempt_state to)
{
	a->state = to;
	a->moved_at = clock_ms();
}

static int
has_proxy(const struct attempt *a)
{
	return a->route.proxy.kind != PROXY_NONE;
}

int
attempt_blame_proxy(struct attempt *a)
{
	struct error what = a->why;

	return error_set(&a->why, what.status, "%s: %s", a->route.name,
	    what.text);
}

/* The certificate's name: --servername is about the URL's host only. */
static const char *
server_name(const struct attempt *a)
{
	const struct options *o = a->o;

	if (a->state == ATTEMPT_PROXY_TLS)
		return a->route.proxy.at.host;
	return o->tls.servername != NULL && o->tls.servername[0] != '\0' &&
	    url_same_origin(&o->url, a->url) ? o->tls.servername :
	    a->url->at.host;
}

/* Contexts that only a redirect needs, made when it has come. */
static int
make_contexts(struct attempt *a)
{
	struct trust *t = a->trust;

	if (a->url->tls && t->server == NULL &&
	    (t->server = tls_reload_make(tls_reload_options, a->o,
	    &a->why)) == NULL)
		return -1;
	if (a->route.proxy.tls && t->proxy == NULL &&
	    (t->proxy = tls_reload_make(tls_reload_proxy_options, a->o,
	    &a->why)) == NULL)
		return -1;
	return 0;
}

static int
begin_tls(struct attempt *a, enum attempt_state state, struct tls_ctx *ctx)
{
	set_state(a, state);
	a->ctx = ctx;
	a->tls = tls_dial(ctx, a->io.rfd, a->io.wfd, a->io.tls,
	    server_name(a), &a->why);
	return a->tls == NULL ? -1 : 0;
}

static int
begin_proxy(struct attempt *a)
{
	set_state(a, ATTEMPT_PROXY);
	return attempt_proxy_begin(a);
}

static int
begin_server(struct attempt *a)
{
	if (a->url->tls)
		return begin_tls(a, ATTEMPT_TLS, a->trust->server);
	set_state(a, ATTEMPT_UP);
	return 0;
}

/* Another layer over the end. */
static void
secured(struct attempt *a)
{
	char text[128];
	int insecure = a->state == ATTEMPT_TLS ? a->o->tls.insecure :
	    a->o->proxy.insecure;

	a->io.tls = a->tls;
	a->tls = NULL;
	if (a->state == ATTEMPT_TLS)
		a->at[DIAL_SECURED] = clock_us();
	trace_step(&a->trace, "%s, certificate of %s %s",
	    tls_describe(a->io.tls, text, sizeof(text)), server_name(a),
	    insecure ? "not verified" : "verified");
}

/* What the proxy was asked for. */
static void
name_server(struct attempt *a)
{
	char to[ADDR_TEXT_MAX], text[sizeof(to) + 16];

	snprintf(text, sizeof(text), " (asked for %s)", addr_print(to,
	    sizeof(to), &a->route.server));
	strlcat(a->why.text, text, sizeof(a->why.text));
}

static int
blame(struct attempt *a)
{
	if (a->state == ATTEMPT_PROXY_TLS && a->why.status == EXIT_AGAIN)
		strlcat(a->why.text, " (a proxy without TLS is http://)",
		    sizeof(a->why.text));
	if (a->state == ATTEMPT_PROXY_TLS ||
	    (a->state == ATTEMPT_TCP && has_proxy(a)))
		attempt_blame_proxy(a);
	if (a->state == ATTEMPT_PROXY)
		name_server(a);
	if (a->refused == REFUSED_NOT && a->why.status == EXIT_DENIED)
		a->refused = REFUSED_CERTIFICATE;
	io_bye(&a->io);
	set_state(a, ATTEMPT_FAILED);
	return -1;
}

/* Where the last connection went, while the name cannot be looked up. */
static void
use_known(struct attempt *a)
{
	memcpy(&a->found.at[0].ss, a->known, sizeof(*a->known));
	a->found.at[0].len = a->known->sa.sa_family == AF_INET ?
	    sizeof(a->known->in) : sizeof(a->known->in6);
	a->found.n = 1;
}

static int
look_up(struct attempt *a)
{
	const struct route *r = &a->route;
	char text[ADDR_TEXT_MAX];

	trace_step(&a->trace, "dialling %s%s", has_proxy(a) ? "proxy " : "",
	    addr_print(text, sizeof(text), &r->dial));
	a->uses_known = a->skip_lookup && a->known != NULL;
	a->found.from = a->o->dial.interface;
	if (!a->uses_known && net_find_from(&a->found, &r->dial,
	    r->addresses, a->o->dial.interface, a->o->dial.family,
	    &a->why) == -1) {
		if (a->known == NULL || a->why.status != EXIT_AGAIN)
			return -1;
		a->uses_known = 1;
	}
	if (a->uses_known)
		use_known(a);
	a->at[DIAL_FOUND] = clock_us();
	return 0;
}

void
attempt_begin(struct attempt *a, const struct options *o,
    const struct url *url, struct trust *trust, const struct trace *trace,
    int64_t deadline)
{
	memset(a->at, 0, sizeof(a->at));
	a->io = IO_CLOSED;
	a->via[0] = '\0';
	a->uses_known = 0;
	a->refused = REFUSED_NOT;
	a->looks_up = 0;
	a->retry_after = 0;
	a->begun = clock_ms();
	a->deadline = deadline;
	a->o = o;
	a->url = url;
	a->trust = trust;
	a->trace = *trace;
	a->tls = NULL;
	set_state(a, ATTEMPT_NONE);
	if (route_find(&a->route, o, url, &a->why) == -1 ||
	    make_contexts(a) == -1) {
		blame(a);
		return;
	}
	set_state(a, ATTEMPT_TCP);
	if (look_up(a) == -1) {
		blame(a);
		return;
	}
	net_race_begin(&a->race, a->route.dial.host, &a->found);
}

/* The connection is there, and the next layer begins. */
static int
connected(struct attempt *a, int fd)
{
	int r;

	a->at[DIAL_CONNECTED] = clock_us();
	net_tune(fd);
	a->io = io_of(fd);
	trace_step(&a->trace, "connected to %s", a->via);
	r = !has_proxy(a) ? begin_server(a) : a->route.proxy.tls ?
	    begin_tls(a, ATTEMPT_PROXY_TLS, a->trust->proxy) : begin_proxy(a);
	return r == -1 ? -1 : 1;
}

static int
step_unix(struct attempt *a)
{
	int fd = net_dial_unix(&a->route.dial, a->via, &a->why);

	if (fd != -1)
		return connected(a, fd);
	a->look_at = clock_ms() + LOOK_EVERY;
	return errno == EAGAIN ? 0 : -1;
}

static int
step_tcp(struct attempt *a)
{
	int r;

	if (a->route.dial.kind != ADDR_TCP)
		return step_unix(a);
	if ((r = net_race_step(&a->race)) == 0)
		return 0;
	if (r == -1)
		return net_dial_failed(&a->route.dial, a->race.reasons,
		    a->race.status, &a->why);
	net_peer_name(a->race.winner, a->via, sizeof(a->via));
	return connected(a, a->race.winner);
}

static int
step_tls(struct attempt *a)
{
	int r = tls_go_on(a->ctx, a->tls, &a->wait);

	if (r == -1)
		a->tls = NULL;
	if (r != 1)
		return r;
	secured(a);
	if (a->state == ATTEMPT_TLS) {
		set_state(a, ATTEMPT_UP);
		return 1;
	}
	return begin_proxy(a) == -1 ? -1 : 1;
}

static int
step_proxy(struct attempt *a)
{
	char text[ADDR_TEXT_MAX];
	int r = attempt_proxy_step(a);

	if (r != 1)
		return r;
	a->at[DIAL_TUNNELLED] = clock_us();
	trace_step(&a->trace, "%s connects us to %s", a->route.name,
	    addr_print(text, sizeof(text), &a->route.server));
	return begin_server(a) == -1 ? -1 : 1;
}

static int
step(struct attempt *a)
{
	switch (a->state) {
	case ATTEMPT_TCP:
		return step_tcp(a);
	case ATTEMPT_PROXY_TLS:
	case ATTEMPT_TLS:
		return step_tls(a);
	case ATTEMPT_PROXY:
		return step_proxy(a);
	case ATTEMPT_NONE:
	case ATTEMPT_UP:
	case ATTEMPT_FAILED:
		break;
	}
	return 0;
}

int
attempt_step(struct attempt *a)
{
	int r = 1;

	while (r == 1 && a->state != ATTEMPT_UP && a->state != ATTEMPT_FAILED)
		r = step(a);
	if (r == -1)
		blame(a);
	if (r == 0 && clock_ms() >= a->deadline)
		attempt_cancel(a, ETIMEDOUT);
	return a->state == ATTEMPT_UP ? 1 : a->state == ATTEMPT_FAILED ? -1 : 0;
}

int
attempt_holds(const struct attempt *a)
{
	return a->state == ATTEMPT_TCP ? net_race_holds(&a->race) :
	    a->io.rfd == -1 || net_local_holds(a->io.rfd);
}

int
attempt_poll(const struct attempt *a, struct pollfd *p)
{
	if (a->state == ATTEMPT_TCP)
		return net_race_poll(&a->race, p);
	if (a->state == ATTEMPT_PROXY)
		return attempt_proxy_poll(a, p);
	if (a->state == ATTEMPT_TLS || a->state == ATTEMPT_PROXY_TLS)
		*p = a->wait;
	else
		return 0;
	return 1;
}

int64_t
attempt_time(const struct attempt *a)
{
	int64_t next = CLOCK_NEVER;

	if (a->state == ATTEMPT_PROXY)
		next = attempt_proxy_time(a);
	else if (a->state == ATTEMPT_TCP)
		next = a->route.dial.kind == ADDR_TCP ?
		    net_race_time(&a->race) : a->look_at;
	return next < a->deadline ? next : a->deadline;
}

int64_t
attempt_gets_on_until(const struct attempt *a)
{
	if (a->state <= ATTEMPT_TCP)
		return 0;
	return a->state == ATTEMPT_PROXY && attempt_proxy_waits(a) ?
	    a->deadline : a->moved_at + STUCK_MS;
}

void
attempt_cancel(struct attempt *a, int error)
{
	const char *reason = error == EINTR ? "interrupted" : "timed out";

	if (a->state == ATTEMPT_TCP) {
		net_race_end(&a->race, reason);
		if (a->race.status == 0)
			net_dial_failed(&a->route.dial, reason, EXIT_AGAIN,
			    &a->why);
		else
			net_dial_failed(&a->route.dial, a->race.reasons,
			    a->race.status, &a->why);
	} else if (a->tls != NULL) {
		tls_cancel(a->tls, error, &a->why);
		a->tls = NULL;
	} else if (a->state == ATTEMPT_PROXY)
		attempt_proxy_cancel(a, error);
	blame(a);
}

void
attempt_end(struct attempt *a)
{
	struct error why;

	if (a->state == ATTEMPT_TCP)
		net_race_end(&a->race, NULL);
	else if (a->state == ATTEMPT_TLS || a->state == ATTEMPT_PROXY_TLS)
		tls_cancel(a->tls, 0, &why);
	if (a->state > ATTEMPT_TCP)
		io_bye(&a->io);
	a->state = ATTEMPT_NONE;
}

void
attempt_show(const struct attempt *a, struct websocket *w)
{
	int64_t begun = w->at[DIAL_BEGUN];

	w->route = a->state != ATTEMPT_NONE ? &a->route : NULL;
	w->retry_after = a->retry_after;
	w->looks_up = a->looks_up;
	strlcpy(w->via, a->via, sizeof(w->via));
	memcpy(w->at, a->at, sizeof(w->at));
	w->at[DIAL_BEGUN] = begun;
	w->found = a->at[DIAL_FOUND] != 0 ? &a->found : NULL;
}

void
attempt_take(struct attempt *a, struct websocket *w)
{
	attempt_show(a, w);
	w->io = a->io;
	a->io = IO_CLOSED;
	a->state = ATTEMPT_NONE;
}
