/* SPDX-License-Identifier: ISC */
/*
 * One request and its answer over a socket pair: answers in pieces, interim
 * answers, and what a refusal is taken to mean.
 *
 * If it fails: who is refused is told the wrong reason, or waits for a text
 * that never comes.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "handshake/exchange.h"
#include "os/clock.h"
#include "tap.h"

#define REQUEST	"GET / HTTP/1.1\r\nHost: h\r\n\r\n"

static struct exchange_room room;
static struct exchange t;
static struct error why;
static const struct trace quiet;
static struct io io;
static int peer;

static void
begin(int is_proxy, int authorized)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1 ||
	    fcntl(pair[1], F_SETFL, O_NONBLOCK) == -1)
		abort();
	peer = pair[0];
	io = io_of(pair[1]);
	memset(&t, 0, sizeof(t));
	memset(&why, 0, sizeof(why));
	t.io = &io;
	t.name = "peer";
	t.is_proxy = is_proxy;
	t.authorized = authorized;
	t.trace = &quiet;
	t.why = &why;
	t.room = &room;
	strlcpy(room.out, REQUEST, sizeof(room.out));
	is(exchange_begin(&t, strlen(REQUEST), 0), 0, "(sent)");
}

static void
end(void)
{
	close(peer);
	io_close(&io);
}

static void
tell(const char *text)
{
	if (write(peer, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
}

/* The whole answer, and what it is said to mean. */
static const char *
refusal(int is_proxy, int authorized, const char *answer)
{
	begin(is_proxy, authorized);
	tell(answer);
	shutdown(peer, SHUT_WR);
	is(exchange_step(&t), 1, "(answered)");
	is(exchange_refused(&t), -1, "(refused)");
	end();
	return why.text;
}

static void
test_request(void)
{
	char got[100] = "";
	struct pollfd p;

	begin(0, 0);
	is(recv(peer, got, sizeof(got), MSG_DONTWAIT), strlen(REQUEST),
	    "all of a request goes out at once");
	is_str(got, REQUEST, "as it was written");
	is(room.out[0], 0, "and its secrets are wiped");
	is(exchange_step(&t), 0, "no answer yet");
	exchange_poll(&t, &p);
	ok(p.fd == io.rfd && p.events == POLLIN, "which is waited for");
	tell("HTTP/1.1 101 Go\r\nA: b\r\n\r");
	is(exchange_step(&t), 0, "not all of its head");
	tell("\nearly");
	is(exchange_step(&t), 1, "the head");
	is(t.head.status, 101, "says so");
	ok(t.early_len == 5 && memcmp(t.early, "early", 5) == 0,
	    "what came behind it is kept");
	tell("HTTP/1.1 500 No\r\n\r\n");
	is(exchange_step(&t), 1, "there is but one answer");
	is(t.head.status, 101, "the first one");
	end();
}

