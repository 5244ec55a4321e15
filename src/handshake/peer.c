/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "handshake/auth.h"
#include "handshake/peer.h"
#include "os/clock.h"
#include "os/signals.h"
#include "proto/forwarded.h"
#include "proto/origin.h"
#include "proto/proxy_protocol.h"
#include "stats/page.h"

#define PAUSE_MS	10	/* see wait_for_more() */
#define PAUSE_MAX	1000
#define MALFORMED	"malformed Forwarded (RFC 7239)"
#define WRONG_ORIGIN	"web pages of this Origin are not allowed here: the " \
			"operator of this server can allow them " \
			"(--allow-origin)"

static char buf[PROXY_PROTOCOL_MAX + 1];	/* for a PROXY header */

/* A header that stays in the socket until it is whole. */
struct kept_header {
	size_t seen;		/* bytes at the last look */
	int pause;		/* ms before the next look */
	int ended;		/* no more will come */
};

void
peer_begin(struct peer *p, const char *address)
{
	memset(p, 0, sizeof(*p));
	strlcpy(p->address, address, sizeof(p->address));
}

int
peer_drop(int fd, size_t kept)
{
	return recv(fd, buf, kept, MSG_DONTWAIT) == (ssize_t)kept ? 0 : -1;
}

/* A socket is readable when it has so many bytes. */
static void
set_low_water(int fd, int bytes)
{
	setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes));
}

/*
 * Waits until more bytes than these may be there, or the peer has ended.  Of
 * Linux' sockets poll(2) heeds SO_RCVLOWAT for TCP, but not for Unix sockets:
 * one that is ready without new bytes is looked at after a pause that grows.
 * 0, or -1 with errno.
 */
static int
wait_for_more(struct kept_header *k, int fd, size_t bytes, int64_t deadline)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | NET_POLL_ENDED };
	int64_t until = deadline;
	int r;

	if (bytes == k->seen) {
		k->pause = k->pause == 0 ? PAUSE_MS :
		    k->pause < PAUSE_MAX / 2 ? 2 * k->pause : PAUSE_MAX;
		until = clock_ms() + k->pause;
		pfd.events = NET_POLL_ENDED;
	} else
		k->pause = 0;
	if (until > deadline)
		until = deadline;
	k->seen = bytes;
	set_low_water(fd, (int)bytes + 1);
	r = signals_wait(&pfd, 1, until);
	set_low_water(fd, 1);
	if (r == -1)
		return errno == ETIMEDOUT && until < deadline ? 0 : -1;
	k->ended = (pfd.revents & (NET_POLL_ENDED | POLLHUP | POLLERR)) != 0;
	return 0;
}

/*
 * Bytes are looked at before they are taken: as long as the header wants
 * more, all that is there belongs to it.  With keep none are taken.
 */
static ssize_t
read_line(struct proxy_protocol *p, int fd, int64_t deadline, int keep,
    char *err, size_t errlen)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct kept_header kept = { .seen = 0 };
	size_t len = 0;
	ssize_t n, r;

	for (;;) {
		n = recv(fd, buf + len, sizeof(buf) - len,
		    MSG_PEEK | MSG_DONTWAIT);
		if (n == 0) {
			errno = 0;
			return -2;
		}
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			return -2;
		r = n > 0 ? proxy_protocol_parse(p, buf, len + n, err,
		    errlen) : 0;
		if (r == -1)
			return -1;
		if (r > 0)
			return keep || recv(fd, buf + len, r - len,
			    MSG_DONTWAIT) == (ssize_t)(r - len) ? r : -2;
		if (n > 0 && !keep) {
			if (recv(fd, buf + len, n, MSG_DONTWAIT) != n)
				return -2;
			len += n;
			continue;
		}
		if (kept.ended && n == (ssize_t)kept.seen) {
			errno = net_error(fd);
			return -2;
		}
		if (n > 0 ? wait_for_more(&kept, fd, n, deadline) == -1 :
		    signals_wait(&pfd, 1, deadline) == -1)
			return -2;
	}
}

