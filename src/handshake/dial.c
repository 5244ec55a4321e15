/* SPDX-License-Identifier: ISC */
/*
 * The dialling side: one request after another until an answer is no
 * redirect, in steps that do not wait.  websocket_dial() waits between them.
 */
#include <errno.h>
#include <string.h>

#include "handshake/dial_internal.h"
#include "handshake/headers.h"
#include "handshake/redial.h"
#include "handshake/websocket.h"
#include "net/changes.h"
#include "net/socket.h"
#include "os/clock.h"
#include "os/signals.h"
#include "proto/agent_name.h"

/* What is big is set when it is used. */
static struct dial dial __attribute__((aligned(4096)));

/* Header fields of the user's, and right behind them the request's room. */
static char extra[HEADERS_SIZE + sizeof(struct exchange_room)]
    __attribute__((aligned(4096)));

static void
set_state(struct dial *d, enum dial_state to)
{
	d->state = to;
	d->moved_at = clock_ms();
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

static void
clear(struct websocket *w, int hops)
{
	memset(w, 0, sizeof *w);
	w->io = IO_CLOSED;
	w->redirects = hops;
}

static void
tell(const struct dial *d, enum dial_step done)
{
	if (d->done != NULL)
		d->done(d->w, done);
}

/* What an attempt has done that was not told yet. */
static void
tell_path(void *arg)
{
	struct dial *d = arg;
	int64_t before[DIAL_STEPS];
	enum dial_step i;

	if (d->done == NULL)
		return;
	memcpy(before, d->w->at, sizeof(before));
	attempt_show(&d->attempt, d->w);
	for (i = DIAL_FOUND; i < DIAL_ANSWERED; i++)
		if (before[i] == 0 && d->w->at[i] != 0)
			d->done(d->w, i);
}

/* A request to d->url is wanted, over w->io or another path. */
static int
begin_request(struct dial *d)
{
	url_print(d->name, sizeof d->name, d->url);
	if (d->trace.masked)
		agent_name_mask_url(d->name);
	d->w->name = d->name;
	d->deadline = d->until;
	set_state(d, STEP_FIELDS);
	return headers_ask(&d->question, d->o, d->url, d->trust, d->why);
}

/*
 * The next steps: each as dial_step() but 1: another one can be done.  An
 * answer is not looked for before it can be there.
 */
/*
 * A redirect has no time of its own.  The first request's --header-command has
 * had its time already.
 */
static void
limit_all(struct dial *d)
{
	int64_t connect = d->o->timeouts.connect;
	int64_t handshake = d->o->timeouts.handshake;

	if (connect > 0 && handshake > 0)
		d->until = clock_after(connect + handshake);
}

/* After so many ms (0: never), and not after the end of all. */
static int64_t
within(const struct dial *d, int64_t ms)
{
	int64_t deadline = clock_after(ms);

	return deadline < d->until ? deadline : d->until;
}

static int
send_request(struct dial *d)
{
	int n;

	d->exchange.room = (void *)(extra + strlen(extra) + 1);
	n = dial_write_request(d, extra);
	if (n == -1)
		return -1;
	d->deadline = within(d, d->o->timeouts.handshake);
	set_state(d, STEP_ANSWER);
	return exchange_begin(&d->exchange, n, strlen(extra) + 2) == -1 ?
	    -1 : io_pending(&d->w->io);
}

static int
step_fields(struct dial *d)
{
	int r = headers_write(extra, d->o, d->url, d->question, d->why);

	if (r != 1)
		return r;
	if (d->w->redirects == 0)
		limit_all(d);
	d->w->at[DIAL_BEGUN] = clock_us();
	if (d->w->io.rfd != -1)
		return send_request(d);
	set_state(d, STEP_PATH);
	tell(d, DIAL_BEGUN);
	d->attempt.known = NULL;
	d->attempt.skip_lookup = 0;
	d->attempt.looks = tell_path;
	d->attempt.looks_arg = d;
	attempt_begin(&d->attempt, d->o, d->url, d->trust, &d->trace,
	    within(d, d->o->timeouts.connect));
	tell_path(d);
	return 1;
}

static int
step_path(struct dial *d)
{
	int r = attempt_step(&d->attempt);

	tell_path(d);
	if (r == 0)
		return 0;
	attempt_take(&d->attempt, d->w);
	if (r == 1)
		return send_request(d);
	*d->why = d->attempt.why;
	return -1;
}

static int
begin_hop(struct dial *d)
{
	int hops = d->w->redirects + 1;

	io_bye(&d->w->io);
	if (hops > WEBSOCKET_REDIRECTS_MAX)
		return error_set(d->why, EXIT_PROTOCOL,
		    "%s: more than %d redirects", d->name,
		    WEBSOCKET_REDIRECTS_MAX);
	tell(d, DIAL_ANSWERED);
	clear(d->w, hops);
	return begin_request(d) == -1 ? -1 : 1;
}

static int
step_answer(struct dial *d)
{
	int r = exchange_step(&d->exchange);

	if (r != 1)
		return r;
	d->http_status = d->exchange.head.status;
	d->w->head = &d->exchange.head;
	d->w->at[DIAL_ANSWERED] = clock_us();
	if (d->exchange.head.status == 101) {
		set_state(d, STEP_OVER);
		if (dial_accepted(d) == -1)
			return -1;
		tell(d, DIAL_ANSWERED);
		return 1;
	}
	if (upgrade_is_redirect(d->exchange.head.status))
		return dial_redirect(d) == -1 ? -1 : begin_hop(d);
	d->w->retry_after = http_retry_after(&d->exchange.head, clock_date());
	set_state(d, STEP_REFUSAL);
	return 1;
}

static int
step_refusal(struct dial *d)
{
	int r = exchange_refused(&d->exchange);

	d->w->early = d->exchange.early;
	d->w->early_len = d->exchange.early_len;
	return r;
}

static int
step(struct dial *d)
{
	switch (d->state) {
	case STEP_FIELDS:
		return step_fields(d);
	case STEP_PATH:
		return step_path(d);
	case STEP_ANSWER:
		return step_answer(d);
	case STEP_REFUSAL:
		return step_refusal(d);
	case STEP_OVER:
		break;
	}
	return 0;
}

/* What was on its way is closed. */
static int
fail(struct dial *d)
{
	io_bye(&d->w->io);
	set_state(d, STEP_OVER);
	tell(d, DIAL_STEPS);
	return d->w->redirects > 0 ? blame_redirect(d) : -1;
}

/* It fails, with ETIMEDOUT or EINTR for a reason. */
static int
cancel(struct dial *d, int error)
{
	if (d->state == STEP_PATH) {
		attempt_cancel(&d->attempt, error);
		*d->why = d->attempt.why;
		attempt_take(&d->attempt, d->w);
	} else if (d->state == STEP_FIELDS)
		headers_late(d->o, HEADER_SERVER, error, d->why);
	else
		exchange_cancel(&d->exchange, error);
	return fail(d);
}

/* 1: the websocket is open; 0: it goes on later; -1 and why: it is closed. */
static int
dial_step(struct dial *d)
{
	int r = 1;

	while (r == 1 && d->state != STEP_OVER)
		r = step(d);
	if (r == -1)
		return fail(d);
	if (r == 0 && clock_ms() >= d->deadline)
		return cancel(d, ETIMEDOUT);
	return r;
}

static int
dial_poll(const struct dial *d, struct pollfd *p)
{
	switch (d->state) {
	case STEP_FIELDS:
		return headers_poll(d->question, p);
	case STEP_PATH:
		return attempt_poll(&d->attempt, p);
	case STEP_ANSWER:
	case STEP_REFUSAL:
		exchange_poll(&d->exchange, p);
		return 1;
	case STEP_OVER:
		break;
	}
	return 0;
}

static int64_t
dial_time(const struct dial *d)
{
	int64_t next = CLOCK_NEVER;

	switch (d->state) {
	case STEP_FIELDS:
		next = headers_time(d->question);
		break;
	case STEP_PATH:
		next = attempt_time(&d->attempt);
		break;
	case STEP_ANSWER:
	case STEP_REFUSAL:
		next = d->exchange.text_until;
		break;
	case STEP_OVER:
		break;
	}
	return next < d->deadline ? next : d->deadline;
}

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
	    o->mode == MODE_AGENT, o->mode == MODE_CHECK };
	d->offer = (struct upgrade_offer){ .user = dial_credentials(o),
	    .subprotocol = o->websocket.subprotocol,
	    .user_agent = o->websocket.user_agent,
	    .origin = o->websocket.origin };
	d->extension = offer;
	d->http_status = 0;
	d->until = CLOCK_NEVER;
	clear(w, 0);
}

