/* SPDX-License-Identifier: ISC */
/*
 * The dialling side: one attempt after another until an answer is no
 * redirect.
 */
#include <errno.h>
#include <string.h>

#include "handshake/attempt.h"
#include "handshake/exchange.h"
#include "handshake/headers.h"
#include "handshake/redial.h"
#include "handshake/websocket.h"
#include "net/deadline_io.h"
#include "net/socket.h"
#include "os/clock.h"
#include "os/random.h"
#include "proto/agent_name.h"
#include "proto/header.h"
#include "ws/frame.h"

#define BYE_LEAST	100	/* for a Close and its answer */

_Static_assert(sizeof(((struct websocket *)0)->via) >= NET_NAME_MAX,
    "an address fits");

/* One websocket_dial(). */
struct dial {
	struct websocket *w;
	const struct options *o;
	struct trust *trust;
	struct trace trace;
	struct upgrade_offer offer;
	const struct extension *extension;	/* to be offered, or NULL */
	const struct url *url;		/* where this attempt goes */
	struct error *why;
	char name[256];			/* the same, for a person */
	struct exchange exchange;
	struct url elsewhere;		/* where we were sent to */
};

static char extra[HEADERS_SIZE];
static struct exchange_room room;	/* for one request at a time */

/* Where the session of this process was given. */
static struct {
	int known, tls;
	struct addr at;
} session_from;

/* A session's ID goes only to where it came from, wherever we are sent to. */
static int
may_know(const struct dial *d)
{
	return d->extension == NULL || d->extension->session[0] == '\0' ||
	    (session_from.tls == d->url->tls &&
	    addr_same(&session_from.at, &d->url->at));
}

/* Writes the request into the room.  Its length, or -1 and why. */
static int
write_request(struct dial *d)
{
	unsigned char raw[16];
	int n;

	d->offer.offer = may_know(d) ? d->extension : NULL;
	random_bytes(raw, sizeof raw);
	upgrade_key(d->offer.key, raw);
	n = upgrade_write_request(room.out, sizeof room.out,
	    d->url, &d->offer);
	if (n == -1)
		return error_set(d->why, EXIT_BADUSAGE,
		    "%s: the request is too long or its path malformed",
		    d->name);
	d->exchange.io = &d->w->io;
	d->exchange.name = d->name;
	d->exchange.is_proxy = 0;
	d->exchange.authorized = d->offer.user[0] != '\0' ||
	    header_has(extra, "Authorization");
	d->exchange.trace = &d->trace;
	d->exchange.why = d->why;
	d->exchange.room = &room;
	return n;
}

/* The request, until its answer's head is there. */
static int
ask(struct dial *d)
{
	int64_t deadline = clock_after(d->o->timeouts.handshake);
	int n = write_request(d);

	return n == -1 ? -1 :
	    exchange(&d->exchange, n, strlen(extra) + 2, deadline);
}

/* 101: the websocket is open if everything in the answer is right. */
static int
accepted(struct dial *d)
{
	struct upgrade_answer answer;
	struct websocket *w = d->w;
	char err[200];

	if (upgrade_check_answer(&answer, &d->exchange.head, &d->offer, err,
	    sizeof err) == -1)
		return error_set(d->why, EXIT_PROTOCOL,
		    "%s: wrong answer: %s", d->name, err);
	w->has_extension = answer.has_extension;
	w->theirs = answer.extension;
	if (w->has_extension && w->theirs.session[0] != '\0' &&
	    !session_from.known) {
		session_from.known = 1;
		session_from.tls = d->url->tls;
		session_from.at = d->url->at;
	}
	/* A redial's cookies are of use only if they led to the session. */
	if (w->has_extension || d->extension == NULL ||
	    d->extension->session[0] == '\0')
		headers_take_cookies(&d->exchange.head, d->url);
	w->early = d->exchange.early;
	w->early_len = d->exchange.early_len;
	trace_step(&d->trace, "websocket is open, the peer %s",
	    w->has_extension ? "is inetws" :
	    "does not speak the extension inetws");
	return 0;
}

