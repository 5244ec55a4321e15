/* SPDX-License-Identifier: ISC */
/*
 * The accepting side: reading a request, answering or refusing it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "handshake/websocket.h"
#include "net/deadline_io.h"
#include "net/http_read.h"
#include "os/clock.h"
#include "stats/page.h"
#include "ws/subprotocol.h"

#define REFUSE_MS	1000
#define DRAIN_MAX	(1024 * 1024)	/* bytes */
#define METHOD_MAX	16		/* bytes that have a known method */

/*
 * The head, and whatever came in the same segments; used once a process.  Most
 * requests, with what is told of them, fit into one page.
 */
static struct {
	size_t len;		/* of what has come */
	struct http_head head;
	char buf[HTTP_HEAD_MAX + 4096];
} came __attribute__((aligned(4096)));

/*
 * Waits for the peer to have read the refusal and to close, throwing away
 * what it still sends.
 */
static void
drain(struct io *io, int64_t deadline)
{
	static char waste[4096];
	size_t total = 0;
	ssize_t n;

	while (total < DRAIN_MAX &&
	    (n = deadline_read(io, waste, sizeof waste, deadline)) > 0)
		total += n;
}

static int
has_method(const char *method)
{
	return http_is_method((struct slice){ came.buf, came.len }, method);
}

/* An answer to HEAD has no content (RFC 9110 9.3.2). */
static int
say_no(struct websocket *w, int status, const char *fields, const char *text,
    int64_t deadline)
{
	char answer[1024];
	int n;

	n = upgrade_write_refusal(answer, sizeof answer, status, clock_date(),
	    fields, text);
	if (n == -1)
		n = upgrade_write_refusal(answer, sizeof answer, status,
		    clock_date(), "", http_reason(status));
	if (has_method("HEAD"))
		n = (int)(strstr(answer, "\r\n\r\n") + 4 - answer);
	return deadline_write(&w->io, answer, n, deadline);
}

void
websocket_refuse_now(struct websocket *w, int status, const char *fields,
    const char *text)
{
	say_no(w, status, fields, text, clock_ms());
	io_bye(&w->io);
}

void
websocket_refuse_with(struct websocket *w, int status, const char *fields,
    const char *text)
{
	int64_t deadline = clock_ms() + REFUSE_MS;

	stats_set_state(STATE_REFUSING);
	if (say_no(w, status, fields, text, deadline) == 0) {
		(void)!deadline_finish(&w->io, deadline);
		drain(&w->io, deadline);
	}
	io_close(&w->io);
}

void
websocket_refuse(struct websocket *w, int status, const char *text)
{
	websocket_refuse_with(w, status, "", text);
}

void
websocket_refuse_unread(struct websocket *w, int status, const char *text)
{
	ssize_t n = recv(w->io.rfd, came.buf, METHOD_MAX,
	    MSG_PEEK | MSG_DONTWAIT);

	came.len = n > 0 ? (size_t)n : 0;
	websocket_refuse(w, status, text);
}

/* Refuses, and tells the log. */
static int
refuse_with(struct websocket *w, int status, const char *fields,
    const char *text, struct error *why)
{
	error_set(why, status == 408 || status == 503 ? EXIT_AGAIN :
	    EXIT_PROTOCOL,
	    "refused with %d: %s", status, text);
	if (w->is_adopted)
		websocket_refuse_now(w, status, fields, text);
	else
		websocket_refuse_with(w, status, fields, text);
	return -1;
}

static int
refuse(struct websocket *w, int status, const char *text, struct error *why)
{
	return refuse_with(w, status, "", text, why);
}

/* The peer has left, or as good as. */
static int
lost(struct websocket *w, size_t len, const char *how, struct error *why)
{
	io_bye(&w->io);
	if (len == 0)
		return error_set(why, EXIT_LOST,
		    "the peer left without a request%s%s",
		    how[0] == '\0' ? "" : ": ", how);
	return error_set(why, EXIT_LOST,
	    "the peer left after %zu bytes of its request%s%s", len,
	    how[0] == '\0' ? "" : ": ", how);
}

