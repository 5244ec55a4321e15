/* SPDX-License-Identifier: ISC */
/*
 * The way to a server, step by step, with both ends in this process: TCP and
 * Unix sockets, HTTP and SOCKS proxies that answer in pieces, badly or not at
 * all, deadlines, and what is closed afterwards.
 *
 * If it fails: a user is told the wrong reason, a redial hangs, or descriptors
 * are left behind.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "handshake/attempt.h"
#include "descriptors.h"
#include "listening.h"
#include "seen.h"
#include "os/clock.h"
#include "tap.h"

static struct options o;
static struct attempt a;
static struct url url;
static struct trust trust;
static struct trace trace;
static struct proxy proxy;
static uint16_t port;
static int listener, peer;

static void
parse(struct url *u, const char *text)
{
	char err[200];

	if (url_parse(u, text, err, sizeof(err)) == -1)
		abort();
}

/* A URL, with the port of our listener. */
static void
go_to(const char *form)
{
	char text[100];

	memset(&o, 0, sizeof(o));
	snprintf(text, sizeof(text), form, port);
	parse(&url, text);
	o.url = url;
}

/* By a proxy: our listener. */
static void
go_by(const char *scheme)
{
	char text[100], err[200];

	go_to("ws://h.example:%u/");
	snprintf(text, sizeof(text), "%s127.0.0.1:%u", scheme, port);
	if (proxy_parse(&proxy, text, err, sizeof(err)) == -1)
		abort();
	o.proxy.server = &proxy;
}

static void
begin(int64_t ms)
{
	a.known = NULL;
	a.skip_lookup = 0;
	attempt_begin(&a, &o, &url, &trust, &trace, clock_ms() + ms);
}

/* Steps until it can do no more for now, or all of it is over. */
static int
finish(void)
{
	struct pollfd p[ATTEMPT_POLL_MAX];
	int64_t end = clock_ms() + 20000;
	int r;

	while ((r = attempt_step(&a)) == 0 && clock_ms() < end)
		poll(p, attempt_poll(&a, p), clock_poll(attempt_time(&a)));
	return r;
}

/* The proxy's end of the connection; it has what comes first. */
static const char *
accept_one(void)
{
	static char got[2000];
	struct timeval limit = { .tv_sec = 20 };
	ssize_t n;

	is(attempt_step(&a), 0, "(asked)");
	peer = accept(listener, NULL, NULL);
	setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	n = recv(peer, got, sizeof(got) - 1, 0);
	got[n > 0 ? n : 0] = '\0';
	return got;
}

static void
tell(const char *text, size_t len)
{
	if (write(peer, text, len) != (ssize_t)len)
		abort();
}

/* What is said when an answer has been given. */
static const char *
reason(void)
{
	is(finish(), -1, "it fails");
	is(a.io.rfd, -1, "(closed)");
	if (peer != -1)
		close(peer);
	peer = -1;
	return a.why.text;
}

/* The same text with names in place of ours: proxy and server. */
static const char *
about(const char *form)
{
	static char text[400];
	char to[64], what[64];

	proxy_print(what, sizeof(what), &proxy);
	snprintf(to, sizeof(to), "h.example:%u", port);
	snprintf(text, sizeof(text), form, what, to);
	return text;
}

/* --- TCP --- */

