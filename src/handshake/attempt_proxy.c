/* SPDX-License-Identifier: ISC */
/*
 * The tunnel of a proxy, by HTTP or SOCKS.
 */
#include <errno.h>
#include <string.h>

#include "handshake/attempt.h"
#include "handshake/headers.h"
#include "net/socket.h"
#include "os/clock.h"
#include "proto/header.h"

/* A 407 lists the schemes that the proxy takes (RFC 9110 11.7.1). */
static int
unauthorized(struct attempt *a)
{
	char schemes[100];
	int basic = http_offers(&a->exchange.head, "Proxy-Authenticate",
	    "Basic", schemes, sizeof(schemes));

	if (a->exchange.authorized)
		return error_set(&a->why, EXIT_DENIED, "%s answered 407: it "
		    "does not take the credentials given", a->route.name);
	if (basic || schemes[0] == '\0')
		return error_set(&a->why, EXIT_DENIED, "%s answered 407: it "
		    "wants credentials (--proxy-user)", a->route.name);
	return error_set(&a->why, EXIT_DENIED, "%s answered 407: it offers "
	    "only %s, and inetws knows only Basic (others by "
	    "--proxy-header-command)", a->route.name, schemes);
}

/* The next bytes are the server's, which has had no request yet. */
static int
has_more(struct attempt *a, size_t n)
{
	return error_set(&a->why, EXIT_PROTOCOL, "%s: %zu unexpected bytes "
	    "after its answer, before any request to the server",
	    a->route.name, n);
}

static int
begin_http(struct attempt *a)
{
	a->exchange = (struct exchange){ .io = &a->io, .name = a->route.name,
	    .is_proxy = 1, .trace = &a->trace, .why = &a->why,
	    .room = &a->room };
	a->has_fields = 0;
	return headers_ask_proxy(&a->question, a->o, &a->route.proxy,
	    a->trust, &a->why);
}

/*
 * CONNECT (RFC 9110 9.3.6): a 2xx has no body, whatever its fields tell.  1,
 * 0: its fields are not there yet, or -1 and why.
 */
static int
send_connect(struct attempt *a)
{
	char extra[HEADERS_GIVEN_MAX];
	int n, r;

	if ((r = headers_write_proxy(extra, a->o, a->question, &a->why)) != 1)
		return r;
	a->has_fields = 1;
	a->moved_at = clock_ms();
	a->exchange.authorized = a->route.proxy.user[0] != '\0' ||
	    header_has(extra, "Proxy-Authorization");
	n = proxy_write_connect(a->room.out, sizeof(a->room.out),
	    &a->route.server, a->route.proxy.user,
	    a->o->websocket.user_agent, extra);
	if (n == -1)
		return error_set(&a->why, EXIT_BADUSAGE,
		    "%s: the request has more than %d bytes", a->route.name,
		    HTTP_HEAD_MAX);
	return exchange_begin(&a->exchange, n, strlen(extra) + 2) == -1 ?
	    -1 : 1;
}

static int
step_http(struct attempt *a)
{
	int status, r = a->has_fields ? 1 : send_connect(a);

	if (r != 1 || (r = exchange_step(&a->exchange)) != 1)
		return r;
	status = a->exchange.head.status;
	if (status >= 200 && status <= 299)
		return a->exchange.early_len == 0 ? 1 :
		    has_more(a, a->exchange.early_len);
	a->refused = REFUSED_BY_PROXY;
	a->retry_after = http_retry_after(&a->exchange.head, clock_date());
	return status == 407 ? unauthorized(a) :
	    exchange_refused(&a->exchange);
}

/* The first of the server's addresses; SOCKS 4 knows only IPv4. */
static int
look_up(struct attempt *a)
{
	struct net_found found;
	char name[NET_NAME_MAX];
	uint16_t port;

	a->looks_up = a->route.server_addresses == NULL;
	if (a->looks_up && a->looks != NULL)
		a->looks(a->looks_arg);
	a->looks_up = 0;
	if (net_find(&found, &a->route.server, a->route.server_addresses,
	    a->route.proxy.kind == PROXY_SOCKS4 ? NET_IPV4 :
	    a->o->dial.family, &a->why) == -1)
		return -1;
	net_print((const struct sockaddr *)&found.at[0].ss, found.at[0].len,
	    name, sizeof(name));
	return ip_parse_port(&a->ip, &port, slice_of(name));
}

/*
 * With socks5h and socks4a the proxy looks the server's name up, with socks5
 * and socks4 we do; an address, or a name that --resolve has, needs no look-up.
 */
