/* SPDX-License-Identifier: ISC */
/*
 * Who a peer is: the header of a proxy in pieces, which proxies are believed,
 * Origin, the owner of a session, the limit for an address, and what the
 * target is told.
 *
 * If it fails: a peer passes for another one, gets more than its share, or a
 * page of any site uses the server.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "handshake/peer.h"
#include "os/clock.h"
#include "os/signals.h"
#include "stats/page.h"
#include "tap.h"

#define V1	"PROXY TCP4 192.0.2.7 10.0.0.1 4711 443\r\n"

static struct options o;
static struct peer p;
static struct error why;
static struct websocket w;
static struct http_head head;
static struct upgrade_request request;
static int peer, ours;

static void
open_pair(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1 ||
	    fcntl(pair[1], F_SETFL, O_NONBLOCK) == -1)
		abort();
	peer = pair[0];
	ours = pair[1];
}

static void
close_pair(void)
{
	close(peer);
	close(ours);
}

static void
tell(const char *text, size_t len)
{
	if (write(peer, text, len) != (ssize_t)len)
		abort();
}

/* --- --accept-proxy --- */

/* In pieces by a child: each piece is there when the one before was taken. */
static pid_t
tell_slowly(const char *text, size_t len, size_t first)
{
	pid_t pid = fork();
	size_t at = 0, n;

	if (pid != 0)
		return pid;
	close(ours);
	for (; at < len; at += n) {
		n = at == 0 ? first : 1;
		if (write(peer, text + at, n) != (ssize_t)n)
			_exit(1);
		poll(NULL, 0, 2);
	}
	_exit(0);
}

static void
test_header(void)
{
	size_t kept = 99, first;
	char left[20];
	pid_t pid;
	int keep;

	open_pair();
	peer_begin(&p, "127.0.0.1:1");
	is_str(p.address, "127.0.0.1:1", "the socket's address at first");
	tell(V1, strlen(V1));
	is(peer_proxy_header(&p, &o, ours, clock_ms() + 5000, &kept, &why), 0,
	    "without the option");
	is(kept, 0, "nothing is kept");
	is_str(p.address, "127.0.0.1:1", "and no header counts");
	o.access.accept_proxy = 1;
	is(peer_proxy_header(&p, &o, ours, clock_ms() + 5000, &kept, &why), 0,
	    "with it");
	is_str(p.address, "192.0.2.7:4711", "its address counts");
	is(p.untold, 0, "it is told");
	is(kept, strlen(V1), "kept for another process");
	is(recv(ours, left, sizeof(left), MSG_DONTWAIT | MSG_PEEK),
	    sizeof(left), "it is still there");
	tell("GET", 3);
	is(peer_drop(ours, kept), 0, "it is dropped");
	is(recv(ours, left, sizeof(left), MSG_DONTWAIT), 3,
	    "and not a byte more");
	is(peer_drop(ours, 1), -1, "what is not there is not dropped");
	tell("a", 1);
	is(peer_drop(ours, 2), -1, "nor more than there is");
	close_pair();

	for (keep = 0; keep <= 1; keep++)
		for (first = 1; first <= 40; first += 13) {
			open_pair();
			peer_begin(&p, "");
			pid = tell_slowly(V1 "GE", strlen(V1) + 2, first);
			is(peer_proxy_header(&p, &o, ours, clock_ms() + 20000,
			    keep ? &kept : NULL, &why), 0, "in pieces");
			is_str(p.address, "192.0.2.7:4711", "it is whole");
			waitpid(pid, NULL, 0);
			if (keep)
				is(peer_drop(ours, kept), 0, "(dropped)");
			ok(recv(ours, left, sizeof(left), MSG_DONTWAIT) == 2 &&
			    left[0] == 'G', "the request stays");
			close_pair();
		}
	open_pair();
	peer_begin(&p, "127.0.0.1:1");
	tell("PROXY UNKNOWN\r\n", 15);
	is(peer_proxy_header(&p, &o, ours, clock_ms() + 5000, NULL, &why), 0,
	    "UNKNOWN");
	is(p.untold, 1, "tells no address");
	is_str(p.address, "127.0.0.1:1", "the socket's stays");
	close_pair();
}