static void
test_tcp(void)
{
	struct websocket w;
	struct pollfd p[ATTEMPT_POLL_MAX];
	char want[100];
	int64_t before = clock_ms();
	int n = count_open();

	go_to("ws://127.0.0.1:%u/");
	begin(20000);
	is(a.state, ATTEMPT_TCP, "it is under way");
	is(attempt_gets_on_until(&a), 0, "and not connected");
	is(attempt_holds(&a), 1, "nothing is lost");
	ok(attempt_time(&a) >= before && attempt_time(&a) <= clock_ms(),
	    "the first address is tried at once");
	is(finish(), 1, "it is up");
	snprintf(want, sizeof(want), "127.0.0.1:%u", port);
	is_str(a.via, want, "where it goes");
	ok(a.at[DIAL_FOUND] != 0 && a.at[DIAL_CONNECTED] >= a.at[DIAL_FOUND] &&
	    a.at[DIAL_TUNNELLED] == 0 && a.at[DIAL_SECURED] == 0,
	    "which steps it had");
	is(attempt_holds(&a), 1, "its address is ours");
	ok(attempt_gets_on_until(&a) >= before + 3000 &&
	    attempt_gets_on_until(&a) <= clock_ms() + 3000,
	    "it may take three seconds more");
	is(attempt_poll(&a, p), 0, "it waits for nothing");
	is(attempt_time(&a), a.deadline, "but its deadline");
	memset(&w, 0, sizeof(w));
	w.at[DIAL_BEGUN] = 5;
	attempt_take(&a, &w);
	ok(w.io.rfd != -1 && a.io.rfd == -1 && a.state == ATTEMPT_NONE,
	    "it is the caller's");
	is(w.at[DIAL_BEGUN], 5, "with its own begin");
	is_str(w.via, want, "and all that is known");
	ok(w.route == &a.route && w.found == &a.found && w.found->n == 1,
	    "(the way there)");
	io_close(&w.io);
	peer = accept(listener, NULL, NULL);
	close(peer);

	begin(20000);
	is(finish(), 1, "another one");
	attempt_end(&a);
	is(a.state, ATTEMPT_NONE, "is given up");
	peer = accept(listener, NULL, NULL);
	close(peer);
	is(count_open(), n, "nothing stays open");
}

/* A listener that takes no more: connections are under way for long. */
static void
test_slow(void)
{
	struct pollfd p[ATTEMPT_POLL_MAX];
	int ours = listener, n, i, waiting[4];
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	uint16_t before = port;
	char want[200];

	listener = listen_any(&port);
	listen(listener, 0);
	in.sin_port = htons(port);
	for (i = 0; i < 4; i++) {
		waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(waiting[i], (struct sockaddr *)&in, sizeof(in));
	}
	n = count_open();
	go_to("ws://127.0.0.1:%u/");
	begin(20000);
	is(attempt_step(&a), 0, "it is under way");
	ok(attempt_poll(&a, p) == 1 && p[0].events == POLLOUT,
	    "and waited for");
	is(attempt_time(&a), a.deadline, "until its deadline");
	is(attempt_gets_on_until(&a), 0, "another one may begin meanwhile");
	is(attempt_holds(&a), 1, "its address is ours");
	attempt_end(&a);
	is(count_open(), n, "given up, nothing stays open");
	begin(20000);
	is(attempt_step(&a), 0, "(again)");
	attempt_cancel(&a, EINTR);
	snprintf(want, sizeof(want), "cannot connect to 127.0.0.1:%u: "
	    "interrupted", port);
	is_str(a.why.text, want, "a signal");
	is(a.why.status, EXIT_AGAIN, "75");
	is(count_open(), n, "nothing stays open");
	begin(0);
	is(attempt_step(&a), -1, "past its deadline");
	ok(strstr(a.why.text, ": timed out") != NULL, "%s", a.why.text);
	for (i = 0; i < 4; i++)
		close(waiting[i]);
	close(listener);
	listener = ours;
	port = before;
}

static void
test_refused(void)
{
	struct websocket w;
	uint16_t ours = port;
	char want[200];
	int n = count_open(), unused = listener;

	listener = listen_any(&port);
	close(listener);
	go_to("ws://127.0.0.1:%u/");
	begin(20000);
	is(finish(), -1, "nothing listens");
	snprintf(want, sizeof(want), "cannot connect to 127.0.0.1:%u: "
	    "Connection refused", port);
	is_str(a.why.text, want, "says so");
	is(a.why.status, EXIT_UNREACHABLE, "69");
	is(a.state, ATTEMPT_FAILED, "it has failed");
	ok(attempt_gets_on_until(&a) != 0, "(it was further than TCP)");
	is(attempt_step(&a), -1, "once and for all");
	memset(&w, 0, sizeof(w));
	attempt_show(&a, &w);
	ok(w.route == &a.route && w.found == &a.found, "where it went is known");
	is(count_open(), n, "nothing stays open");
	listener = unused;
	port = ours;
	go_to("ws://127.0.0.1:%u/");
	o.dial.family = NET_IPV6;
	begin(20000);
	is(attempt_step(&a), -1, "no address of that family");
	is(a.why.status, EXIT_NAME, "68");
	attempt_show(&a, &w);
	ok(w.found == NULL, "nothing was found");
	setenv("http_proxy", "ftp://x", 1);
	begin(20000);
	unsetenv("http_proxy");
	is(attempt_step(&a), -1, "a variable that names no proxy");
	is(a.why.status, EXIT_BADUSAGE, "64");
}