/* A request that the socket does not take at once. */
static void
test_slow_request(void)
{
	char waste[65536];
	struct pollfd p;
	ssize_t n, all = 0;
	int size = 1;

	begin(0, 0);
	setsockopt(io.wfd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	while ((n = write(io.wfd, waste, sizeof(waste))) > 0)
		all += n;
	strlcpy(room.out, REQUEST, sizeof(room.out));
	is(exchange_begin(&t, strlen(REQUEST), 0), 0, "a full socket");
	is(exchange_step(&t), 0, "takes nothing yet");
	exchange_poll(&t, &p);
	is(p.events, POLLIN | POLLOUT, "it is waited for, and for an answer");
	ok(room.out[0] == 'G', "the request is kept");
	all += strlen(REQUEST);
	while (all > 0 && (n = read(peer, waste, sizeof(waste))) > 0)
		all -= n;
	is(exchange_step(&t), 0, "room again");
	memset(waste, 0, sizeof(waste));
	is(read(peer, waste, sizeof(waste)), strlen(REQUEST), "(it is sent)");
	is_str(waste, REQUEST, "whole");
	end();
}

static void
test_interim(void)
{
	int i, n;

	begin(0, 0);
	tell("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 ");
	is(exchange_step(&t), 0, "an interim answer is none");
	tell("200 OK\r\n\r\n");
	ok(exchange_step(&t) == 1 && t.head.status == 200, "the final one is");
	end();
	for (n = 7; n <= 8; n++) {
		begin(0, 0);
		for (i = 0; i < n; i++)
			tell("HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n");
		tell("HTTP/1.1 200 OK\r\n\r\n");
		is(exchange_step(&t), n == 7 ? 1 : -1, n == 7 ? "seven before it" :
		    "not eight");
		end();
	}
	is_str(why.text, "peer: too many interim answers", "it says so");
	is(why.status, EXIT_PROTOCOL, "76");
	/* 101 is the answer that is wanted, 199 an interim one */
	begin(0, 0);
	tell("HTTP/1.1 199 Hm\r\n\r\nHTTP/1.1 101 Go\r\n\r\n");
	ok(exchange_step(&t) == 1 && t.head.status == 101, "101 is final");
	end();
}

static void
test_broken(void)
{
	static const struct {
		int is_proxy;
		const char *sent, *text;
	} v[] = {
		{ 0, "", "peer: the connection was closed without an answer" },
		{ 0, "H", "peer: the connection was closed within the answer" },
		{ 1, "", "peer: the connection was closed without an answer"
		    " (is it an HTTP proxy? a SOCKS proxy is socks5h://)" },
		{ 1, "\5", "peer: it speaks SOCKS, and not HTTP: use "
		    "socks5h://" },
		{ 0, "\5", "peer: malformed answer: " },
		{ 0, "SSH-2.0\r\n", "peer: malformed answer: " },
	};
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		begin(v[i].is_proxy, 0);
		tell(v[i].sent);
		shutdown(peer, SHUT_WR);
		is(exchange_step(&t), -1, "no answer");
		ok(strncmp(why.text, v[i].text, strlen(v[i].text)) == 0 &&
		    why.status == EXIT_PROTOCOL, "%s", why.text);
		end();
	}
	begin(0, 0);
	errno = ETIMEDOUT;
	is(exchange_broken(&t, "x"), -1, "no answer in time");
	is(why.status, EXIT_AGAIN, "may be tried again");
	errno = EINTR;
	is(exchange_broken(&t, "x"), -1, "a signal");
	is(why.status, EXIT_AGAIN, "likewise");
	is_str(why.text, "peer: x: interrupted", "is called so");
	errno = ECONNRESET;
	is(exchange_broken(&t, "x"), -1, "a reset");
	is(why.status, EXIT_PROTOCOL, "may not");
	end();
}

#define HTML	"Content-Type: text/html; charset=x\r\n"
#define PLAIN	"Content-Type: text/plain\r\n"
#define RULE	"a rule of the web server or CDN forbids it"
#define OTHER	"what answers there is not inetws: compare host and path " \
		"of the URL"

