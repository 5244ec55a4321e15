/* SPDX-License-Identifier: ISC */
/*
 * /metrics, /healthz, /readyz and a page for people.  Everything is read from
 * the statistics page, nobody is asked and nothing is allocated.
 */
#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/deadline_io.h"
#include "net/http_read.h"
#include "net/io.h"
#include "os/clock.h"
#include "os/memory.h"
#include "os/process.h"
#include "proto/date.h"
#include "proto/http.h"
#include "stats/metrics.h"
#include "stats/page.h"
#include "supervisor/metrics/http.h"

#define REQUEST_MS	5000	/* for reading it, and for the answer */
#define LINGER_MS	500	/* until the peer closes */
#define READY_KEPT	5000	/* ms that an answer of /readyz holds */
#define BODY_MAX	(4 * 1024 * 1024)
#define ROW_MAX		4096	/* bytes of a row, escaped at its worst */

#define TYPE_TEXT	"text/plain; charset=utf-8"
#define TYPE_HTML	"text/html; charset=utf-8"

struct room {
	char head[HTTP_HEAD_MAX];
	struct report_name name[REPORT_NAMES_MAX];
	char body[BODY_MAX];
};

_Static_assert(sizeof(struct room) <= MEMORY_MAX, "it can be had");

struct answer {
	int status;
	const char *type;
	struct out body;
	struct room *room;
};

static void
say(struct answer *a, int status, const char *text)
{
	a->status = status;
	out_begin(&a->body, a->room->body, sizeof(a->room->body));
	out_add(&a->body, "%s\n", text);
}

static void
serve_metrics(struct answer *a, const struct options *o,
    const struct http_head *head)
{
	struct metrics_form form = { .trazfr = o->observe.metrics_names == 1 };
	struct report_names names = { .of = a->room->name,
	    .max = REPORT_NAMES_MAX };
	struct slice accept = { NULL, 0 };
	struct process_usage process;
	struct stats_view v;
	struct report r;

	http_field(head, "Accept", &accept);
	form.openmetrics = metrics_wants_open(accept);
	a->type = form.openmetrics ? METRICS_TYPE_OPEN : METRICS_TYPE_TEXT;
	stats_view_own(&v);
	stats_read(&v, &r);
	stats_names(&v, &names);
	process_look(getppid(), &process);
	metrics_write(&a->body, &form, &r, &names, &process);
}

static void
serve_page(struct answer *a)
{
	struct report_names names = { .of = a->room->name,
	    .max = REPORT_NAMES_MAX };
	struct stats_view v;
	struct report r;
	struct report_row row;
	unsigned int i, more = 0;

	a->type = TYPE_HTML;
	stats_view_own(&v);
	stats_read(&v, &r);
	stats_names(&v, &names);
	report_html_head(&a->body, &r);
	report_html_names(&a->body, &names);
	report_html_columns(&a->body);
	for (i = 0; i < stats_slots(&v); i++) {
		if (!stats_row(&v, i, &row))
			continue;
		if (a->body.size - a->body.len < 2 * ROW_MAX)
			more++;
		else
			report_html_row(&a->body, &row);
	}
	report_html_end(&a->body, more + r.unlisted);
}

/* What was found out lately holds for a while, for all who ask. */
static void
serve_ready(struct answer *a, const struct service *service, int draining)
{
	int64_t note = stats_ready_cache(), now = clock_ms();
	struct error why;

	if (draining)
		say(a, 503, "draining");
	else if (service->ready == NULL)
		say(a, 200, "ready");
	else if (note != 0 && now - (note >> 1) < READY_KEPT)
		say(a, note & 1 ? 200 : 503, note & 1 ? "ready" :
		    "not ready, as of a moment ago");
	else if (service->ready(service->arg, &why) == 0) {
		stats_set_ready_cache(clock_ms() << 1 | 1);
		say(a, 200, "ready");
	} else {
		stats_set_ready_cache(clock_ms() << 1);
		say(a, 503, why.text);
	}
}

/* 0, or -1 and the answer. */
static int
check_host(struct answer *a, const struct http_head *head)
{
	struct slice host;
	int hosts = http_field(head, "Host", &host);

	if (hosts == -1 || (hosts == 0 && head->minor > 0))
		say(a, 400, "a request needs one Host");
	else if (hosts == 1 && !http_is_host(host))
		say(a, 400, "malformed Host");
	else
		return 0;
	return -1;
}