/* What balancers send, so as to see whether something answers. */
static int
is_probe(void)
{
	return has_method("HEAD") || has_method("OPTIONS");
}

static int
has_pages(const struct options *o)
{
	return o->observe.metrics_path != NULL ||
	    o->observe.health_path != NULL;
}

static int
is_page(const struct options *o, struct slice target)
{
	struct slice path = http_path(target);

	return (o->observe.metrics_path != NULL &&
	    slice_is(path, o->observe.metrics_path)) ||
	    (o->observe.health_path != NULL &&
	    slice_is(path, o->observe.health_path));
}

/* Is it a request for one of the pages?  One for a websocket never is. */
static int
asks_for_page(const struct options *o)
{
	return is_page(o, came.head.target) &&
	    !http_has_token(&came.head, "Upgrade", "websocket");
}

/* What the request line of a refused method asks for. */
static struct slice
target_of(const struct http_read *r)
{
	struct slice line = { r->buf, r->len };
	const char *p = slice_find(line, ' '), *end;

	if (p == NULL)
		return slice_of("");
	line = (struct slice){ p + 1, line.p + line.len - (p + 1) };
	end = slice_find(line, ' ');
	return (struct slice){ line.p, end == NULL ? 0 : end - line.p };
}

/* It may have methods and versions that a handshake may not have. */
static ssize_t
read_strictly(struct http_read *r)
{
	struct http_parser_state st;
	ssize_t n;

	http_begin(&st, 0);
	n = http_parse(&st, r->buf, r->len, &came.head, &r->status, r->err,
	    sizeof r->err);
	errno = EBADMSG;
	return n > 0 ? n : -1;
}

/* Reads a whole head.  Its length, or -1: refused or lost. */
static ssize_t
read_head(struct websocket *w, const struct options *o, int64_t deadline,
    struct error *why)
{
	struct http_read r = { .io = &w->io, .buf = came.buf, .size = sizeof came.buf,
	    .plain = has_pages(o) };
	ssize_t n = http_read(&r, &came.head, deadline);

	came.len = r.len;
	if (n > 0 && r.plain && !asks_for_page(o))
		n = read_strictly(&r);
	if (n > 0)
		return n;
	w->is_probe = r.len > 0 ? is_probe() : n == 0 ||
	    errno == ECONNRESET || errno == EPROTO;
	if (n == -1 && errno == EBADMSG)
		return refuse_with(w, r.status, r.status == 405 &&
		    is_page(o, target_of(&r)) ?
		    "Allow: GET, HEAD, OPTIONS\r\n" : "", r.err, why);
	if (n == -1 && errno == ETIMEDOUT)
		return refuse(w, 408, r.len == 0 ? "no request came" :
		    "the request is not complete", why);
	if (n == -1 && errno == EINTR)
		return refuse(w, 503, "this server is being stopped", why);
	return lost(w, r.len, n == 0 ? "" : strerror(errno), why);
}

static int
choose_subprotocol(struct websocket *w, const struct options *o,
    struct upgrade_request *request, struct error *why)
{
	static char fields[HTTP_HEAD_MAX];
	const char *accepted = o->websocket.subprotocol;

	if (o->access.bearer_subprotocol != NULL && subprotocol_take_bearer(
	    &came.head, o->access.bearer_subprotocol, fields, sizeof fields) == -1)
		return refuse(w, 400, "more than one token in "
		    "Sec-WebSocket-Protocol", why);
	request->subprotocol = subprotocol_choose(&came.head,
	    accepted != NULL ? accepted : "binary");
	if (request->subprotocol.p == NULL && o->websocket.require_subprotocol)
		return refuse(w, 400, "this endpoint requires another "
		    "subprotocol", why);
	return 0;
}