/* What is said of an answer. */
static void
test_refused(void)
{
	static const struct {
		int is_proxy, authorized, status;
		const char *answer, *text;
	} v[] = {
		{ 0, 0, EXIT_PROTOCOL, "200 OK\r\n\r\n", "200 OK: a web page: "
		    "this path does not lead to inetws" },
		{ 0, 0, EXIT_PROTOCOL, "404 No\r\n\r\n",
		    "404 No: this path does not lead to inetws" },
		{ 0, 0, EXIT_PROTOCOL, "400 No\r\n\r\n",
		    "400 No: if this port expects TLS, use wss://" },
		{ 0, 0, EXIT_UNREACHABLE, "502 No\r\n\r\n",
		    "502 No: the proxy there does not reach inetws" },
		{ 0, 0, EXIT_AGAIN, "504 No\r\n\r\n",
		    "504 No: the proxy there does not reach inetws" },
		{ 0, 0, EXIT_AGAIN, "503 No\r\n\r\n", "503 No: the proxy there "
		    "does not reach inetws, or is at a limit" },
		{ 0, 0, EXIT_UNREACHABLE, "511 No\r\n\r\n", "511 No: this "
		    "network wants a login: open a page in a browser" },
		{ 0, 0, EXIT_UNREACHABLE, "500 No\r\n\r\n", "500 No: the "
		    "web server there has failed: see its error log" },
		{ 0, 0, EXIT_UNREACHABLE, "521 No\r\n\r\n",
		    "521 No: the proxy there does not reach inetws" },
		{ 0, 0, EXIT_UNREACHABLE, "599 No\r\n\r\n", "599 No: the "
		    "web server there has failed: see its error log" },
		{ 0, 0, EXIT_PROTOCOL, "410 \r\n\r\n", "410: " OTHER },
		{ 0, 0, EXIT_PROTOCOL, "415 No\r\n\r\n", "415 No: " OTHER },
		{ 0, 0, EXIT_PROTOCOL, "204 No\r\n\r\n", "204 No: " OTHER },
		{ 0, 0, EXIT_PROTOCOL, "300 No\r\n\r\n", "300 No: " OTHER },
		{ 0, 0, EXIT_PROTOCOL, "999 No\r\n\r\n", "999 No: " OTHER },
		{ 0, 0, EXIT_PROTOCOL, "405 No\r\n\r\n",
		    "405 No: this path does not lead to inetws" },
		{ 0, 0, EXIT_PROTOCOL, "414 No\r\n\r\n",
		    "414 No: the request is too long for it: see --header" },
		{ 0, 0, EXIT_PROTOCOL, "431 No\r\n\r\n",
		    "431 No: the request is too long for it: see --header" },
		{ 0, 0, EXIT_PROTOCOL, "418 No\r\n\r\n",
		    "418 No: a filter there takes this for an attack" },
		{ 0, 0, EXIT_PROTOCOL, "421 No\r\n\r\n", "421 No: it does "
		    "not serve this host: compare it with the URL" },
		{ 0, 0, EXIT_PROTOCOL, "426 No\r\n\r\n",
		    "426 No: a proxy between removes the field Upgrade" },
		{ 0, 0, EXIT_AGAIN, "429 No\r\n\r\n",
		    "429 No: too many requests from here: wait a while" },
		{ 0, 0, EXIT_PROTOCOL, "451 No\r\n\r\n", "451 No: it is "
		    "blocked where you are: try another network" },
		{ 0, 0, EXIT_DENIED, "401 No\r\n\r\n", "401 No: it needs "
		    "credentials (-u USER:PASSWORD)" },
		{ 0, 1, EXIT_DENIED, "401 No\r\n\r\n",
		    "401 No: the credentials are wrong" },
		{ 0, 0, EXIT_DENIED, "401 No\r\nWWW-Authenticate: Bearer\r\n\r\n",
		    "401 No: it needs a secret (-H @FILE with a line "
		    "Authorization: Bearer SECRET)" },
		{ 0, 0, EXIT_DENIED, "401 No\r\nWWW-Authenticate: Bearer\r\n"
		    "WWW-Authenticate: Basic\r\n\r\n", "401 No: it needs "
		    "credentials (-u USER:PASSWORD)" },
		{ 1, 0, EXIT_PROTOCOL, "404 No\r\n\r\n",
		    "404 No: is it a forward proxy?" },
		{ 1, 0, EXIT_PROTOCOL, "400 No\r\n\r\n",
		    "400 No: is it a forward proxy?" },
		{ 1, 0, EXIT_PROTOCOL, "405 No\r\n\r\n",
		    "405 No: is it a forward proxy?" },
		{ 1, 0, EXIT_UNREACHABLE, "501 No\r\n\r\n",
		    "501 No: is it a forward proxy?" },
		{ 1, 0, EXIT_DENIED, "403 No\r\n\r\n",
		    "403 No: its rules do not allow that" },
		{ 1, 0, EXIT_UNREACHABLE, "500 No\r\n\r\n",
		    "500 No: the proxy does not reach the server" },
		{ 1, 0, EXIT_UNREACHABLE, "502 No\r\n\r\n",
		    "502 No: the proxy does not reach the server" },
		{ 1, 0, EXIT_AGAIN, "503 No\r\n\r\n",
		    "503 No: the proxy does not reach the server" },
		{ 1, 0, EXIT_AGAIN, "504 No\r\n\r\n",
		    "504 No: the proxy does not reach the server" },
		{ 1, 0, EXIT_UNREACHABLE, "511 No\r\n\r\n", "511 No: this "
		    "network wants a login: open a page in a browser" },
		{ 1, 0, EXIT_PROTOCOL, "200 OK\r\n\r\n",
		    "200 OK: is it a forward proxy?" },
		{ 1, 0, EXIT_PROTOCOL, "415 No\r\n\r\n",
		    "415 No: is it a forward proxy?" },
		{ 1, 0, EXIT_AGAIN, "429 No\r\n\r\n",
		    "429 No: too many requests from here: wait a while" },
		{ 1, 0, EXIT_PROTOCOL, "451 No\r\n\r\n",
		    "451 No: its rules do not allow that" },
		{ 1, 0, EXIT_UNREACHABLE, "522 No\r\n\r\n",
		    "522 No: the proxy does not reach the server" },
		/* a text says it better, and ends with its line or its length */
		{ 0, 0, EXIT_PROTOCOL, "404 No\r\n" PLAIN "Content-Length: 8\r\n"
		    "\r\nfirst\r\nz", "404 No: first" },
		{ 0, 0, EXIT_PROTOCOL, "404 No\r\n" PLAIN "Content-Length: 3\r\n"
		    "\r\nfirst\r\n", "404 No: fir" },
		{ 0, 0, EXIT_PROTOCOL, "404 No\r\n" PLAIN "Content-Length: 1\r\n"
		    "\r\n\n", "404 No: this path does not lead to inetws" },
		{ 0, 0, EXIT_PROTOCOL, "404 No\r\n" PLAIN "\r\nfirst\r\n",
		    "404 No: this path does not lead to inetws" },
		{ 0, 0, EXIT_PROTOCOL, "404 No\r\nContent-Type: text/plaid\r\n"
		    "Content-Length: 7\r\n\r\nfirst\r\n",
		    "404 No: this path does not lead to inetws" },
		{ 1, 0, EXIT_DENIED, "403 No\r\n" PLAIN "Content-Length: 7\r\n"
		    "\r\nfirst\r\n", "403 No: first" },
		/* a page says it by its title, if that is not the reason */
		{ 0, 0, EXIT_DENIED, "403 No\r\n" HTML "\r\n<title>Sign in</title>",
		    "403 No: " RULE " (its page: \"Sign in\")" },
		{ 0, 0, EXIT_DENIED, "403 No\r\n" HTML "Content-Length: 22\r\n\r\n"
		    "<title>Sign in</title>", "403 No: " RULE " (its page: \"Sign in\")" },
		{ 0, 0, EXIT_DENIED, "403 No\r\n" HTML "\r\n<title>403 No</title>",
		    "403 No: " RULE },
		{ 0, 0, EXIT_DENIED, "403 No\r\nContent-Type: text/htm\r\n\r\n"
		    "<title>Sign in</title>", "403 No: " RULE },
		{ 1, 0, EXIT_DENIED, "403 No\r\n" HTML "\r\n<title>Sign in</title>",
		    "403 No: its rules do not allow that" },
	};
	char answer[400], want[300];
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		snprintf(answer, sizeof(answer), "HTTP/1.1 %s", v[i].answer);
		snprintf(want, sizeof(want), "peer answered %s", v[i].text);
		is_str(refusal(v[i].is_proxy, v[i].authorized, answer), want,
		    v[i].text);
		is(why.status, v[i].status, "its exit status");
	}
}