/* Who sends no header is told so, each by its own exit status. */
static void
test_no_header(void)
{
	struct rusage before, after;
	int64_t begun = clock_ms();
	size_t kept;

	open_pair();
	peer_begin(&p, "");
	tell("GET / HTTP/1.1\r\n", 16);
	is(peer_proxy_header(&p, &o, ours, clock_ms() + 5000, NULL, &why), -1,
	    "no header");
	is(why.status, EXIT_PROTOCOL, "76");
	ok(strstr(why.text, "; --accept-proxy needs one from every "
	    "connection") != NULL, "%s", why.text);
	close_pair();

	open_pair();
	tell("PROXY TC", 8);
	is(peer_proxy_header(&p, &o, ours, begun + 50, NULL, &why), -1,
	    "half a header");
	is(why.status, EXIT_AGAIN, "75 at the deadline");
	ok(clock_ms() >= begun + 50, "and not before");
	ok(strncmp(why.text, "PROXY header: ", 14) == 0, "%s", why.text);
	tell("PROXY TC", 8);
	getrusage(RUSAGE_SELF, &before);
	is(peer_proxy_header(&p, &o, ours, clock_ms() + 100, &kept, &why), -1,
	    "what stays in the socket");
	getrusage(RUSAGE_SELF, &after);
	ok(after.ru_nvcsw > before.ru_nvcsw, "is not looked at all the time");
	shutdown(peer, SHUT_WR);
	is(peer_proxy_header(&p, &o, ours, clock_ms() + 5000, NULL, &why), -1,
	    "and an end");
	is(why.status, EXIT_LOST, "74");
	is_str(why.text, "PROXY header: the peer left within it", "says so");
	close_pair();

	open_pair();
	close(peer);
	peer = open("/dev/null", O_RDWR);
	is(peer_proxy_header(&p, &o, peer, clock_ms() + 5000, NULL, &why), -1,
	    "an error of the system");
	is(why.status, EXIT_LOST, "74");
	ok(strstr(why.text, "socket") != NULL, "its own words: %s", why.text);
	close_pair();
}

/* A pair of TCP sockets, peer and ours. */
static void
open_tcp_pair(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(to);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	if (l == -1 || bind(l, (struct sockaddr *)&to, len) == -1 ||
	    listen(l, 1) == -1 ||
	    getsockname(l, (struct sockaddr *)&to, &len) == -1)
		abort();
	peer = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(peer, (struct sockaddr *)&to, len) == -1 ||
	    (ours = accept(l, NULL, NULL)) == -1 ||
	    fcntl(ours, F_SETFL, O_NONBLOCK) == -1)
		abort();
	close(l);
}

static int
low_water(void)
{
	int bytes = -1;
	socklen_t len = sizeof(bytes);

	getsockopt(ours, SOL_SOCKET, SO_RCVLOWAT, &bytes, &len);
	return bytes;
}

enum leaving { FINS, CLOSES, RESETS, HOW_MANY };

static void
open_any_pair(int tcp)
{
	if (tcp)
		open_tcp_pair();
	else
		open_pair();
}

static void
leave(enum leaving how)
{
	static const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	if (how == RESETS)
		setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	if (how == FINS)
		shutdown(peer, SHUT_WR);
	else
		close(peer);
}

/*
 * The peer leaves within a header that stays: before it is read, or (late) most
 * likely while more is waited for.  There is no time limit.
 */
