/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handshake/exchange.h"
#include "os/clock.h"
#include "tls/tls.h"
#include "ws/upgrade.h"

#define BODY_MS		1000	/* to wait for a refusal's text */
#define INTERIM_MAX	8	/* 1xx answers before the final one */

/* Why a proxy may have nothing to answer. */
#define KIND(t)	((t)->is_proxy ? " (is it an HTTP proxy? a SOCKS proxy is " \
		    "socks5h://)" : "")
#define SOCKS5	5	/* an answer of SOCKS begins with its version */

/*
 * -1 and why, if TLS knows better than errno why the io failed, or 0.  An alert
 * may have come before the reset that a write ran into.
 */
static int
blame_tls(const struct io *io, struct error *why)
{
	char waste[64];
	struct iovec iov = { waste, sizeof(waste) };

	if (io->tls == NULL)
		return 0;
	(void)!tls_readv(io->tls, &iov, 1);
	return tls_failed(io->tls, why);
}

int
exchange_broken(struct exchange *t, const char *doing)
{
	int e = errno;

	if (e != ETIMEDOUT && e != EINTR && blame_tls(t->io, t->why) == -1)
		return -1;
	return error_set(t->why, e == ETIMEDOUT || e == EINTR ? EXIT_AGAIN :
	    EXIT_PROTOCOL, "%s: %s: %s%s", t->name, doing,
	    e == EINTR ? "interrupted" : strerror(e), KIND(t));
}

/* What has not been sent yet of the request, which may hold secrets. */
static int
send_request(struct exchange *t)
{
	struct iovec iov = { t->room->out + t->sent, t->length - t->sent };
	ssize_t n;

	if (iov.iov_len == 0)
		return 0;
	n = io_writev(t->io, &iov, 1);
	if (n == -1 && errno != EAGAIN)
		return exchange_broken(t, "cannot send the request");
	if (n > 0)
		t->sent += n;
	if (t->sent == t->length)
		explicit_bzero(t->room->out, t->length);
	return 0;
}

/* A head of an answer, the first one or the next, is to come. */
static void
await_head(struct exchange *t)
{
	http_begin(&t->parser, 1);
	t->parser.no_body = t->is_proxy;
}

int
exchange_begin(struct exchange *t, size_t len, size_t fields)
{
	trace_head(t->trace, '>', t->room->out, len, fields);
	t->length = len;
	t->in = (char *)t->room + len;
	t->sent = t->received = 0;
	t->interims = t->answered = 0;
	t->text_until = CLOCK_NEVER;
	await_head(t);
	return send_request(t);
}

/* The connection has ended. */
static int
cut_short(struct exchange *t)
{
	return error_set(t->why, EXIT_PROTOCOL, "%s: %s%s", t->name,
	    t->received == 0 ? "the connection was closed without an answer" :
	    "the connection was closed within the answer", KIND(t));
}

/* A whole head is there: 1 if it is the final one (RFC 9110 15.2). */
static int
take_head(struct exchange *t, size_t n)
{
	trace_head(t->trace, '<', t->in, n, 0);
	t->early = t->in + n;
	t->early_len = t->received - n;
	if (t->head.status == 101 || t->head.status >= 200) {
		t->answered = 1;
		return 1;
	}
	if (++t->interims == INTERIM_MAX)
		return error_set(t->why, EXIT_PROTOCOL,
		    "%s: too many interim answers", t->name);
	t->received -= n;
	memmove(t->in, t->in + n, t->received);
	await_head(t);
	return 0;
}

/* Looks at what has been received: 1: the answer, 0: needs more, -1 and why. */
static int
parse(struct exchange *t)
{
	char err[ERROR_LINE_MAX];
	ssize_t n;
	int status, r = 0;

	while (r == 0 && (n = http_parse(&t->parser, t->in, t->received,
	    &t->head, &status, err, sizeof err)) != 0) {
		if (n < 0)
			return error_set(t->why, EXIT_PROTOCOL,
			    "%s: malformed answer: %s", t->name, err);
		r = take_head(t, n);
	}
	return r;
}

