/* SPDX-License-Identifier: ISC */
/*
 * The wire half as dialled: one attempt after another until an answer is no
 * redirect.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "os/net.h"
#include "os/random.h"
#include "proto/agents.h"
#include "proto/forwarded.h"
#include "proto/frame.h"
#include "run/tls_keep.h"
#include "run/wire.h"
#include "run/wire_io.h"
#include "run/wire_say.h"
#include "run/wire_tls.h"

#define BODY_MS		1000	/* to wait for a refusal's words */
#define BYE_LEAST	100	/* for a Close and its answer */
#define INTERIM_MAX	8	/* 1xx answers before the final one */

_Static_assert(sizeof(((struct wire *)0)->via) >= NET_NAME_MAX,
    "an address fits");

/* One wire_dial(). */
struct dial {
	struct wire *w;
	const struct options *o;
	struct tls_ctx **ctx;
	struct say say;
	struct upgrade_offer offer;
	struct url url;			/* where this attempt goes */
	char name[256];			/* the same, for a person */
	struct net_found found;
	struct http_head head;		/* of the answer */
	size_t head_len, len;		/* of what is in buf */
	struct why *why;
};

static char buf[HTTP_HEAD_MAX + 4096];
static char request[HTTP_HEAD_MAX];
static char extra[8192];
static char forward[FORWARDED_FIELD_MAX];	/* "" nothing is said */
static char agent[64];				/* likewise */

static int64_t
deadline_in(int64_t ms)
{
	return ms == 0 ? CLOCK_NEVER : clock_ms() + ms;
}

/* The exchange of heads was cut short. */
static int
broken(struct dial *d, const char *doing)
{
	int e = errno;

	if (e != ETIMEDOUT && wire_tls_failed(&d->w->io, d->why) == -1)
		return -1;
	errno = e;
	return why_set(d->why,
	    errno == ETIMEDOUT ? EXIT_AGAIN : EXIT_PROTOCOL, "%s: %s: %s",
	    d->name, doing, strerror(errno));
}

/* Do credentials for one go to the other? Scheme, host and port count. */
static int
same_origin(const struct url *a, const struct url *b)
{
	if (a->tls != b->tls || a->at.kind != b->at.kind)
		return 0;
	if (a->at.kind == ADDR_UNIX)
		return strcmp(a->at.path, b->at.path) == 0;
	return a->at.port == b->at.port &&
	    slice_is_nocase(slice_of(a->at.host), b->at.host);
}

/* Whom a certificate must name: --servername is about the URL's host only. */
static const char *
server_name(const struct dial *d)
{
	return d->o->servername != NULL && same_origin(&d->o->url, &d->url) ?
	    d->o->servername : d->url.at.host;
}

/* TCP and TLS. */
static int
connect_to(struct dial *d)
{
	int64_t deadline = deadline_in(d->o->connect_timeout);
	struct wire *w = d->w;
	char text[128];
	int fd;

	if (d->url.tls && *d->ctx == NULL &&
	    (*d->ctx = tls_keep_make(d->o, d->why)) == NULL)
		return -1;
	wire_say(&d->say, "dialling %s", addr_print(text, sizeof text,
	    &d->url.at));
	if (net_find(&d->found, &d->url.at, d->o->family, d->why) == -1)
		return -1;
	w->found = &d->found;
	w->at[WIRE_FOUND] = clock_us();
	fd = net_dial_found(&d->url.at, &d->found, deadline, w->via, d->why);
	if (fd == -1)
		return -1;
	w->at[WIRE_CONNECTED] = clock_us();
	net_tune(fd);
	w->io = io_of(fd);
	wire_say(&d->say, "connected to %s", w->via);
	if (!d->url.tls)
		return 0;
	w->io.tls = tls_connect(*d->ctx, fd, server_name(d), deadline,
	    d->why);
	if (w->io.tls == NULL)
		return -1;
	w->at[WIRE_SECURED] = clock_us();
	wire_say(&d->say, "%s, certificate %s",
	    tls_describe(w->io.tls, text, sizeof text),
	    d->o->insecure ? "not verified" : "verified");
	return 0;
}

/* The user's --header fields, as far as they are for this host. */
static int
collect_fields(struct dial *d)
{
	int own = same_origin(&d->o->url, &d->url);
	char err[200];
	unsigned int i;

	extra[0] = '\0';
	for (i = 0; i < d->o->nheader; i++) {
		if (!own && upgrade_is_private(d->o->header[i]))
			continue;
		if (upgrade_add_field(extra, sizeof extra, d->o->header[i],
		    err, sizeof err) == -1)
			return why_set(d->why, EXIT_BADUSAGE, "%s", err);
	}
	if (own && agent[0] != '\0' &&
	    upgrade_add_field(extra, sizeof extra, agent, err,
	    sizeof err) == -1)
		return why_set(d->why, EXIT_BADUSAGE, "%s", err);
	if (own && forward[0] != '\0' &&
	    upgrade_add_field(extra, sizeof extra, forward, err,
	    sizeof err) == -1)
		return why_set(d->why, EXIT_BADUSAGE, "%s", err);
	return 0;
}

