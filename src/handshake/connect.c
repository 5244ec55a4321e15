/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>

#include "handshake/connect.h"
#include "handshake/exchange.h"
#include "handshake/headers.h"
#include "handshake/route.h"
#include "handshake/tls_reload.h"
#include "net/deadline_io.h"
#include "net/socket.h"
#include "os/clock.h"
#include "proto/socks.h"

/* One connect_layers(). */
struct reach {
	struct websocket *w;
	struct io *io;			/* of w */
	const struct options *o;
	const struct trace *trace;
	int64_t deadline;
	struct error *why;
	struct route route;
	struct net_found found;
};

/* Puts the proxy's name before the error. */
static int
of_proxy(struct reach *r)
{
	struct error what = *r->why;

	return error_set(r->why, what.status, "%s: %s", r->route.name,
	    what.text);
}

/* Another layer over the end: TLS. */
static int
begin_tls(struct reach *r, struct tls_ctx *ctx, const char *host, int insecure)
{
	struct tls *tls = tls_connect(ctx, r->io->rfd, r->io->wfd, r->io->tls,
	    host, r->deadline, r->why);
	char text[128];

	if (tls == NULL)
		return -1;
	r->io->tls = tls;
	trace_step(r->trace, "%s, certificate of %s %s",
	    tls_describe(tls, text, sizeof(text)), host,
	    insecure ? "not verified" : "verified");
	return 0;
}

/* A 407 lists the schemes that the proxy takes (RFC 9110 11.7.1). */
static int
unauthorized(struct reach *r, struct exchange *t)
{
	char schemes[100];
	int basic = proxy_offers_basic(&t->head, schemes, sizeof(schemes));

	return error_set(r->why, EXIT_DENIED, "%s answered 407: %s%s%s",
	    t->name, !basic && schemes[0] != '\0' ? "it offers only " :
	    r->route.proxy.user[0] == '\0' ?
	    "it wants credentials (--proxy-user)" :
	    "it does not take the credentials given",
	    !basic ? schemes : "", !basic && schemes[0] != '\0' ?
	    ", and inetws knows only Basic" : "");
}

/* The next bytes are the server's, which has had no request yet. */
static int
has_more(struct reach *r, size_t n)
{
	return error_set(r->why, EXIT_PROTOCOL, "%s: %zu unexpected bytes "
	    "after its answer, before any request to the server",
	    r->route.name, n);
}

/* CONNECT (RFC 9110 9.3.6): a 2xx has no body, whatever its fields tell. */
static int
by_http(struct reach *r)
{
	struct exchange t = { .io = r->io, .name = r->route.name, .is_proxy = 1,
	    .trace = r->trace, .why = r->why };
	char extra[8192];
	int n;

	if (headers_write_list(extra, sizeof(extra), &r->o->proxy.header,
	    HEADER_PROXY, r->why) == -1)
		return -1;
	n = proxy_write_connect(exchange_request, sizeof(exchange_request),
	    &r->route.server, r->route.proxy.user,
	    r->o->websocket.user_agent, extra);
	if (n == -1)
		return error_set(r->why, EXIT_BADUSAGE,
		    "%s: the request is too long", r->route.name);
	if (exchange(&t, n, strlen(extra) + 2, r->deadline) == -1)
		return -1;
	if (t.head.status == 407)
		return unauthorized(r, &t);
	if (t.head.status < 200 || t.head.status > 299)
		return exchange_refused(&t);
	return t.early_len == 0 ? 0 : has_more(r, t.early_len);
}

/* One message and its answer. */
static int
socks_turn(struct reach *r, struct socks *s)
{
	unsigned char out[SOCKS_ASK_MAX], in[SOCKS_ANSWER_MAX + 1];
	size_t len = 0;
	ssize_t n, used = 0;
	int size;

	if ((size = socks_write(out, s, r->why)) == -1)
		return of_proxy(r);
	n = deadline_write(r->io, out, size, r->deadline);
	explicit_bzero(out, sizeof(out));
	while (n != -1 && used == 0) {
		n = deadline_read(r->io, in + len, sizeof(in) - len,
		    r->deadline);
		if (n == 0)
			return error_set(r->why, EXIT_PROTOCOL,
			    "%s: the connection was closed without an answer",
			    r->route.name);
		if (n == -1)
			break;
		len += n;
		if ((used = socks_read(s, in, len, r->why)) == -1)
			return of_proxy(r);
	}
	if (n == -1)
		return error_set(r->why, errno == ETIMEDOUT ? EXIT_AGAIN :
		    EXIT_PROTOCOL, "%s: no answer: %s (is it a SOCKS proxy?)",
		    r->route.name, strerror(errno));
	return (size_t)used == len ? 0 : has_more(r, len - used);
}