int
peer_proxy_header(struct peer *p, const struct options *o, int fd,
    int64_t deadline, size_t *kept, struct error *why)
{
	struct proxy_protocol pp;
	char err[ERROR_LINE_MAX], text[IP_TEXT_MAX];
	ssize_t n;

	if (kept != NULL)
		*kept = 0;
	if (!o->access.accept_proxy)
		return 0;
	n = read_line(&pp, fd, deadline, kept != NULL, err, sizeof(err));
	if (n == -1)
		return error_set(why, EXIT_PROTOCOL, "%s; --accept-proxy needs "
		    "one from every connection", err);
	if (n == -2)
		return error_set(why, errno == ETIMEDOUT || errno == EINTR ?
		    EXIT_AGAIN : EXIT_LOST, "PROXY header: %s", errno == 0 ?
		    "the peer left within it" : errno == EINTR ?
		    "interrupted" : strerror(errno));
	if (kept != NULL)
		*kept = n;
	p->untold = !pp.known;
	if (pp.known)
		strlcpy(p->address, ip_print(text, &pp.from, pp.from_port),
		    sizeof(p->address));
	return 0;
}

/* Is it in one of the networks of --trusted-proxy? */
static int
trusts(const void *arg, const struct ip *ip)
{
	const struct options *o = arg;
	struct cidr c;
	unsigned int i;

	for (i = 0; i < o->access.trusted_proxy.n; i++)
		if (cidr_parse(&c, slice_of(
		    o->access.trusted_proxy.v[i])) == 0 && cidr_has(&c, ip))
			return 1;
	return 0;
}

/* "unix" trusts every process that can open our Unix socket. */
static int
trusts_peer(const struct options *o, const char *peer)
{
	struct ip ip;
	uint16_t port;
	unsigned int i;

	if (strncmp(peer, "unix:", 5) == 0)
		for (i = 0; i < o->access.trusted_proxy.n; i++)
			if (strcmp(o->access.trusted_proxy.v[i], "unix") == 0)
				return 1;
	return ip_parse_port(&ip, &port, slice_of(peer)) == 0 &&
	    trusts(o, &ip);
}

/*
 * What the field of a trusted proxy tells, and whether that is trusted in its
 * turn.  0, or -1: the field is malformed.
 */
static int
true_address(struct peer *p, const struct options *o,
    const struct websocket *w)
{
	static const char *const name[] = REAL_IP_NAMES;
	const char *field = name[o->access.real_ip_header];
	char text[IP_TEXT_MAX];
	struct slice value;
	struct ip ip;
	uint16_t port;

	p->trusted = trusts_peer(o, p->address);
	if (!p->trusted || o->access.real_ip_header == REAL_IP_NONE)
		return 0;
	switch (forwarded_from(w->head, field, trusts, o, &ip, &port)) {
	case -1:
		return -1;
	case 1:
		strlcpy(p->address, ip_print(text, &ip, port),
		    sizeof(p->address));
		p->trusts_open = trusts_peer(o, p->address);
		break;
	default:
		/* A peer that the proxy does not name may be anyone. */
		p->trusts_open = http_field(w->head, field, &value) == 0;
	}
	return 0;
}

/* X-Forwarded-Host may be a list: the nearest proxy wrote the last element. */
static int
is_forwarded_host(const struct websocket *w, struct slice origin)
{
	struct http_list all = HTTP_LIST("X-Forwarded-Host");
	struct slice element, last = slice_of(NULL);

	while (http_next_element(w->head, &all, &element))
		last = element;
	return last.p != NULL && origin_is_of(origin, last) &&
	    origin_is_bound(origin);
}

/* The text is for the log and tells the operator what to do. */
static int
check_origin(const struct options *o, const struct websocket *w,
    const struct upgrade_request *r, int trusted, char *err, size_t errlen)
{
	char origin[80], host[80];
	unsigned int i;

	if (r->origin.p == NULL || (origin_is_of(r->origin, r->host) &&
	    origin_is_bound(r->origin)))
		return 0;
	for (i = 0; i < o->access.allow_origin.n; i++)
		if (origin_is_allowed(r->origin, o->access.allow_origin.v[i]))
			return 0;
	if (trusted && is_forwarded_host(w, r->origin))
		return 0;
	str_escape(origin, sizeof(origin), r->origin.p, r->origin.len);
	str_escape(host, sizeof(host), r->host.p, r->host.len);
	snprintf(err, errlen, origin_is_of(r->origin, r->host) ?
	    "Origin %s equals Host %s, but a name without TLS proves nothing "
	    "(DNS rebinding): use https, or --allow-origin if that page may "
	    "use this server" :
	    "Origin %s is not of Host %s: if that page may "
	    "use this server, set proxy_set_header Host $http_host in nginx, "
	    "or use --allow-origin", origin, host);
	return 403;
}

