/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "handshake/exchange.h"
#include "handshake/tls_accept.h"
#include "net/deadline_io.h"
#include "net/http_read.h"
#include "os/clock.h"
#include "ws/upgrade.h"

#define BODY_MS		1000	/* to wait for a refusal's text */
#define INTERIM_MAX	8	/* 1xx answers before the final one */

/* Why a proxy may have nothing to answer. */
#define KIND(t)	((t)->is_proxy ? " (is it an HTTP proxy?)" : "")

char exchange_request[HTTP_HEAD_MAX];
static char buf[HTTP_HEAD_MAX + 4096];

int
exchange_broken(struct exchange *t, const char *doing)
{
	int e = errno;

	if (e != ETIMEDOUT && tls_accept_failed(t->io, t->why) == -1)
		return -1;
	return error_set(t->why,
	    e == ETIMEDOUT ? EXIT_AGAIN : EXIT_PROTOCOL, "%s: %s: %s%s",
	    t->name, doing, strerror(e), KIND(t));
}

/* Reads until a whole head is in buf.  Its length, or -1. */
static ssize_t
read_head(struct exchange *t, size_t *len, int64_t deadline)
{
	struct http_read r = { .io = t->io, .buf = buf, .size = sizeof buf,
	    .len = *len, .is_answer = 1, .no_body = t->is_proxy };
	ssize_t n = http_read(&r, &t->head, deadline);

	*len = r.len;
	if (n > 0) {
		trace_head(t->trace, '<', buf, n, 0);
		return n;
	}
	if (n == 0)
		return error_set(t->why, EXIT_PROTOCOL, "%s: %s%s", t->name,
		    r.len == 0 ? "the connection was closed without an answer" :
		    "the connection was closed within the answer", KIND(t));
	if (errno != EBADMSG)
		return exchange_broken(t, "no answer");
	return error_set(t->why, EXIT_PROTOCOL, "%s: malformed answer: %s",
	    t->name, r.err);
}

/* The final answer: interim ones are skipped (RFC 9110 15.2). */
static int
read_answer(struct exchange *t, int64_t deadline)
{
	size_t len = 0;
	ssize_t n;
	int i;

	for (i = 0; i < INTERIM_MAX; i++) {
		if ((n = read_head(t, &len, deadline)) == -1)
			return -1;
		t->early = buf + n;
		t->early_len = len - n;
		if (t->head.status == 101 || t->head.status >= 200)
			return 0;
		len -= n;
		memmove(buf, buf + n, len);
	}
	return error_set(t->why, EXIT_PROTOCOL, "%s: too many interim answers",
	    t->name);
}

int
exchange(struct exchange *t, size_t len, size_t fields, int64_t deadline)
{
	int broken;

	trace_head(t->trace, '>', exchange_request, len, fields);
	broken = deadline_write(t->io, exchange_request, len, deadline) == -1;
	explicit_bzero(exchange_request, len);
	if (broken)
		return exchange_broken(t, "cannot send the request");
	return read_answer(t, deadline);
}

/*
 * The first line of the answer's body, if that is plain text with a length
 * (as every refusal of ours is), else "".
 */
static void
body_line(struct exchange *t, char *dst, size_t size)
{
	int64_t deadline = clock_ms() + BODY_MS;
	struct slice type, length;
	uint64_t n;
	size_t have = t->early_len, room = buf + sizeof buf - t->early;
	const char *end;
	ssize_t got;

	dst[0] = '\0';
	if (http_field(&t->head, "Content-Type", &type) != 1 ||
	    type.len < 10 ||
	    !slice_is_nocase((struct slice){ type.p, 10 }, "text/plain") ||
	    http_field(&t->head, "Content-Length", &length) != 1 ||
	    slice_number(length, 0, 9999, &n) == -1)
		return;
	if (n > room)
		n = room;
	while (have < n && memchr(t->early, '\n', have) == NULL) {
		got = deadline_read(t->io, buf + (t->early - buf) + have,
		    n - have, deadline);
		if (got <= 0)
			break;
		have += got;
	}
	if (n > have)
		n = have;
	end = memchr(t->early, '\n', n);
	if (end != NULL)
		n = end - t->early;
	if (n > 0 && t->early[n - 1] == '\r')
		n--;
	str_escape(dst, size, t->early, n);
}

/* What an answer without a text of inetws's own probably means. */
static const char *
meaning(const struct exchange *t, const char *text)
{
	int status = t->head.status;

	if (t->is_proxy)
		return "";
	if (status == 401)
		return t->authorized ? ": the credentials are wrong" :
		    ": it needs credentials (-u USER:PASSWORD)";
	if (text[0] != '\0')
		return "";
	switch (status) {
	case 200:
		return ": a web page: this path does not lead to inetws";
	case 404:
		return ": this path does not lead to inetws";
	case 400:
		return t->io->tls != NULL ? "" :
		    ": if this port expects TLS, use wss://";
	case 502:
	case 504:
		return ": the proxy there does not reach inetws";
	}
	return "";
}

int
exchange_refused(struct exchange *t)
{
	const char *hint = t->is_proxy ? "" :
	    tls_accept_hint(t->io, t->head.status);
	int status = hint[0] != '\0' ? EXIT_DENIED :
	    upgrade_exit_status(t->head.status);
	char reason[64], text[160];

	str_escape(reason, sizeof reason, t->head.reason.p,
	    t->head.reason.len);
	body_line(t, text, sizeof text);
	return error_set(t->why, status, "%s answered %d%s%s%s%s%s", t->name,
	    t->head.status, reason[0] == '\0' ? "" : " ", reason,
	    text[0] == '\0' ? "" : ": ", text,
	    hint[0] != '\0' ? hint : meaning(t, text));
}