/* Waits for all that begin() has prepared. */
static int
go(struct dial *d, int *http_status)
{
	struct pollfd p[REDIAL_POLL_MAX];
	int r;

	r = begin_request(d) == -1 ? fail(d) : dial_step(d);
	while (r == 0) {
		signals_poll(p, dial_poll(d, p), clock_poll(dial_time(d)));
		r = signal_terminated() ? cancel(d, EINTR) : dial_step(d);
	}
	*http_status = d->http_status;
	return r == 1 ? 0 : -1;
}

int
websocket_dial(struct websocket *w, const struct options *o,
    struct trust *trust, const struct extension *offer, int *http_status,
    struct error *why)
{
	begin(w, o, trust, offer, why);
	return go(&dial, http_status);
}

void
websocket_watch(void (*done)(const struct websocket *, enum dial_step))
{
	dial.done = done;
}

int
websocket_look(const struct options *o, struct trust *trust,
    struct error *why)
{
	struct websocket w;
	int status;

	begin(&w, o, trust, NULL, why);
	dial.offer.is_none = 1;
	if (go(&dial, &status) == 0)
		io_bye(&w.io);
	return status;
}

/* --- redial.h: the same steps, over a path that is up --- */

int
redial_ask(struct websocket *w, struct attempt *a, const struct options *o,
    struct trust *trust, const struct extension *offer, struct error *why)
{
	begin(w, o, trust, offer, why);
	attempt_take(a, w);
	return begin_request(&dial) == -1 ? fail(&dial) : 0;
}

int
redial_step(int *http_status)
{
	int r = dial_step(&dial);

	*http_status = dial.http_status;
	return r;
}

unsigned int
redial_poll(struct pollfd *p)
{
	return dial_poll(&dial, p);
}

int64_t
redial_time(void)
{
	return dial_time(&dial);
}

int64_t
redial_unheard_since(void)
{
	return dial.state == STEP_ANSWER &&
	    net_unacknowledged(dial.w->io.wfd) ? dial.moved_at : CLOCK_NEVER;
}

int
redial_holds(void)
{
	return dial.state == STEP_PATH ? attempt_holds(&dial.attempt) :
	    dial.w->io.rfd == -1 || net_local_holds(dial.w->io.rfd);
}

void
redial_cancel(int *http_status)
{
	cancel(&dial, ETIMEDOUT);
	*http_status = dial.http_status;
}

void
redial_end(void)
{
	if (dial.state == STEP_PATH)
		attempt_end(&dial.attempt);
	io_bye(&dial.w->io);
	set_state(&dial, STEP_OVER);
}