static void
leaves(int tcp, enum leaving how, int late)
{
	size_t kept;
	pid_t pid;

	open_any_pair(tcp);
	peer_begin(&p, "");
	tell("PROXY TCP4 192", 14);
	if (how == RESETS && write(ours, "x", 1) != 1)	/* for a Unix socket */
		abort();
	if (late && (pid = fork()) == 0) {
		close(ours);
		poll(NULL, 0, 30);
		leave(how);
		_exit(0);
	}
	if (late)
		close(peer);
	else
		leave(how);
	ok(peer_proxy_header(&p, &o, ours, CLOCK_NEVER, &kept, &why) == -1,
	    "%s, %d%s: ended", tcp ? "TCP" : "Unix", how, late ? ", late" : "");
	is(why.status, EXIT_LOST, "74");
	is_str(why.text, how == RESETS ? "PROXY header: Connection reset by "
	    "peer" : "PROXY header: the peer left within it", "says how");
	is(low_water(), 1, "the socket is as it was");
	if (late)
		waitpid(pid, NULL, 0);
	else if (how == FINS)
		close(peer);
	close(ours);
}

/* A peer that is silent within a header that stays costs next to nothing. */
static void
is_silent(int tcp)
{
	struct rusage before, after;
	size_t kept;

	open_any_pair(tcp);
	tell("PROXY TC", 8);
	getrusage(RUSAGE_SELF, &before);
	is(peer_proxy_header(&p, &o, ours, clock_ms() + 400, &kept, &why), -1,
	    "silent");
	getrusage(RUSAGE_SELF, &after);
	is(why.status, EXIT_AGAIN, "75 at the deadline");
	ok(after.ru_nvcsw - before.ru_nvcsw <= (tcp ? 4 : 10),
	    "it has slept %ld times", after.ru_nvcsw - before.ru_nvcsw);
	is(low_water(), 1, "the socket is as it was");
	close_pair();
}

/* TERM is received meanwhile, whatever poll(2) says of the socket. */
static void
is_terminated(int tcp)
{
	int status = -1;
	pid_t pid;
	size_t kept;

	open_any_pair(tcp);
	tell("PROXY TC", 8);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		signals_begin();
		signals_single();
		kill(getpid(), SIGTERM);
		alarm(20);
		_exit(peer_proxy_header(&p, &o, ours, CLOCK_NEVER, &kept,
		    &why) == -1 && why.status == EXIT_AGAIN &&
		    strcmp(why.text, "PROXY header: interrupted") == 0 ? 7 : 1);
	}
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 7, "TERM ends it");
	close_pair();
}

static void
test_kept_header(void)
{
	int tcp, late;
	enum leaving how;

	for (tcp = 0; tcp <= 1; tcp++) {
		for (how = 0; how < HOW_MANY; how++)
			for (late = 0; late <= 1; late++)
				leaves(tcp, how, late);
		is_silent(tcp);
		is_terminated(tcp);
	}
}

/* --- peer_check() --- */

/* What is checked of a request with these fields, from this address. */
static int
check(const char *address, const char *fields)
{
	static char text[2000], answer[2000];
	struct http_parser_state st;
	char err[200];
	int status, r;
	ssize_t n;

	snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: h.example\r\n"
	    "%s\r\n", fields);
	http_begin(&st, 0);
	if (http_parse(&st, text, strlen(text), &head, &status, err,
	    sizeof(err)) <= 0)
		abort();
	open_pair();
	shutdown(peer, SHUT_WR);
	memset(&w, 0, sizeof(w));
	memset(&request, 0, sizeof(request));
	w.io = io_of(ours);
	w.head = &head;
	request.target = head.target;
	http_field(&head, "Host", &request.host);
	if (http_field(&head, "Origin", &request.origin) == 0)
		request.origin.p = NULL;
	peer_begin(&p, address);
	r = peer_check(&p, &o, NULL, &w, &request, clock_ms() + 5000, &why);
	if (r == 0) {
		io_close(&w.io);
		close(peer);
		return 0;
	}
	is(w.io.rfd, -1, "a refused one is closed");
	n = read(peer, answer, sizeof(answer) - 1);
	close(peer);
	answer[n > 0 ? n : 0] = '\0';
	status = n > 12 ? atoi(answer + 9) : 0;
	return status == 0 ? -1 : status;
}