/* Those for o->url: --user goes before what is in the URL. */
static const char *
credentials(const struct dial *d)
{
	const struct options *o = d->o;

	return o->websocket.user.value != NULL ? o->websocket.user.value :
	    o->url.user;
}

/*
 * Turns d->url to where the answer points.  A redirect must not lead out of
 * TLS, nor to a socket of this machine that the peer could not reach.
 */
static int
redirect(struct dial *d)
{
	char location[URL_PATH_MAX + 512];
	struct url next;
	struct slice value;
	char err[200], name[256];

	headers_take_cookies(&d->exchange.head, d->url);
	if (http_field(&d->exchange.head, "Location", &value) != 1 ||
	    slice_copy(location, sizeof location, value) == -1)
		return error_set(d->why, EXIT_PROTOCOL,
		    "%s answered %d without one good Location", d->name,
		    d->exchange.head.status);
	if (url_join(&next, d->url, location, err, sizeof err) == -1)
		return error_set(d->why, EXIT_PROTOCOL,
		    "%s redirects to what is no websocket URL: %s", d->name,
		    err);
	url_print(name, sizeof name, &next);
	if (d->trace.masked)
		agent_name_mask_url(name);
	if (d->url->tls && !next.tls)
		return error_set(d->why, EXIT_PROTOCOL,
		    "%s redirects out of TLS, to %s", d->name, name);
	if (next.at.kind == ADDR_UNIX && !url_same_origin(d->url, &next))
		return error_set(d->why, EXIT_PROTOCOL,
		    "%s redirects to a local socket, %s", d->name, name);
	d->elsewhere = next;
	d->url = &d->elsewhere;
	d->offer.user = next.user[0] == '\0' &&
	    url_same_origin(&d->o->url, &next) ? credentials(d) :
	    d->elsewhere.user;
	trace_step(&d->trace, "redirected to %s", name);
	return 0;
}

/* The answer: 1: redirected, d->url is where to; 0: up; -1: why says. */
static int
judge(struct dial *d, int *http_status)
{
	*http_status = d->exchange.head.status;
	d->w->head = &d->exchange.head;
	d->w->at[DIAL_ANSWERED] = clock_us();
	if (d->exchange.head.status == 101)
		return accepted(d);
	if (!upgrade_is_redirect(d->exchange.head.status)) {
		d->w->retry_after = http_retry_after(&d->exchange.head,
		    clock_date());
		return exchange_refused(&d->exchange);
	}
	return redirect(d) == -1 ? -1 : 1;
}

static int
write_fields(struct dial *d)
{
	url_print(d->name, sizeof d->name, d->url);
	if (d->trace.masked)
		agent_name_mask_url(d->name);
	d->w->name = d->name;
	return headers_write(extra, sizeof extra, d->o, d->url, d->trust,
	    d->why);
}

/* As judge(). */
static int
attempt(struct dial *d, int *http_status)
{
	if (write_fields(d) == -1)
		return -1;
	d->w->at[DIAL_BEGUN] = clock_us();
	if (attempt_connect(d->w, d->o, d->url, d->trust, &d->trace,
	    d->why) == -1 || ask(d) == -1)
		return -1;
	return judge(d, http_status);
}

/* The URL that an error is about is not the one that was given. */
static int
blame_redirect(struct dial *d)
{
	char from[256];

	url_print(from, sizeof from, &d->o->url);
	if (d->trace.masked)
		agent_name_mask_url(from);
	strlcat(d->why->text, " (redirected from ", sizeof d->why->text);
	strlcat(d->why->text, from, sizeof d->why->text);
	strlcat(d->why->text, ")", sizeof d->why->text);
	return -1;
}

