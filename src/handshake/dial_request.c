/* SPDX-License-Identifier: ISC */
#include "handshake/dial_internal.h"
#include "handshake/headers.h"
#include "handshake/websocket.h"
#include "net/deadline_io.h"
#include "os/clock.h"
#include "os/memory.h"
#include "os/random.h"
#include "proto/agent_name.h"
#include "proto/header.h"
#include "ws/frame.h"
#include "ws/upgrade.h"

#define BYE_LEAST	100	/* ms, for a Close and its answer */

/* Where the session of this process was given. */
static struct {
	int known, tls;
	struct addr at;
} session_from MEMORY_HOT;

/* A session's ID goes only to where it came from, wherever we are sent to. */
static int
may_know(const struct dial *d)
{
	return d->extension == NULL || d->extension->session[0] == '\0' ||
	    (session_from.tls == d->url->tls &&
	    addr_same(&session_from.at, &d->url->at));
}

int
dial_write_request(struct dial *d, const char *fields)
{
	unsigned char raw[16];
	int n;

	d->offer.extra = fields;
	d->offer.offer = may_know(d) ? d->extension : NULL;
	random_bytes(raw, sizeof raw);
	upgrade_key(d->offer.key, raw);
	n = upgrade_write_request(d->exchange.room->out, HTTP_HEAD_MAX,
	    d->url, &d->offer);
	if (n == -1)
		return error_set(d->why, EXIT_BADUSAGE,
		    "%s: the request has more than %d bytes, or its path is "
		    "malformed", d->name, HTTP_HEAD_MAX);
	d->exchange.io = &d->w->io;
	d->exchange.name = d->name;
	d->exchange.is_proxy = 0;
	d->exchange.authorized = d->offer.user[0] != '\0' ||
	    header_has(fields, "Authorization");
	d->exchange.trace = &d->trace;
	d->exchange.why = d->why;
	return n;
}

int
dial_accepted(struct dial *d)
{
	struct upgrade_answer answer;
	struct websocket *w = d->w;
	char err[ERROR_LINE_MAX];

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
	w->elsewhere = !url_same_origin(&d->o->url, d->url);
	trace_step(&d->trace, "websocket is open, the peer %s",
	    w->has_extension ? "is inetws" :
	    "does not speak the extension inetws");
	return 0;
}

const char *
dial_credentials(const struct options *o)
{
	return o->websocket.user.value != NULL ? o->websocket.user.value :
	    o->url.user;
}

/*
 * Turns d->url to where the answer points.  A redirect must not lead out of
 * TLS; url_join() lets none lead to a Unix socket.
 */
int
dial_redirect(struct dial *d)
{
	char location[URL_PATH_MAX + 512];
	struct url next;
	struct slice value;
	char err[ERROR_LINE_MAX], name[256];

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
	d->elsewhere = next;
	d->url = &d->elsewhere;
	d->offer.user = next.user[0] == '\0' &&
	    url_same_origin(&d->o->url, &next) ? dial_credentials(d->o) :
	    d->elsewhere.user;
	trace_step(&d->trace, "redirected to %s", name);
	return 0;
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
	if (deadline_write(&w->io, out, n + sizeof code, deadline) == 0) {
		while (deadline_read(&w->io, waste, sizeof waste, deadline) > 0)
			;
		(void)!deadline_finish(&w->io, deadline);
	}
	io_close(&w->io);
}