/* Whoever answers may send much: what is told of it has its bounds. */
static void
test_long(void)
{
	char many[301], answer[1200], want[600];

	memset(many, 'm', 300);
	many[300] = '\0';
	snprintf(answer, sizeof(answer), "HTTP/1.1 410 %s\r\n" PLAIN
	    "Content-Length: 300\r\n\r\n%s", many, many);
	snprintf(want, sizeof(want), "peer answered 410 %.60s...: %.156s...",
	    many, many);
	is_str(refusal(0, 0, answer), want, "a reason and a line");
	snprintf(answer, sizeof(answer), "HTTP/1.1 403 No\r\n" HTML "\r\n"
	    "<title>%s</title>", many);
	snprintf(want, sizeof(want), "peer answered 403 No: " RULE " (its page: "
	    "\"%.76s...\")", many);
	is_str(refusal(0, 0, answer), want, "a title");
	snprintf(answer, sizeof(answer), "HTTP/1.1 401 No\r\n"
	    "WWW-Authenticate: A%.60s, B%.60s\r\n\r\n", many, many);
	ok(strncmp(refusal(0, 0, answer), "peer answered 401 No: it offers only "
	    "Am", 39) == 0 && strstr(why.text, " (others by --header-command)")
	    != NULL, "schemes: %s", why.text);
}

/* The text may come later, but is waited for only so long. */
static void
test_text_later(void)
{
	int64_t now = clock_ms();

	begin(0, 0);
	tell("HTTP/1.1 403 No\r\n" PLAIN "Content-Length: 6\r\n\r\nfi");
	is(exchange_step(&t), 1, "a head");
	is(exchange_refused(&t), 0, "its text is still to come");
	ok(t.text_until >= now + 1000 && t.text_until <= clock_ms() + 1000,
	    "for a second");
	now = t.text_until;
	is(exchange_refused(&t), 0, "(not yet)");
	is(t.text_until, now, "which does not begin anew");
	tell("rst\n");
	is(exchange_refused(&t), -1, "there it is");
	is_str(why.text, "peer answered 403 No: first", "whole");
	end();
	begin(0, 0);
	tell("HTTP/1.1 403 No\r\n" PLAIN "Content-Length: 6\r\n\r\nfi");
	is(exchange_step(&t), 1, "another one");
	t.text_until = clock_ms();
	is(exchange_refused(&t), -1, "whose time is over");
	is_str(why.text, "peer answered 403 No: fi", "as far as it came");
	end();
}

int
main(void)
{
	test_request();
	test_slow_request();
	test_interim();
	test_broken();
	test_refused();
	test_long();
	test_text_later();
	return done_testing();
}