void
websocket_bye(struct websocket *w, int close_code, int64_t deadline)
{
	struct frame f = { .fin = 1, .opcode = FRAME_CLOSE, .masked = 1,
	    .length = 2 };
	uint8_t out[FRAME_HEAD_MAX + 2];
	const uint8_t code[2] = { close_code >> 8, close_code & 255 };
	int64_t least = clock_ms() + BYE_LEAST;
	char waste[512];
	size_t n;

	if (deadline < least)
		deadline = least;
	random_bytes(f.key, sizeof f.key);
	n = frame_encode(out, &f);
	frame_mask(out + n, code, sizeof code, f.key, 0);
	if (deadline_write(&w->io, out, n + sizeof code, deadline) == 0)
		while (deadline_read(&w->io, waste, sizeof waste, deadline) > 0)
			;
	io_close(&w->io);
}

static struct dial dial;	/* what is big is set when it is used */

static void
begin(struct websocket *w, const struct options *o, struct trust *trust,
    const struct extension *offer, struct error *why)
{
	struct dial *d = &dial;

	d->w = w;
	d->o = o;
	d->trust = trust;
	d->why = why;
	d->url = &o->url;
	d->trace = (struct trace){ o->log.verbose, clock_ms(),
	    o->mode == MODE_AGENT };
	d->offer = (struct upgrade_offer){ .user = credentials(d),
	    .subprotocol = o->websocket.subprotocol,
	    .user_agent = o->websocket.user_agent,
	    .origin = o->websocket.origin, .extra = extra };
	d->extension = offer;
}

static void
clear(struct websocket *w, int hops)
{
	memset(w, 0, sizeof *w);
	w->io = IO_CLOSED;
	w->redirects = hops;
}

/* After so many redirects. */
static int
follow(struct dial *d, int hops, int *http_status)
{
	int r;

	for (; hops <= WEBSOCKET_REDIRECTS_MAX; hops++) {
		clear(d->w, hops);
		r = attempt(d, http_status);
		if (r == 0)
			return 0;
		io_close(&d->w->io);
		if (r == -1)
			return hops > 0 ? blame_redirect(d) : -1;
	}
	return error_set(d->why, EXIT_PROTOCOL, "%s: more than %d redirects",
	    d->name, WEBSOCKET_REDIRECTS_MAX);
}

int
websocket_dial(struct websocket *w, const struct options *o,
    struct trust *trust, const struct extension *offer, int *http_status,
    struct error *why)
{
	begin(w, o, trust, offer, why);
	*http_status = 0;
	return follow(&dial, 0, http_status);
}

int
redial_ask(struct websocket *w, struct attempt *a, const struct options *o,
    struct trust *trust, const struct extension *offer, struct error *why)
{
	struct dial *d = &dial;
	int n;

	begin(w, o, trust, offer, why);
	clear(w, 0);
	w->io = a->io;
	a->io = IO_CLOSED;
	a->state = ATTEMPT_NONE;
	strlcpy(w->via, a->via, sizeof w->via);
	if (write_fields(d) == 0 && (n = write_request(d)) != -1 &&
	    exchange_begin(&d->exchange, n, strlen(extra) + 2) == 0)
		return 0;
	io_close(&w->io);
	return -1;
}

int
redial_step(int *http_status, int too_late)
{
	struct dial *d = &dial;
	int r = exchange_step(&d->exchange);

	*http_status = 0;
	if (r == 0 && !too_late)
		return 0;
	if (r == 0) {
		errno = ETIMEDOUT;
		r = exchange_broken(&d->exchange, "no answer");
	}
	if (r == 1 && (r = judge(d, http_status)) == 0)
		return 1;
	io_close(&d->w->io);
	if (r == 1)
		return follow(d, 1, http_status) == 0 ? 1 : -1;
	return -1;
}

void
redial_poll(struct pollfd *p)
{
	exchange_poll(&dial.exchange, p);
}