int
exchange_step(struct exchange *t)
{
	struct iovec iov;
	ssize_t n;
	int r;

	if (t->answered)
		return 1;
	if (send_request(t) == -1)
		return -1;
	while ((r = parse(t)) == 0) {
		iov.iov_base = t->in + t->received;
		iov.iov_len = EXCHANGE_ANSWER_MAX - t->received;
		n = io_readv(t->io, &iov, 1);
		if (n == -1)
			return errno == EAGAIN ? 0 :
			    exchange_broken(t, "no answer");
		if (n == 0)
			return cut_short(t);
		t->received += n;
		if (t->is_proxy && t->in[0] == SOCKS5)
			return error_set(t->why, EXIT_PROTOCOL, "%s: it speaks "
			    "SOCKS, and not HTTP: use socks5h://", t->name);
	}
	return r;
}

void
exchange_poll(const struct exchange *t, struct pollfd *p)
{
	short wev;

	p->fd = t->io->rfd;
	io_events(t->io, 1, t->sent < t->length, &p->events, &wev);
	p->events = (short)(p->events | wev);
}

/* What the body of a refusal may have to say. */
struct text {
	const char *end;	/* it is looked for; NULL: there is none */
	size_t length;		/* of the body, as far as there is room */
	int is_page;		/* its title counts, not its first line */
};

/*
 * Plain text needs a length, as every refusal of ours has one; a page of a
 * proxy is not looked at.
 */
static struct text
text_of(const struct exchange *t)
{
	size_t room = t->in + EXCHANGE_ANSWER_MAX - t->early;
	struct text text = { NULL, 0, 0 };
	struct slice type, length;
	uint64_t n;

	if (http_field(&t->head, "Content-Type", &type) != 1)
		return text;
	if (http_field(&t->head, "Content-Length", &length) == 1 &&
	    slice_number(length, 0, UINT32_MAX, &n) == 0)
		text.length = n < room ? n : room;
	if (type.len > 10)
		type.len = 10;
	if (slice_is_nocase(type, "text/plain"))
		text.end = "\n";
	if (t->is_proxy || type.len < 9 ||
	    !slice_is_nocase((struct slice){ type.p, 9 }, "text/html"))
		return text;
	text.end = "</title>";
	text.is_page = 1;
	if (text.length == 0)
		text.length = room;
	return text;
}

/* Reads what is there of a text.  Is its end still to come? */
static int
is_text_coming(struct exchange *t, const struct text *text)
{
	struct iovec iov;
	ssize_t n;

	while (text->end != NULL && t->early_len < text->length &&
	    memmem(t->early, t->early_len, text->end,
	    strlen(text->end)) == NULL) {
		iov.iov_base = t->early + t->early_len;
		iov.iov_len = text->length - t->early_len;
		n = io_readv(t->io, &iov, 1);
		if (n <= 0)
			return n == -1 && errno == EAGAIN;
		t->early_len += n;
	}
	return 0;
}

/* The title of a page, if it tells more than the reason, else "". */
static void
write_title(const struct exchange *t, const struct text *text,
    const char *reason, char *dst, size_t size)
{
	struct slice title;

	dst[0] = '\0';
	if (!text->is_page || !http_page_title((struct slice){ t->early,
	    t->early_len }, &title))
		return;
	str_escape(dst, size, title.p, title.len);
	if (reason[0] != '\0' && strstr(dst, reason) != NULL)
		dst[0] = '\0';
}

/* The first line of a text, for a person; of a page "". */
static void
write_line(const struct exchange *t, const struct text *text, char *dst,
    size_t size)
{
	size_t n = text->end == NULL || text->is_page ? 0 :
	    text->length < t->early_len ? text->length : t->early_len;
	const char *end = memchr(t->early, '\n', n);

	if (end != NULL)
		n = end - t->early;
	if (n > 0 && t->early[n - 1] == '\r')
		n--;
	str_escape(dst, size, t->early, n);
}

/* What a 401 wants; the schemes that it offers may be written to dst. */
static const char *
unauthorized(const struct exchange *t, char *dst, size_t size)
{
	static const char field[] = "WWW-Authenticate";
	char list[100];

	if (t->authorized)
		return ": the credentials are wrong";
	if (http_offers(&t->head, field, "Basic", list, sizeof(list)) ||
	    list[0] == '\0')
		return ": it needs credentials (-u USER:PASSWORD)";
	if (http_offers(&t->head, field, "Bearer", list, sizeof(list)))
		return ": it needs a secret (-H @FILE with a line "
		    "Authorization: Bearer SECRET)";
	snprintf(dst, size, ": it offers only %s, and inetws knows only Basic "
	    "(others by --header-command)", list);
	return dst;
}

/*
 * What an answer probably means: the first row that has its status.  What
 * inetws itself refuses has a text, and needs no guess.
 */
struct meaning {
	int from, to;
	const char *text;
};