static int
begin_socks(struct attempt *a)
{
	const struct addr *to = &a->route.server;

	a->socks = (struct socks){ .user = a->route.proxy.user,
	    .host = to->host, .port = to->port,
	    .step = a->route.proxy.kind == PROXY_SOCKS4 ? SOCKS4_CONNECT :
	    SOCKS_METHODS };
	a->length = a->sent = a->received = 0;
	if (ip_parse(&a->ip, slice_of(to->host)) == 0)
		a->socks.ip = &a->ip;
	else if (!a->route.proxy.names ||
	    a->route.server_addresses != NULL) {
		if (look_up(a) == -1)
			return -1;
		a->socks.ip = &a->ip;
	}
	return 0;
}

/* A proxy whose first answer is missing may be of another kind. */
static const char *
kind(const struct attempt *a)
{
	return a->socks.step == SOCKS_METHODS ||
	    a->socks.step == SOCKS4_CONNECT ? " (is it a SOCKS proxy? an HTTP "
	    "proxy is http://)" : "";
}

static int
socks_broken(struct attempt *a, int error)
{
	return error_set(&a->why, error == ETIMEDOUT || error == EINTR ?
	    EXIT_AGAIN : EXIT_PROTOCOL,
	    "%s: no answer: %s%s", a->route.name,
	    error == EINTR ? "interrupted" : strerror(error), kind(a));
}

/* 1: the message of this step is sent; 0: not all of it. */
static int
send_message(struct attempt *a)
{
	struct iovec iov;
	ssize_t n;

	if (a->length == 0) {
		if ((n = socks_write(a->message, &a->socks, &a->why)) == -1)
			return attempt_blame_proxy(a);
		a->length = n;
		a->sent = 0;
	}
	iov.iov_base = a->message + a->sent;
	iov.iov_len = a->length - a->sent;
	if (iov.iov_len == 0)
		return 1;
	n = io_writev(&a->io, &iov, 1);
	if (n == -1 && errno != EAGAIN)
		return socks_broken(a, errno);
	if (n > 0)
		a->sent += n;
	if (a->sent < a->length)
		return 0;
	explicit_bzero(a->message, sizeof(a->message));
	return 1;
}

/* 1: the answer of this step is taken, and nothing is behind it. */
static int
take_answer(struct attempt *a)
{
	struct iovec iov = { a->answer + a->received,
	    sizeof(a->answer) - a->received };
	ssize_t n, used;

	n = io_readv(&a->io, &iov, 1);
	if (n == -1)
		return errno == EAGAIN ? 0 : socks_broken(a, errno);
	if (n == 0)
		return error_set(&a->why, EXIT_PROTOCOL,
		    "%s: the connection was closed without an answer%s",
		    a->route.name, kind(a));
	a->received += n;
	used = socks_read(&a->socks, a->answer, a->received, &a->why);
	if (used == -1)
		a->refused = REFUSED_BY_PROXY;
	if (used <= 0)
		return used == 0 ? 0 : attempt_blame_proxy(a);
	if ((size_t)used < a->received)
		return has_more(a, a->received - used);
	a->received = a->length = 0;
	return 1;
}

static int
step_socks(struct attempt *a)
{
	int r = 1;

	while (r == 1 && a->socks.step != SOCKS_DONE)
		if ((r = send_message(a)) == 1)
			r = take_answer(a);
	return r;
}

int
attempt_proxy_begin(struct attempt *a)
{
	return a->route.proxy.kind == PROXY_HTTP ? begin_http(a) :
	    begin_socks(a);
}

int
attempt_proxy_step(struct attempt *a)
{
	return a->route.proxy.kind == PROXY_HTTP ? step_http(a) :
	    step_socks(a);
}

int
attempt_proxy_waits(const struct attempt *a)
{
	return a->route.proxy.kind == PROXY_HTTP && !a->has_fields;
}

int
attempt_proxy_poll(const struct attempt *a, struct pollfd *p)
{
	short wev;

	if (attempt_proxy_waits(a))
		return headers_poll(a->question, p);
	if (a->route.proxy.kind == PROXY_HTTP) {
		exchange_poll(&a->exchange, p);
		return 1;
	}
	p->fd = a->io.rfd;
	io_events(&a->io, 1, a->sent < a->length, &p->events, &wev);
	p->events = (short)(p->events | wev);
	return 1;
}

int64_t
attempt_proxy_time(const struct attempt *a)
{
	return attempt_proxy_waits(a) ? headers_time(a->question) :
	    a->route.proxy.kind == PROXY_HTTP ?
	    a->exchange.text_until : CLOCK_NEVER;
}

void
attempt_proxy_cancel(struct attempt *a, int error)
{
	if (attempt_proxy_waits(a))
		headers_late(a->o, HEADER_PROXY, error, &a->why);
	else if (a->route.proxy.kind == PROXY_HTTP)
		exchange_cancel(&a->exchange, error);
	else
		socks_broken(a, error);
}