static void
test_address(void)
{
	static const struct {
		const char *from, *fields, *address;
		int trusted, trusts_open;
	} v[] = {
		/* the field of another peer says nothing */
		{ "192.0.2.1:5", "X-Forwarded-For: 10.0.0.9\r\n",
		    "192.0.2.1:5", 0, 0 },
		{ "", "X-Forwarded-For: 10.0.0.9\r\n", "", 0, 0 },
		/* a trusted proxy's is believed */
		{ "10.0.0.1:5", "X-Forwarded-For: 192.0.2.9\r\n", "192.0.2.9",
		    1, 0 },
		{ "10.0.0.1:5", "X-Forwarded-For: 192.0.2.9, 172.16.0.3\r\n",
		    "192.0.2.9", 1, 0 },
		/* the client itself is trusted, and may tell of others */
		{ "10.0.0.1:5", "X-Forwarded-For: 172.16.0.3\r\n",
		    "172.16.0.3", 1, 1 },
		{ "10.0.0.1:5", "", "10.0.0.1:5", 1, 1 },
		/* what the proxy does not name may be anyone */
		{ "10.0.0.1:5", "X-Forwarded-For: unknown\r\n", "10.0.0.1:5",
		    1, 0 },
		{ "unix:/run/x", "X-Forwarded-For: 192.0.2.9\r\n",
		    "192.0.2.9", 1, 0 },
		{ "unix", "X-Forwarded-For: 192.0.2.9\r\n", "unix", 0, 0 },
	};
	size_t i;

	memset(&o, 0, sizeof(o));
	o.access.trusted_proxy.v[0] = "unix";
	o.access.trusted_proxy.v[1] = "10.0.0.1";
	o.access.trusted_proxy.v[2] = "172.16.0.0/12";
	o.access.trusted_proxy.n = 3;
	o.access.real_ip_header = REAL_IP_X_FORWARDED_FOR;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		is(check(v[i].from, v[i].fields), 0, "let in");
		is_str(p.address, v[i].address, v[i].from);
		is(p.trusted, v[i].trusted, "is it by a trusted proxy?");
		is(p.trusts_open, v[i].trusts_open, "may it name others?");
	}
	o.access.trusted_proxy.v[0] = "172.16.0.0/12";
	o.access.trusted_proxy.n = 2;
	is(check("unix:/run/x", "X-Forwarded-For: 192.0.2.9\r\n"), 0,
	    "a Unix socket that is not trusted");
	ok(!p.trusted && strcmp(p.address, "unix:/run/x") == 0,
	    "tells nothing");
	o.access.real_ip_header = REAL_IP_NONE;
	is(check("10.0.0.1:5", "X-Forwarded-For: 192.0.2.9\r\n"), 0,
	    "without --real-ip-header");
	ok(p.trusted && !p.trusts_open, "there is trust, and no address");
	is_str(p.address, "10.0.0.1:5", "but the socket's");
	o.access.real_ip_header = REAL_IP_FORWARDED;
	is(check("10.0.0.1:5", "Forwarded: for=192.0.2.9\r\n"), 0,
	    "Forwarded");
	is_str(p.address, "192.0.2.9", "is read instead");
	is(check("10.0.0.1:5", "Forwarded: for=\"\r\n"), 400,
	    "a malformed one is refused");
	is(why.status, EXIT_PROTOCOL, "76");
	is_str(why.text, "refused with 400: malformed Forwarded (RFC 7239)",
	    "says so");
}