static void
route(struct answer *a, const struct options *o, const struct service *service,
    const struct http_head *head, int draining)
{
	struct slice path = http_path(head->target);

	if (check_host(a, head) == -1)
		return;
	if (slice_is(path, "/metrics"))
		serve_metrics(a, o, head);
	else if (slice_is(path, "/"))
		serve_page(a);
	else if (slice_is(path, "/healthz"))
		say(a, 200, "alive");
	else if (slice_is(path, "/readyz"))
		serve_ready(a, service, draining);
	else
		say(a, 404, "there are /metrics, /healthz, /readyz and /");
}

/* Reads a head.  Fills in the answer if it is refused; -1: nobody is there. */
static int
read_head(struct io *io, struct http_head *head, struct answer *a,
    int64_t deadline)
{
	struct http_read r = { .io = io, .buf = a->room->head,
	    .size = sizeof(a->room->head), .plain = 1 };
	ssize_t n = http_read(&r, head, deadline);
	int late;

	if (n > 0)
		return 0;
	if (n == 0 || (errno != EBADMSG && errno != ETIMEDOUT))
		return -1;
	late = errno == ETIMEDOUT;
	head->method = slice_of(http_is_method((struct slice){ r.buf, r.len },
	    "HEAD") ? "HEAD" : "GET");
	if (late)
		say(a, 408, r.len == 0 ? "no request came" :
		    "the request is not complete");
	else
		say(a, r.status, r.err);
	return 0;
}

/* What the peer still sends is taken, so that no reset eats the answer. */
static void
wait_for_close(struct io *io, int64_t deadline)
{
	char waste[512];

	(void)!deadline_finish(io, deadline);
	while (deadline_read(io, waste, sizeof(waste), deadline) > 0)
		;
}

static void
send_answer(struct io *io, struct answer *a, const struct http_head *head)
{
	char text[768], rules[256], allow[32] = "", date[DATE_MAX];
	struct out policy;
	int64_t deadline = clock_ms() + REQUEST_MS;
	int n;

	/* OPTIONS is what HAProxy asks: the status of GET, and no content. */
	if (slice_is(head->method, "OPTIONS"))
		a->body.len = 0;
	if (a->status == 405 || slice_is(head->method, "OPTIONS"))
		strlcpy(allow, "Allow: GET, HEAD, OPTIONS\r\n",
		    sizeof(allow));
	out_begin(&policy, rules, sizeof(rules));
	report_html_policy(&policy);
	n = snprintf(text, sizeof(text), "HTTP/1.1 %d %s\r\nDate: %s\r\n"
	    "Content-Type: %s\r\nContent-Length: %zu\r\n%s"
	    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
	    "Content-Security-Policy: %s\r\nConnection: close\r\n\r\n",
	    a->status, http_reason(a->status), date_write(date, clock_date()),
	    a->type, a->body.len, allow, rules);
	if (deadline_write(io, text, n, deadline) == -1)
		return;
	if (!slice_is(head->method, "HEAD") &&
	    deadline_write(io, a->body.p, a->body.len, deadline) == -1)
		return;
	wait_for_close(io, clock_ms() + LINGER_MS);
}

void
metrics_answer(struct io *io, const struct options *o,
    const struct http_head *head)
{
	struct answer a = { .status = 200, .type = TYPE_TEXT,
	    .room = memory_take(sizeof(struct room)) };
	struct slice path = http_path(head->target);

	out_begin(&a.body, a.room->body, sizeof(a.room->body));
	if (check_host(&a, head) == -1)
		;
	else if (o->observe.metrics_path == NULL ||
	    !slice_is(path, o->observe.metrics_path))
		say(&a, 200, "alive");
	else if (stats_is_open())
		serve_metrics(&a, o, head);
	else
		say(&a, 503, "no statistics");
	send_answer(io, &a, head);
}

void
metrics_serve(int fd, const struct options *o, const struct service *service,
    int draining)
{
	struct answer a = { .status = 0, .type = TYPE_TEXT,
	    .room = memory_take(sizeof(struct room)) };
	struct io io = io_of(fd);
	struct http_head head;

	out_begin(&a.body, a.room->body, sizeof(a.room->body));
	if (read_head(&io, &head, &a, clock_ms() + REQUEST_MS) == -1)
		return;
	if (a.status == 0) {
		a.status = 200;
		route(&a, o, service, &head, draining);
	}
	send_answer(&io, &a, &head);
}