/* Programs that do nothing but look, by what they call themselves. */
static int
is_checker(void)
{
	static const char *const names[] = { "kube-probe/",
	    "ELB-HealthChecker/", "GoogleHC/", "Consul Health Check",
	    "Uptime-Kuma/", "check_http/" };
	struct slice agent, upgrade;
	unsigned int i;

	if (http_field(&came.head, "User-Agent", &agent) != 1 ||
	    http_field(&came.head, "Upgrade", &upgrade) != 0)
		return 0;
	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if (agent.len >= strlen(names[i]) &&
		    memcmp(agent.p, names[i], strlen(names[i])) == 0)
			return 1;
	return 0;
}

/* What a complete head asks for; what follows it is early. */
static int
check(struct websocket *w, const struct options *o,
    struct upgrade_request *request, const char *bytes, size_t head_len,
    size_t len, struct error *why)
{
	char err[ERROR_LINE_MAX];
	int status;

	status = upgrade_check_request(request, &came.head, err, sizeof err);
	if (status != 0) {
		w->is_probe = is_checker();
		return refuse(w, status, err, why);
	}
	if (request->has_offer)
		w->theirs = request->offer;
	w->head = &came.head;
	w->raw = bytes;
	w->raw_len = len;
	w->early = bytes + head_len;
	w->early_len = len - head_len;
	return choose_subprotocol(w, o, request, why);
}

static void
begin(struct websocket *w, struct io io)
{
	memset(w, 0, sizeof *w);
	w->io = io;
	came.len = 0;
}

/* With listeners for names, the name of an agent stands behind --path. */
static int
is_path(const struct options *o, struct slice path)
{
	size_t n = strlen(o->websocket.path);

	if (o->reverse.visitors_dir == NULL)
		return slice_is(path, o->websocket.path);
	while (n > 0 && o->websocket.path[n - 1] == '/')
		n--;
	return path.len > n && memcmp(path.p, o->websocket.path, n) == 0 &&
	    path.p[n] == '/' && memchr(path.p + n + 1, '/',
	    path.len - n - 1) == NULL;
}

int
websocket_request(struct websocket *w, const struct options *o, struct io io,
    struct upgrade_request *request, int64_t deadline, struct error *why)
{
	ssize_t n;

	begin(w, io);
	n = read_head(w, o, deadline, why);
	if (n > 0 && has_pages(o) && asks_for_page(o)) {
		w->head = &came.head;
		return 1;
	}
	if (n == -1 ||
	    check(w, o, request, came.buf, n, came.len, why) == -1)
		return -1;
	if (o->websocket.path != NULL &&
	    !is_path(o, http_path(request->target)))
		return refuse(w, 404, "no such path", why);
	return 0;
}

int
websocket_adopt(struct websocket *w, const struct options *o, struct io io,
    const char *bytes, size_t len, struct upgrade_request *request,
    struct error *why)
{
	struct http_parser_state st;
	char err[ERROR_LINE_MAX];
	ssize_t n;
	int status;

	begin(w, io);
	w->is_adopted = 1;
	http_begin(&st, 0);
	n = http_parse(&st, bytes, len, &came.head, &status, err, sizeof err);
	if (n <= 0)
		return refuse(w, 400, "not a whole request", why);
	return check(w, o, request, bytes, n, len, why);
}

int
websocket_answer(struct websocket *w, const struct upgrade_request *request,
    const struct extension *answer, int64_t deadline, struct error *why)
{
	char text[1024];
	int n;

	n = upgrade_write_answer(text, sizeof text, request, answer);
	if (n == -1 || deadline_write(&w->io, text, n, deadline) == -1) {
		error_set(why, n != -1 && errno == ETIMEDOUT ? EXIT_AGAIN :
		    EXIT_LOST, "cannot answer: %s", n == -1 ?
		    "the answer is too long" : strerror(errno));
		io_close(&w->io);
		return -1;
	}
	w->has_extension = answer != NULL;
	return 0;
}