static void
test_origin(void)
{
	char fields[200], want[300];

	memset(&o, 0, sizeof(o));
	is(check("192.0.2.1:5", ""), 0, "no Origin: no page of a browser");
	is(check("192.0.2.1:5", "Origin: https://h.example\r\n"), 0,
	    "that of the host, by TLS");
	is(check("192.0.2.1:5", "Origin: http://h.example\r\n"), 403,
	    "without TLS a name proves nothing");
	is(why.status, EXIT_DENIED, "77");
	ok(strncmp(why.text, "refused with 403: Origin http://h.example equals "
	    "Host h.example, but a name without TLS", 70) == 0, "%s",
	    why.text);
	is(check("192.0.2.1:5", "Origin: https://evil.example\r\n"), 403,
	    "that of another site");
	ok(strncmp(why.text, "refused with 403: Origin https://evil.example "
	    "is not of Host h.example: ", 70) == 0, "%s", why.text);
	strlcpy(fields, "Origin: https://", sizeof(fields));
	memset(fields + 16, 'x', 100);
	strlcpy(fields + 116, "\r\n", 3);
	is(check("192.0.2.1:5", fields), 403, "a long one");
	snprintf(want, sizeof(want), "refused with 403: Origin %.79s is not of "
	    "Host h.example: ", fields + 8);
	memcpy(want + 18 + 7 + 76, "...", 3);
	ok(strncmp(why.text, want, strlen(want)) == 0, "is cut: %s", why.text);
	o.access.allow_origin.v[0] = "https://a.example";
	o.access.allow_origin.v[1] = "https://evil.example";
	o.access.allow_origin.n = 2;
	is(check("192.0.2.1:5", "Origin: https://evil.example\r\n"), 0,
	    "one that is allowed");
	o.access.allow_origin.n = 1;
	is(check("192.0.2.1:5", "Origin: https://evil.example\r\n"), 403,
	    "a list ends where it ends");
	/* a proxy that changes Host tells the browser's in a field */
	o.access.trusted_proxy.v[0] = "10.0.0.1";
	o.access.trusted_proxy.n = 1;
	is(check("10.0.0.1:5", "Origin: https://b.example\r\n"
	    "X-Forwarded-Host: x.example, b.example\r\n"), 0,
	    "the last X-Forwarded-Host is the trusted proxy's");
	is(check("10.0.0.1:5", "Origin: https://b.example\r\n"
	    "X-Forwarded-Host: b.example, x.example\r\n"), 403,
	    "what stands before it may be the peer's own");
	is(check("10.0.0.1:5", "Origin: http://b.example\r\n"
	    "X-Forwarded-Host: b.example\r\n"), 403, "names need TLS here");
	is(check("10.0.0.1:5", "Origin: https://b.example\r\n"), 403,
	    "without the field");
	is(check("192.0.2.1:5", "Origin: https://b.example\r\n"
	    "X-Forwarded-Host: b.example\r\n"), 403,
	    "the field of a peer that is not trusted does not count");
}

/* --- whose, how many, and what the target learns --- */

static uint64_t
owner(const char *user, const char *subject, const char *address, int untold)
{
	peer_begin(&p, address);
	strlcpy(p.user, user, sizeof(p.user));
	strlcpy(p.subject, subject, sizeof(p.subject));
	p.untold = untold;
	return peer_owner(&p, &o);
}

static void
test_owner(void)
{
	memset(&o, 0, sizeof(o));
	o.access.trusted_proxy.v[0] = "10.0.0.1";
	o.access.trusted_proxy.n = 1;
	ok(owner("ann", "", "", 0) != 0, "a user owns");
	ok(owner("ann", "CN=x", "192.0.2.1:1", 0) ==
	    owner("ann", "CN=y", "192.0.2.2:1", 0), "wherever it comes from");
	ok(owner("ann", "", "", 0) != owner("bob", "", "", 0),
	    "another one does not");
	ok(owner("", "CN=x", "192.0.2.1:1", 0) ==
	    owner("", "CN=x", "192.0.2.2:1", 0), "a certificate likewise");
	ok(owner("", "CN=x", "", 0) != owner("CN=x", "", "", 0),
	    "a user named as a certificate is another one");
	ok(owner("", "", "192.0.2.1:1", 0) != 0 &&
	    owner("", "", "192.0.2.1:1", 0) ==
	    owner("", "", "192.0.2.1:2", 0), "an address, with any port");
	ok(owner("", "", "192.0.2.1:1", 0) != owner("", "", "192.0.2.2:1", 0),
	    "not another address");
	is(owner("", "", "192.0.2.1:1", 1), 0, "an untold one is nobody");
	is(owner("", "", "", 0), 0, "nor is an unknown one");
	is(owner("", "", "unix:/x", 0), 0, "a Unix socket's");
	is(owner("", "", "127.0.0.1:9", 0), 0, "this host's");
	is(owner("", "", "10.0.0.1:9", 0), 0, "a proxy's");
}