/* The first of the server's addresses; SOCKS 4 knows only IPv4. */
static int
look_up(struct reach *r, struct ip *ip)
{
	struct net_found found;
	char name[NET_NAME_MAX];
	uint16_t port;

	if (net_find(&found, &r->route.server, r->route.server_addresses,
	    r->route.proxy.kind == PROXY_SOCKS4 ? NET_IPV4 :
	    r->o->dial.family, r->why) == -1)
		return -1;
	net_print((const struct sockaddr *)&found.at[0].ss, found.at[0].len,
	    name, sizeof(name));
	return ip_parse_port(ip, &port, slice_of(name));
}

/*
 * With socks5h and socks4a the proxy looks the server's name up, with socks5
 * and socks4 we do; an address, or a name that --resolve has, needs no look-up.
 */
static int
by_socks(struct reach *r)
{
	const struct addr *to = &r->route.server;
	struct socks s = { .user = r->route.proxy.user, .host = to->host,
	    .port = to->port, .step = r->route.proxy.kind == PROXY_SOCKS4 ?
	    SOCKS4_CONNECT : SOCKS_METHODS };
	struct ip ip;

	if (ip_parse(&ip, slice_of(to->host)) == 0)
		s.ip = &ip;
	else if (!r->route.proxy.names ||
	    r->route.server_addresses != NULL) {
		if (look_up(r, &ip) == -1)
			return -1;
		s.ip = &ip;
	}
	while (s.step != SOCKS_DONE)
		if (socks_turn(r, &s) == -1)
			return -1;
	return 0;
}

static int
by_proxy(struct reach *r, struct trust *trust)
{
	const struct proxy *p = &r->route.proxy;
	char text[ADDR_HOST_MAX + 16];

	if (p->tls && begin_tls(r, trust->proxy, p->at.host,
	    r->o->proxy.insecure) == -1) {
		if (r->why->status == EXIT_AGAIN)
			strlcat(r->why->text, " (a proxy without TLS is "
			    "http://)", sizeof(r->why->text));
		return of_proxy(r);
	}
	if ((p->kind == PROXY_HTTP ? by_http(r) : by_socks(r)) == -1)
		return -1;
	r->w->at[DIAL_TUNNELLED] = clock_us();
	trace_step(r->trace, "%s connects us to %s", r->route.name,
	    addr_print(text, sizeof(text), &r->route.server));
	return 0;
}

/* The certificate's name: --servername is about the URL's host only. */
static const char *
server_name(const struct options *o, const struct url *url)
{
	return o->tls.servername != NULL && o->tls.servername[0] != '\0' &&
	    url_same_origin(&o->url, url) ?
	    o->tls.servername : url->at.host;
}

/* Contexts that only a redirect needs, made when it has come. */
static int
make_contexts(struct reach *r, const struct url *url, struct trust *t)
{
	if (url->tls && t->server == NULL &&
	    (t->server = tls_reload_make(r->o, r->why)) == NULL)
		return -1;
	if (r->route.proxy.tls && t->proxy == NULL &&
	    (t->proxy = tls_reload_make_proxy(r->o, r->why)) == NULL)
		return -1;
	return 0;
}

/* TCP. */
static int
dial(struct reach *r)
{
	struct websocket *w = r->w;
	int fd;

	if (net_find(&r->found, &r->route.dial, r->route.addresses,
	    r->o->dial.family, r->why) == -1)
		return -1;
	w->found = &r->found;
	w->at[DIAL_FOUND] = clock_us();
	fd = net_dial_found(&r->route.dial, &r->found, r->deadline, w->via,
	    r->why);
	if (fd == -1)
		return -1;
	w->at[DIAL_CONNECTED] = clock_us();
	net_tune(fd);
	w->io = io_of(fd);
	trace_step(r->trace, "connected to %s", w->via);
	return 0;
}

int
connect_layers(struct websocket *w, const struct options *o,
    const struct url *url, struct trust *trust, const struct trace *trace,
    struct error *why)
{
	static struct reach r;	/* what is big is set when it is used */
	char text[ADDR_HOST_MAX + 16];
	int by;

	r.w = w;
	r.io = &w->io;
	r.o = o;
	r.trace = trace;
	r.why = why;
	r.deadline = clock_after(o->timeouts.connect);
	if (route_find(&r.route, o, url, why) == -1 ||
	    make_contexts(&r, url, trust) == -1)
		return -1;
	by = r.route.proxy.kind != PROXY_NONE;
	w->proxy = by ? r.route.name : NULL;
	trace_step(trace, "dialling %s%s", by ? "proxy " : "",
	    addr_print(text, sizeof(text), &r.route.dial));
	if (dial(&r) == -1)
		return by ? of_proxy(&r) : -1;
	if (by && by_proxy(&r, trust) == -1)
		return -1;
	if (!url->tls)
		return 0;
	if (begin_tls(&r, trust->server, server_name(o, url),
	    o->tls.insecure) == -1)
		return -1;
	w->at[DIAL_SECURED] = clock_us();
	return 0;
}