void
wire_agent(const char *token)
{
	snprintf(agent, sizeof agent, "Inetws-Agent: %s", token);
}

void
wire_forward(const char *peer)
{
	struct ip ip;
	uint16_t port;

	forward[0] = '\0';
	if (ip_parse_port(&ip, &port, slice_of(peer)) == 0)
		forwarded_write(forward, &ip, port);
}

static int
send_request(struct dial *d, int64_t deadline)
{
	unsigned char raw[16];
	int n;

	random_bytes(raw, sizeof raw);
	upgrade_key(d->offer.key, raw);
	n = upgrade_write_request(request, sizeof request, &d->url,
	    &d->offer);
	if (n == -1)
		return why_set(d->why, EXIT_BADUSAGE,
		    "%s: the request is too long or its path malformed",
		    d->name);
	wire_say_head(&d->say, '>', request, n);
	if (wire_write(&d->w->io, request, n, deadline) == -1)
		return broken(d, "cannot send the request");
	return 0;
}

/* Reads until a whole head is in buf. */
static int
read_head(struct dial *d, int64_t deadline)
{
	struct http_parser_state st;
	char err[200];
	ssize_t n, r;
	int status;

	http_begin(&st, 1);
	while ((r = http_parse(&st, buf, d->len, &d->head, &status, err,
	    sizeof err)) == 0) {
		n = wire_read(&d->w->io, buf + d->len, sizeof buf - d->len,
		    deadline);
		if (n == -1)
			return broken(d, "no answer");
		if (n == 0)
			return why_set(d->why, EXIT_PROTOCOL, "%s: %s",
			    d->name, d->len == 0 ?
			    "the connection was closed without an answer" :
			    "the connection was closed within the answer");
		d->len += n;
	}
	if (r < 0)
		return why_set(d->why, EXIT_PROTOCOL,
		    "%s: malformed answer: %s", d->name, err);
	d->head_len = r;
	wire_say_head(&d->say, '<', buf, d->head_len);
	return 0;
}

/* The final answer: interim ones are skipped (RFC 9110 15.2). */
static int
read_answer(struct dial *d, int64_t deadline)
{
	int i;

	d->len = 0;
	for (i = 0; i < INTERIM_MAX; i++) {
		if (read_head(d, deadline) == -1)
			return -1;
		if (d->head.status == 101 || d->head.status >= 200)
			return 0;
		d->len -= d->head_len;
		memmove(buf, buf + d->head_len, d->len);
	}
	return why_set(d->why, EXIT_PROTOCOL, "%s: too many interim answers",
	    d->name);
}

/*
 * The first line of the answer's body, if that is plain text with a length
 * (as every refusal of ours is), else "".
 */
static void
body_line(struct dial *d, char *dst, size_t size)
{
	int64_t deadline = clock_ms() + BODY_MS;
	struct slice type, length;
	const char *body = buf + d->head_len, *end;
	size_t n;
	ssize_t got;

	dst[0] = '\0';
	if (http_field(&d->head, "Content-Type", &type) != 1 ||
	    type.len < 10 ||
	    !slice_is_nocase((struct slice){ type.p, 10 }, "text/plain") ||
	    http_field(&d->head, "Content-Length", &length) != 1 ||
	    length.len > 4)
		return;
	n = strtoul(length.p, NULL, 10);
	if (n > sizeof buf - d->head_len)
		n = sizeof buf - d->head_len;
	while (d->len - d->head_len < n &&
	    memchr(body, '\n', d->len - d->head_len) == NULL) {
		got = wire_read(&d->w->io, buf + d->len,
		    n - (d->len - d->head_len), deadline);
		if (got <= 0)
			break;
		d->len += got;
	}
	if (n > d->len - d->head_len)
		n = d->len - d->head_len;
	end = memchr(body, '\n', n);
	if (end != NULL)
		n = end - body;
	if (n > 0 && body[n - 1] == '\r')
		n--;
	str_escape(dst, size, body, n);
}

/* An answer that is neither 101 nor a redirect. */
static int
refused(struct dial *d)
{
	const char *hint = wire_tls_hint(&d->w->io, d->head.status);
	char reason[64], text[160];

	str_escape(reason, sizeof reason, d->head.reason.p,
	    d->head.reason.len);
	body_line(d, text, sizeof text);
	return why_set(d->why, hint[0] != '\0' ? EXIT_DENIED :
	    upgrade_exit_status(d->head.status),
	    "%s answered %d%s%s%s%s%s", d->name, d->head.status,
	    reason[0] == '\0' ? "" : " ", reason,
	    text[0] == '\0' ? "" : ": ", text, hint);
}