/* What is dialled where names cannot be looked up, or are not. */
static void
test_known(void)
{
	union net_end known = { .in = { .sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
	char from[NET_NAME_MAX];
	union net_end six = { .in6 = { .sin6_family = AF_INET6,
	    .sin6_addr = IN6ADDR_LOOPBACK_INIT, .sin6_port = htons(port) } };

	go_to("ws://name.invalid:%u/");
	a.known = &known;
	a.skip_lookup = 1;
	attempt_begin(&a, &o, &url, &trust, &trace, clock_ms() + 20000);
	is(a.uses_known, 1, "where it went before");
	is(finish(), 1, "is dialled without a name server");
	attempt_end(&a);
	peer = accept(listener, NULL, NULL);
	close(peer);
	/* It would be taken for a sign that no name server answers. */
	setenv("http_proxy", "ftp://x", 1);
	attempt_begin(&a, &o, &url, &trust, &trace, clock_ms() + 20000);
	unsetenv("http_proxy");
	is(a.uses_known, 0, "one that fails before it looks for a name forgets it");
	is(attempt_step(&a), -1, "(it has failed)");
	a.known = &six;
	attempt_begin(&a, &o, &url, &trust, &trace, clock_ms() + 20000);
	ok(a.found.n == 1 && a.found.at[0].len == sizeof(six.in6) &&
	    a.found.at[0].ss.ss_family == AF_INET6, "also by IPv6");
	attempt_end(&a);
	go_to("ws://name.invalid:%u/");
	o.dial.interface = "127.0.0.2";
	a.known = &known;
	attempt_begin(&a, &o, &url, &trust, &trace, clock_ms() + 20000);
	is(finish(), 1, "--interface counts there, too");
	peer = accept(listener, NULL, NULL);
	net_peer_name(peer, from, sizeof(from));
	ok(strncmp(from, "127.0.0.2:", 10) == 0, "it is from %s", from);
	attempt_end(&a);
	close(peer);
	go_to("ws://127.0.0.1:%u/");
	a.skip_lookup = 0;
	attempt_begin(&a, &o, &url, &trust, &trace, clock_ms() + 20000);
	is(a.uses_known, 0, "what can be looked up is");
	attempt_end(&a);
	go_to("ws://127.0.0.1:%u/");
	o.dial.family = NET_IPV6;
	attempt_begin(&a, &o, &url, &trust, &trace, clock_ms() + 20000);
	is(a.uses_known, 0, "a name without addresses is no missing server");
	is(attempt_step(&a), -1, "and fails");
}

static void
test_unix(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char folder[] = "/tmp/inetws-attempt-XXXXXX", text[200], want[200];
	struct pollfd p[ATTEMPT_POLL_MAX];
	int l, fd, n, filled[8];
	int64_t before;

	if (mkdtemp(folder) == NULL)
		abort();
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/s", folder);
	memset(&o, 0, sizeof(o));
	snprintf(text, sizeof(text), "ws+unix:%s:/", sun.sun_path);
	parse(&url, text);
	o.url = url;
	begin(20000);
	is(finish(), -1, "no socket");
	snprintf(want, sizeof(want), "cannot connect to unix:%s: No such file "
	    "or directory", sun.sun_path);
	is_str(a.why.text, want, "says so");
	l = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(l, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(l, 0) == -1)
		abort();
	begin(20000);
	is(finish(), 1, "one that listens");
	snprintf(want, sizeof(want), "unix:%s", sun.sun_path);
	is_str(a.via, want, "its name");
	attempt_end(&a);
	close(accept(l, NULL, NULL));
	for (n = 0; n < 8; n++) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
			break;
		filled[n] = fd;
	}
	close(fd);
	before = clock_ms();
	begin(20000);
	is(attempt_step(&a), 0, "a full backlog is waited for");
	ok(attempt_time(&a) >= before + 20 && attempt_time(&a) <=
	    clock_ms() + 20, "and looked at in 20 ms");
	is(attempt_poll(&a, p), 0, "as nothing tells when it has room");
	attempt_cancel(&a, ETIMEDOUT);
	snprintf(want, sizeof(want), "cannot connect to unix:%s: timed out",
	    sun.sun_path);
	is_str(a.why.text, want, "not for ever");
	is(a.why.status, EXIT_AGAIN, "75");
	begin(0);
	is(attempt_step(&a), -1, "its deadline counts");
	is_str(a.why.text, want, "likewise");
	begin(20000);
	is(attempt_step(&a), 0, "(again)");
	attempt_cancel(&a, EINTR);
	ok(strstr(a.why.text, ": interrupted") != NULL, "a signal: %s",
	    a.why.text);
	while (n-- > 0)
		close(filled[n]);
	close(l);
	unlink(sun.sun_path);
	rmdir(folder);
}

/* --- HTTP proxies --- */

static void
test_http(void)
{
	struct websocket w = { .at = { 0 } };
	struct pollfd p;
	char want[300];
	int n = count_open();

	go_by("http://u:p@");
	begin(20000);
	snprintf(want, sizeof(want), "CONNECT h.example:%u HTTP/1.1\r\n"
	    "Host: h.example:%u\r\n", port, port);
	ok(strncmp(accept_one(), want, strlen(want)) == 0,
	    "it is asked for the server");
	is(a.state, ATTEMPT_PROXY, "and waited for");
	is(a.exchange.authorized, 1, "with credentials");
	is(attempt_gets_on_until(&a), a.moved_at + 3000, "for three seconds");
	ok(attempt_poll(&a, &p) == 1 && p.fd == a.io.rfd &&
	    p.events == POLLIN, "until it answers");
	is(attempt_time(&a), a.deadline, "or its time is over");
	tell("HTTP/1.1 200 Go\r\n", 17);
	is(attempt_step(&a), 0, "not all of an answer");
	is(a.at[DIAL_TUNNELLED], 0, "is no tunnel");
	tell("\r\n", 2);
	is(finish(), 1, "a tunnel");
	ok(a.at[DIAL_TUNNELLED] >= a.at[DIAL_CONNECTED], "(when)");
	attempt_end(&a);
	close(peer);
	is(count_open(), n, "nothing stays open");

	begin(20000);
	accept_one();
	tell("HTTP/1.1 299 Go\r\n\r\nhello", 24);
	is_str(reason(), about("proxy %s: 5 unexpected bytes after its answer, "
	    "before any request to the server (asked for %s)"),
	    "bytes that nobody asked for");
	is(a.why.status, EXIT_PROTOCOL, "76");
	begin(20000);
	accept_one();
	tell("HTTP/1.1 300 Go\r\n\r\n", 19);
	ok(strstr(reason(), " answered 300 Go") != NULL, "300 is no tunnel");
	begin(20000);
	accept_one();
	tell("HTTP/1.1 503 Full\r\nRetry-After: 7\r\n\r\n", 37);
	is_str(reason(), about("proxy %s answered 503 Full: the proxy does not "
	    "reach the server (asked for %s)"), "a refusal");
	is(a.retry_after, 7, "with a time");
	attempt_show(&a, &w);
	is(w.retry_after, 7, "(shown)");
	is(a.refused, REFUSED_BY_PROXY, "is an answer");
	is(a.why.status, EXIT_AGAIN, "75");
	begin(20000);
	is(a.retry_after, 0, "which counts once");
	accept_one();
	close(peer);
	is_str(reason(), about("proxy %s: the connection was closed without an "
	    "answer (is it an HTTP proxy? a SOCKS proxy is socks5h://) "
	    "(asked for %s)"), "no answer");
	is(a.refused, REFUSED_NOT, "is no refusal");
}

/* What a user gives may be too long for one head. */
static void
test_long(void)
{
	static char agent[HTTP_HEAD_MAX];

	memset(agent, 'a', sizeof(agent) - 1);
	go_by("http://");
	o.websocket.user_agent = agent;
	begin(20000);
	is_str(reason(), about("proxy %s: the request has more than 16384 "
	    "bytes (asked for %s)"), "is told");
	is(a.why.status, EXIT_BADUSAGE, "64");
	close(accept(listener, NULL, NULL));
}

/* What a 407 is said to mean. */
static void
unauthorized(const char *scheme, const char *fields, const char *said)
{
	char text[300];

	go_by(scheme);
	begin(20000);
	accept_one();
	snprintf(text, sizeof(text), "HTTP/1.1 407 No\r\n%s\r\n", fields);
	tell(text, strlen(text));
	is_str(reason(), about(said), said);
	is(a.why.status, EXIT_DENIED, "77");
	is(a.refused, REFUSED_BY_PROXY, "not our certificate");
}

static void
test_407(void)
{
	unauthorized("http://u:p@", "", "proxy %s answered 407: it does not "
	    "take the credentials given (asked for %s)");
	unauthorized("http://", "", "proxy %s answered 407: it wants "
	    "credentials (--proxy-user) (asked for %s)");
	unauthorized("http://", "Proxy-Authenticate: Negotiate\r\n"
	    "Proxy-Authenticate: Basic\r\n", "proxy %s answered 407: it wants "
	    "credentials (--proxy-user) (asked for %s)");
	unauthorized("http://", "Proxy-Authenticate: Negotiate\r\n"
	    "Proxy-Authenticate: NTLM\r\n", "proxy %s answered 407: it offers "
	    "only Negotiate, NTLM, and inetws knows only Basic (others by "
	    "--proxy-header-command) (asked for %s)");
}

/* A proxy that says nothing. */
static void
test_silent(void)
{
	static char sleeper[] = "/bin/sleep", minute[] = "60";
	char *argv[] = { sleeper, minute, NULL };
	struct pollfd p;
	int n = count_open();

	go_by("http://");
	o.proxy.header.v[0] = "Proxy-Authorization: x";
	o.proxy.header.n = 1;
	begin(20000);
	accept_one();
	is(a.exchange.authorized, 1, "credentials may be a field, too");
	attempt_cancel(&a, EINTR);
	is_str(a.why.text, about("proxy %s: no answer: interrupted (is it an "
	    "HTTP proxy? a SOCKS proxy is socks5h://) (asked for %s)"),
	    "a signal");
	is(a.why.status, EXIT_AGAIN, "75");
	close(peer);
	begin(30);
	accept_one();
	is(finish(), -1, "its deadline");
	ok(strstr(a.why.text, ": no answer: Connection timed out") != NULL,
	    "%s", a.why.text);
	close(peer);
	is(count_open(), n, "nothing stays open");
	/* --proxy-header-command is ours, and may take its time */
	o.proxy.header.n = 0;
	o.proxy.header_command = argv;
	begin(20000);
	is(attempt_step(&a), 0, "a command runs");
	is(attempt_gets_on_until(&a), a.deadline, "as long as it needs");
	ok(attempt_poll(&a, &p) == 1 && p.fd != a.io.rfd, "it is waited for");
	attempt_cancel(&a, ETIMEDOUT);
	ok(strncmp(a.why.text, "--proxy-header-command /bin/sleep: took too "
	    "long", 48) == 0, "%s", a.why.text);
	websocket_dials_done();
	close(accept(listener, NULL, NULL));
	is(count_open(), n, "nothing stays open");
}

/* --- SOCKS proxies --- */

static void
is_bytes(const char *got, size_t n, const char *want, const char *name)
{
	ok(memcmp(got, want, n) == 0, "%s", name);
}

static void
test_socks5(void)
{
	struct pollfd p;
	char want[40], asked[40], answer[] = "\5\0\0\1\1\2\3\4\0\7";
	size_t i;

	go_by("socks5h://");
	begin(20000);
	is_bytes(accept_one(), 3, "\5\1\0", "a greeting");
	ok(attempt_poll(&a, &p) == 1 && p.fd == a.io.rfd &&
	    p.events == POLLIN, "its answer is waited for");
	is(attempt_time(&a), a.deadline, "until the deadline");
	tell("\5", 1);
	is(attempt_step(&a), 0, "one byte of it");
	tell("\0", 1);
	is(attempt_step(&a), 0, "all");
	memcpy(want, "\5\1\0\3\11h.example", 14);
	want[14] = port >> 8;
	want[15] = port & 255;
	is(recv(peer, asked, sizeof(asked), 0), 16, "a request");
	is_bytes(asked, 16, want, "has the name");
	for (i = 0; i < 9; i++) {
		tell(answer + i, 1);
		if (attempt_step(&a) != 0)
			break;
	}
	is(i, 9, "its answer byte by byte");
	tell(answer + 9, 1);
	is(finish(), 1, "a tunnel");
	attempt_end(&a);
	close(peer);

	begin(20000);
	accept_one();
	tell("\5\0x", 3);
	is_str(reason(), about("proxy %s: 1 unexpected bytes after its answer, "
	    "before any request to the server (asked for %s)"),
	    "a byte too many");
	begin(20000);
	accept_one();
	close(peer);
	is_str(reason(), about("proxy %s: the connection was closed without an "
	    "answer (is it a SOCKS proxy? an HTTP proxy is http://) "
	    "(asked for %s)"), "none");
	is(a.why.status, EXIT_PROTOCOL, "76");
	is(a.refused, REFUSED_NOT, "is no refusal");
	begin(20000);
	accept_one();
	tell("\5\0", 2);
	is(attempt_step(&a), 0, "(asked)");
	shutdown(peer, SHUT_WR);
	is_str(reason(), about("proxy %s: the connection was closed without an "
	    "answer (asked for %s)"), "one that has shown that it is one");
	begin(20000);
	accept_one();
	tell("\5\0", 2);
	is(attempt_step(&a), 0, "(asked)");
	tell("\5\2\0\1\1\2\3\4\0\7", 10);
	ok(strncmp(reason(), about("proxy %s"), strlen(about("proxy %s"))) == 0
	    && a.refused == REFUSED_BY_PROXY, "a refusal: %s", a.why.text);
	begin(20000);
	accept_one();
	tell("\5\0", 2);
	shutdown(a.io.wfd, SHUT_WR);
	is_str(reason(), about("proxy %s: no answer: Broken pipe (asked for "
	    "%s)"), "one that takes nothing any more");
	is(a.why.status, EXIT_PROTOCOL, "76");
	begin(20000);
	accept_one();
	attempt_cancel(&a, ETIMEDOUT);
	is_str(a.why.text, about("proxy %s: no answer: Connection timed out "
	    "(is it a SOCKS proxy? an HTTP proxy is http://) (asked for %s)"),
	    "too late");
	is(a.why.status, EXIT_AGAIN, "75");
	close(peer);
	begin(20000);
	accept_one();
	attempt_cancel(&a, EINTR);
	ok(strstr(a.why.text, ": no answer: interrupted (") != NULL &&
	    a.why.status == EXIT_AGAIN, "%s", a.why.text);
	close(peer);
}

/* Who looks up what: the proxy gets a name or an address. */
static void
test_socks_names(void)
{
	char entry[100], got[20];

	go_by("socks4a://me@");
	begin(20000);
	is_bytes(accept_one(), 2, "\4\1", "SOCKS 4");
	tell("\0\132\0\0\0\0\0\0", 8);
	is(finish(), 1, "a tunnel");
	attempt_end(&a);
	close(peer);
	go_by("socks5h://");
	o.dial.resolve.v[0] = "*:80:192.0.2.9";
	snprintf(entry, sizeof(entry), "h.example:%u:192.0.2.7", port);
	o.dial.resolve.v[1] = entry;
	o.dial.resolve.n = 2;
	begin(20000);
	accept_one();
	tell("\5\0", 2);
	is(attempt_step(&a), 0, "(asked)");
	is(recv(peer, got, sizeof(got), 0), 10, "what --resolve has");
	is_bytes(got, 8, "\5\1\0\1\300\0\2\7", "is asked for");
	attempt_end(&a);
	close(peer);
	go_by("socks5://");
	parse(&url, "ws://no..name.invalid:80/");
	begin(20000);
	is(finish(), -1, "with socks5:// we look names up");
	ok(a.why.status == EXIT_NAME || a.why.status == EXIT_AGAIN,
	    "which may fail: %s", a.why.text);
	close(accept(listener, NULL, NULL));
	go_by("socks4://");
	parse(&url, "ws://[2001:db8::1]:80/");
	begin(20000);
	is(finish(), -1, "SOCKS 4 knows no IPv6");
	is(a.why.status, EXIT_BADUSAGE, "64");
	ok(strncmp(a.why.text, about("proxy %s: "), strlen(about("proxy %s: ")))
	    == 0, "%s", a.why.text);
	close(accept(listener, NULL, NULL));
}

/* --- TLS with a proxy, and -v --- */

static void
test_proxy_tls(void)
{
	int n;

	go_by("https://");
	o.proxy.insecure = 1;
	begin(20000);
	if (a.state == ATTEMPT_FAILED) {
		ok(1, "TLS with a proxy: # SKIP %s", a.why.text);
		return;
	}
	n = count_open();
	accept_one();
	is(a.state, ATTEMPT_PROXY_TLS, "TLS comes first");
	is(attempt_gets_on_until(&a), a.moved_at + 3000, "for three seconds");
	attempt_cancel(&a, ETIMEDOUT);
	is(a.why.status, EXIT_AGAIN, "75");
	ok(strncmp(a.why.text, about("proxy %s: "), strlen(about("proxy %s: ")))
	    == 0 && strstr(a.why.text, " (a proxy without TLS is http://)") !=
	    NULL && strstr(a.why.text, "asked for") == NULL, "%s", a.why.text);
	close(peer);
	begin(20000);
	accept_one();
	attempt_end(&a);
	close(peer);
	begin(20000);
	accept_one();
	tell("HTTP/1.1 400 No\r\n\r\n", 19);
	ok(strstr(reason(), "http://)") == NULL, "an answer without TLS: %s",
	    a.why.text);
	is(count_open(), n, "nothing stays open");
}

static void
test_trace(void)
{
	char want[300];
	const char *said;

	seen_begin();
	trace = (struct trace){ .verbose = 1, .start = clock_ms() };
	go_by("http://");
	o.proxy.header.v[0] = "X-Secret: hush";
	o.proxy.header.v[1] = "Y-Secret: hush";
	o.proxy.header.n = 2;
	begin(20000);
	snprintf(want, sizeof(want), "ms  dialling proxy 127.0.0.1:%u\n", port);
	ok(strstr(seen(), want) != NULL, "-v tells what is dialled");
	accept_one();
	snprintf(want, sizeof(want), "ms  connected to 127.0.0.1:%u\n", port);
	said = seen();
	ok(strstr(said, want) != NULL, "that it is there");
	ok(strstr(said, "\n> CONNECT h.example") != NULL, "what it is asked");
	ok(strstr(said, "> X-Secret:...\n> Y-Secret:...\n") != NULL &&
	    strstr(said, "hush") == NULL, "without what a user gave");
	ok(strstr(said, "> Host: h.example") != NULL, "but with the rest");
	tell("HTTP/1.1 200 Go\r\n\r\n", 19);
	is(finish(), 1, "(tunnel)");
	said = seen();
	ok(strstr(said, "< HTTP/1.1 200 Go\n") != NULL, "what it answers");
	ok(strstr(said, about("ms  proxy %s connects us to %s\n")) != NULL,
	    "and what that means");
	attempt_end(&a);
	close(peer);
	memset(&trace, 0, sizeof(trace));
	begin(20000);
	accept_one();
	is_str(seen(), "", "nothing without -v");
	attempt_end(&a);
	close(peer);
}

int
main(void)
{
	static const char *const names[] = { "http_proxy", "all_proxy",
	    "ALL_PROXY", "https_proxy", "HTTPS_PROXY" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	alarm(120);
	listener = listen_any(&port);
	test_tcp();
	test_slow();
	test_refused();
	test_known();
	test_unix();
	test_http();
	test_long();
	test_407();
	test_silent();
	test_socks5();
	test_socks_names();
	test_proxy_tls();
	test_trace();
	return done_testing();
}