static void
test_count(void)
{
	static const struct stats_about about = { "server", "a -> b", 10 };
	char address[NET_NAME_MAX] = "unix:/x";
	int i;

	memset(&o, 0, sizeof(o));
	if (stats_create(NULL, 8, &about) == -1)
		abort();
	for (i = 1; i <= 6; i++)
		stats_prepare(i);
	o.limits.per_source = 2;
	stats_take(1, STATE_OPEN);
	is(peer_count(&o, "192.0.2.1:1", &why), 0, "the first of an address");
	stats_take(2, STATE_OPEN);
	is(peer_count(&o, "192.0.2.1:2", &why), 0, "the second");
	stats_take(3, STATE_OPEN);
	is(peer_count(&o, "192.0.2.1:3", &why), -1, "is one too many");
	is(why.status, EXIT_AGAIN, "75");
	is_str(why.text, "limit of 2 connections per source address reached",
	    "says so");
	is(STATS_GET(stats_mine->counts.refused), 1, "it is counted once");
	is(STATS_GET(stats_mine->source), 0, "and takes no place");
	is(peer_count(&o, "192.0.2.2:3", &why), 0, "another address");
	stats_take(4, STATE_OPEN);
	is(peer_opened(&o, address, 0, "192.0.2.1", &why), 0,
	    "what counts for nothing");
	is_str(address, "unix:/x", "changes nothing");
	is(peer_opened(&o, address, 1, "192.0.2.1", &why), -1,
	    "an address in an \"open\" that is believed");
	is_str(address, "192.0.2.1", "counts");
	strlcpy(address, "192.0.2.3:1", sizeof(address));
	is(peer_opened(&o, address, 1, "-", &why), 0, "one that tells none");
	is_str(address, "192.0.2.3:1", "is who it was");
	ok(STATS_GET(stats_mine->source) != 0, "and counts as that");
	o.limits.per_source = 0;
	stats_take(5, STATE_OPEN);
	is(peer_count(&o, "192.0.2.1:4", &why), 0, "without a limit");
	is(peer_count(&o, "unix:/x", &why), 0, "without an address");
	stats_close(1);
}

static void
told(const char *from, const char *via, const char *want)
{
	char got[200] = "";

	open_pair();
	is(peer_tell_target(&o, ours, from, via, &why), 0, "(told)");
	if (recv(peer, got, sizeof(got) - 1, MSG_DONTWAIT) == -1)
		got[0] = '\0';
	is_str(got, want, from);
	close_pair();
}

static void
test_tell_target(void)
{
	memset(&o, 0, sizeof(o));
	told("192.0.2.1:7", "10.0.0.1:80", "");
	o.access.send_proxy = 1;
	told("192.0.2.1:7", "10.0.0.1:80",
	    "PROXY TCP4 192.0.2.1 10.0.0.1 7 80\r\n");
	told("192.0.2.1:7", "unix:/x",
	    "PROXY TCP4 192.0.2.1 192.0.2.1 7 0\r\n");
	told("unix:/x", "10.0.0.1:80", "PROXY UNKNOWN\r\n");
	open_pair();
	close(peer);
	is(peer_tell_target(&o, ours, "192.0.2.1:7", "10.0.0.1:80", &why), -1,
	    "a target that is gone");
	is(why.status, EXIT_UNREACHABLE, "69");
	ok(strncmp(why.text, "cannot send the PROXY header: ", 30) == 0,
	    "%s", why.text);
	close(ours);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	alarm(120);
	test_header();
	test_no_header();
	test_kept_header();
	test_address();
	test_origin();
	test_owner();
	test_count();
	test_tell_target();
	return done_testing();
}