/* 101: the wire is up if everything in it is right. */
static int
accepted(struct dial *d)
{
	struct upgrade_answer answer;
	struct wire *w = d->w;
	char err[200];

	if (upgrade_check_answer(&answer, &d->head, &d->offer, err,
	    sizeof err) == -1)
		return why_set(d->why, EXIT_PROTOCOL,
		    "%s: wrong answer: %s", d->name, err);
	w->has_extension = answer.has_extension;
	w->theirs = answer.extension;
	w->early = buf + d->head_len;
	w->early_len = d->len - d->head_len;
	wire_say(&d->say, "websocket is up, the peer %s", w->has_extension ?
	    "is inetws" : "does not speak the extension inetws");
	return 0;
}

/*
 * Turns d->url to where the answer points.  A redirect must not lead out of
 * TLS, nor to a socket of this machine that the peer could not reach.
 */
static int
redirect(struct dial *d)
{
	static char location[URL_PATH_MAX + 512];
	static struct url next;
	struct slice value;
	char err[200], name[256];

	if (http_field(&d->head, "Location", &value) != 1 ||
	    slice_copy(location, sizeof location, value) == -1)
		return why_set(d->why, EXIT_PROTOCOL,
		    "%s answered %d without one good Location", d->name,
		    d->head.status);
	if (url_join(&next, &d->url, location, err, sizeof err) == -1)
		return why_set(d->why, EXIT_PROTOCOL,
		    "%s redirects to what is no websocket URL: %s", d->name,
		    err);
	url_print(name, sizeof name, &next);
	if (d->url.tls && !next.tls)
		return why_set(d->why, EXIT_PROTOCOL,
		    "%s redirects out of TLS, to %s", d->name, name);
	if (next.at.kind == ADDR_UNIX && !same_origin(&d->url, &next))
		return why_set(d->why, EXIT_PROTOCOL,
		    "%s redirects to a local socket, %s", d->name, name);
	if (next.user[0] == '\0' && same_origin(&d->o->url, &next))
		strlcpy(next.user, d->o->url.user, sizeof next.user);
	d->url = next;
	wire_say(&d->say, "redirected to %s", name);
	return 0;
}

/* 1: redirected, d->url is where to; 0: up; -1: why says. */
static int
attempt(struct dial *d, int *http_status)
{
	int64_t deadline;

	url_print(d->name, sizeof d->name, &d->url);
	if (d->o->mode == MODE_AGENT)
		agents_mask_url(d->name);
	d->w->name = d->name;
	d->w->at[WIRE_BEGUN] = clock_us();
	if (collect_fields(d) == -1 || connect_to(d) == -1)
		return -1;
	deadline = deadline_in(d->o->handshake_timeout);
	if (send_request(d, deadline) == -1 ||
	    read_answer(d, deadline) == -1)
		return -1;
	*http_status = d->head.status;
	d->w->head = &d->head;
	d->w->at[WIRE_ANSWERED] = clock_us();
	if (d->head.status == 101)
		return accepted(d);
	if (!upgrade_is_redirect(d->head.status))
		return refused(d);
	return redirect(d) == -1 ? -1 : 1;
}

void
wire_bye(struct wire *w, int close_code, int64_t deadline)
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
	if (wire_write(&w->io, out, n + sizeof code, deadline) == 0)
		while (wire_read(&w->io, waste, sizeof waste, deadline) > 0)
			;
	io_close(&w->io);
}

int
wire_dial(struct wire *w, const struct options *o, struct tls_ctx **ctx,
    const struct extension *offer, int *http_status, struct why *why)
{
	static struct dial d;
	int hops, r;

	memset(&d, 0, sizeof d);
	d.w = w;
	d.o = o;
	d.ctx = ctx;
	d.why = why;
	d.url = o->url;
	d.say = (struct say){ o->verbose, clock_ms() };
	d.offer.subprotocol = o->subprotocol;
	d.offer.user_agent = o->user_agent;
	d.offer.extra = extra;
	d.offer.offer = offer;
	*http_status = 0;
	for (hops = 0; hops <= WIRE_REDIRECTS_MAX; hops++) {
		memset(w, 0, sizeof *w);
		w->io = IO_CLOSED;
		w->redirects = hops;
		r = attempt(&d, http_status);
		if (r == 0)
			return 0;
		io_close(&w->io);
		if (r == -1)
			return -1;
	}
	return why_set(why, EXIT_PROTOCOL, "%s: more than %d redirects",
	    d.name, WIRE_REDIRECTS_MAX);
}