static int
refuse(struct websocket *w, int status, const char *extra, const char *text,
    const char *told, struct error *why)
{
	error_set(why, status == 401 || status == 403 ? EXIT_DENIED :
	    status == 400 ? EXIT_PROTOCOL : EXIT_SYSTEM,
	    "refused with %d: %s", status, text);
	websocket_refuse_with(w, status, extra, told);
	return -1;
}

int
peer_check(struct peer *p, const struct options *o,
    const struct line_file *users, struct websocket *w,
    const struct upgrade_request *r, int64_t deadline, struct error *why)
{
	struct auth a = { p->address, p->subject, p->user, sizeof(p->user) };
	const char *extra;
	char err[400];
	int status;

	if (true_address(p, o, w) == -1)
		return refuse(w, 400, "", MALFORMED, MALFORMED, why);
	status = check_origin(o, w, r, p->trusted, err, sizeof(err));
	if (status != 0)
		return refuse(w, status, "", err, WRONG_ORIGIN, why);
	status = auth_request(&a, o, users, w, r, deadline, &extra, err,
	    sizeof(err));
	if (status != 0)
		return refuse(w, status, extra, err, err, why);
	return 0;
}

/* Text, and what kind of text it is, as a number that is not 0. */
static uint64_t
number_of(char kind, const char *text)
{
	uint64_t h = hash_add(hash_add(HASH_BEGIN, &kind, 1), text,
	    strlen(text));

	return h == 0 ? 1 : h;
}

uint64_t
peer_owner(const struct peer *p, const struct options *o)
{
	struct ip ip;
	uint16_t port;

	if (p->user[0] != '\0')
		return number_of('u', p->user);
	if (p->subject[0] != '\0')
		return number_of('c', p->subject);
	if (p->untold || ip_parse_port(&ip, &port,
	    slice_of(p->address)) == -1 || ip_is_loopback(&ip) ||
	    trusts(o, &ip))
		return 0;
	return ip_source(&ip);
}

/* Not to be counted is beyond the limit: else it would not hold. */
int
peer_count(const struct options *o, const char *address, struct error *why)
{
	struct ip ip;
	uint16_t port;
	unsigned int max = o->limits.per_source;
	int n;

	if (ip_parse_port(&ip, &port, slice_of(address)) == -1)
		return 0;
	n = stats_count_source(ip_source(&ip), max);
	if (max == 0 || (n >= 0 && (unsigned int)n < max))
		return 0;
	stats_count_source(0, 0);
	STATS_ADD(stats_mine->counts.refused, 1);
	if (n == -1)
		return error_set(why, EXIT_AGAIN, "connections per source "
		    "address cannot be counted: %s", stats_is_full() ? "the "
		    "statistics page is full; restarted, it has room for "
		    "--max-connections" : "there is no statistics page, see "
		    "--stats-file");
	return error_set(why, EXIT_AGAIN, "limit of %u connections per source "
	    "address reached", max);
}

int
peer_opened(const struct options *o, char address[NET_NAME_MAX],
    int trusts_open, const char *from, struct error *why)
{
	if (!trusts_open)
		return 0;
	if (strcmp(from, "-") != 0)
		strlcpy(address, from, NET_NAME_MAX);
	return peer_count(o, address, why);
}

int
peer_tell_target(const struct options *o, int fd, const char *peer,
    const char *via, struct error *why)
{
	struct proxy_protocol p;
	char line[PROXY_PROTOCOL_MAX];
	int n;

	if (o->access.send_proxy == 0)
		return 0;
	memset(&p, 0, sizeof(p));
	p.known = ip_parse_port(&p.from, &p.from_port, slice_of(peer)) == 0;
	/* Of a peer that a header named only the address is known. */
	if (p.known && ip_parse_port(&p.to, &p.to_port, slice_of(via)) == -1)
		p.to = p.from;
	n = proxy_protocol_write(line, sizeof(line), o->access.send_proxy, &p);
	if (send(fd, line, n, MSG_NOSIGNAL) != n)
		return error_set(why, EXIT_UNREACHABLE,
		    "cannot send the PROXY header: %s", strerror(errno));
	return 0;
}