#define NOT_INETWS	": what answers there is not inetws: compare host and " \
			"path of the URL"

static const struct meaning of_server[] = {
	{ 200, 200, ": a web page: this path does not lead to inetws" },
	{ 403, 403, ": a rule of the web server or CDN forbids it" },
	{ 404, 405, ": this path does not lead to inetws" },
	{ 413, 414, ": the request is too long for it: see --header" },
	{ 418, 418, ": a filter there takes this for an attack" },
	{ 421, 421, ": it does not serve this host: compare it with the URL" },
	{ 426, 426, ": a proxy between removes the field Upgrade" },
	{ 429, 429, ": too many requests from here: wait a while" },
	{ 431, 431, ": the request is too long for it: see --header" },
	{ 451, 451, ": it is blocked where you are: try another network" },
	{ 503, 503, ": the proxy there does not reach inetws, or is at a limit" },
	{ 502, 504, ": the proxy there does not reach inetws" },
	{ 521, 523, ": the proxy there does not reach inetws" },	/* Cloudflare's */
	{ 500, 599, ": the web server there has failed: see its error log" },
	{ 0, INT_MAX, NOT_INETWS }
};

/* Of a forward proxy's refusal of CONNECT. */
static const struct meaning of_proxy[] = {
	{ 403, 403, ": its rules do not allow that" },
	{ 429, 429, ": too many requests from here: wait a while" },
	{ 451, 451, ": its rules do not allow that" },
	{ 400, 499, ": is it a forward proxy?" },
	{ 501, 501, ": is it a forward proxy?" },
	{ 500, 599, ": the proxy does not reach the server" },
	{ 0, INT_MAX, ": is it a forward proxy?" }
};

static const char *
look_up(const struct meaning *row, int status)
{
	while (status < row->from || status > row->to)
		row++;
	return row->text;
}

/*
 * What an answer without a text of inetws's own probably means: a constant
 * string, or dst.
 */
static const char *
meaning(const struct exchange *t, const char *text, char *dst, size_t size)
{
	int status = t->head.status;

	if (status == 511)
		return ": this network wants a login: open a page in a browser";
	if (t->is_proxy)
		return text[0] != '\0' ? "" : look_up(of_proxy, status);
	if (status == 401)
		return unauthorized(t, dst, size);
	if (text[0] != '\0')
		return "";
	if (status == 400 && t->io->tls == NULL)
		return ": if this port expects TLS, use wss://";
	return look_up(of_server, status);
}

/* What a refusal means if the server has asked for a certificate of ours. */
static const char *
certificate_hint(const struct exchange *t)
{
	if (t->is_proxy || t->io->tls == NULL ||
	    (t->head.status != 400 && t->head.status != 403))
		return "";
	switch (tls_was_asked(t->io->tls)) {
	case TLS_NOT_ASKED:
		break;
	case TLS_ASKED_IN_VAIN:
		return ": it wants a certificate of ours, use --cert";
	case TLS_ASKED_AND_SENT:
		return ": it may have refused our certificate";
	}
	return "";
}

int
exchange_refused(struct exchange *t)
{
	const char *hint = certificate_hint(t);
	int status = hint[0] != '\0' ? EXIT_DENIED :
	    upgrade_exit_status(t->head.status);
	char reason[64], line[160], title[80], hint_room[200];
	struct text text = text_of(t);

	if (t->text_until == CLOCK_NEVER)
		t->text_until = clock_ms() + BODY_MS;
	if (is_text_coming(t, &text) && clock_ms() < t->text_until)
		return 0;
	str_escape(reason, sizeof reason, t->head.reason.p,
	    t->head.reason.len);
	write_line(t, &text, line, sizeof line);
	write_title(t, &text, reason, title, sizeof title);
	return error_set(t->why, status, "%s answered %d%s%s%s%s%s%s%s%s",
	    t->name, t->head.status, reason[0] == '\0' ? "" : " ", reason,
	    line[0] == '\0' ? "" : ": ", line,
	    hint[0] != '\0' ? hint :
	    meaning(t, line, hint_room, sizeof hint_room),
	    title[0] == '\0' ? "" : " (its page: \"", title,
	    title[0] == '\0' ? "" : "\")");
}

int
exchange_cancel(struct exchange *t, int error)
{
	if (t->answered && error == ETIMEDOUT) {
		t->text_until = 0;
		return exchange_refused(t);
	}
	errno = error;
	return exchange_broken(t, "no answer");
}
