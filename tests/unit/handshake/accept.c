/* SPDX-License-Identifier: ISC */
/*
 * The accepting side over a socket pair: what only looks whether something
 * answers, pages next to websockets, subprotocols, agents' names in the path,
 * and how a refusal ends.
 *
 * If it fails: probes fill the log, a page or a name is not found, or a peer
 * does not learn why it is refused.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "handshake/tls_accept.h"
#include "handshake/websocket.h"
#include "os/clock.h"
#include "tap.h"

#define KEY	"dGhlIHNhbXBsZSBub25jZQ=="
#define GOOD	"Host: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
    "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 13\r\n"

static struct options o;
static struct websocket w;
static struct upgrade_request request;
static struct error why;
static int peer, ours;
static char got[4096];
static int got_error;		/* 0 at the end */

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
tell(const char *text)
{
	if (write(peer, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
}

/* All that the peer is answered; it closes its end. */
static const char *
answer(void)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(peer, got + len, sizeof(got) - 1 - len)) > 0)
		len += n;
	got[len] = '\0';
	got_error = n == -1 ? errno : 0;
	close(peer);
	return got;
}

/* What becomes of a request whose peer sends nothing more. */
static int
ask(const char *text)
{
	int r;

	open_pair();
	tell(text);
	shutdown(peer, SHUT_WR);
	r = websocket_request(&w, &o, io_of(ours), &request,
	    clock_ms() + 20000, &why);
	if (r == -1)
		is(w.io.rfd, -1, "(closed)");
	else {
		io_close(&w.io);
		close(peer);
	}
	return r;
}

/* A request that is refused: its status, and whether it was a probe. */
static void
refused(const char *text, const char *status, int is_probe)
{
	char want[40];

	snprintf(want, sizeof(want), "HTTP/1.1 %s ", status);
	is(ask(text), -1, "refused");
	ok(strncmp(answer(), want, strlen(want)) == 0, "with %s", status);
	is(w.is_probe, is_probe, "is it a probe?");
}

static void
left(const char *text, const char *said, int is_probe)
{
	is(ask(text), -1, "the peer leaves");
	is_str(answer(), "", "nothing is answered");
	is(why.status, EXIT_LOST, "74");
	is_str(why.text, said, said);
	is(w.is_probe, is_probe, "is it a probe?");
}

static void
test_probes(void)
{
	refused("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", "405", 1);
	refused("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "405", 1);
	refused("HEADS / HTTP/1.1\r\nHost: h\r\n\r\n", "501", 0);
	refused("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "426", 0);
	refused("GET / HTTP/1.1\r\nHost: h\r\n"
	    "User-Agent: kube-probe/1.30\r\n\r\n", "426", 1);
	refused("GET / HTTP/1.1\r\nHost: h\r\n"
	    "User-Agent: check_http/v2\r\n\r\n", "426", 1);
	refused("GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: kube-probe/\r\n\r\n",
	    "426", 1);
	refused("GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: kube-probe\r\n\r\n",
	    "426", 0);
	refused("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
	    "User-Agent: kube-probe/1.30\r\n\r\n", "400", 0);
	left("", "the peer left without a request", 1);
	left("G", "the peer left after 1 bytes of its request", 0);
	left("HEAD ", "the peer left after 5 bytes of its request", 1);
	left("HEAD", "the peer left after 4 bytes of its request", 0);
	open_pair();
	is(websocket_request(&w, &o, io_of(ours), &request, clock_ms() + 30,
	    &why), -1, "nothing comes");
	is(why.status, EXIT_AGAIN, "75");
	is_str(why.text, "refused with 408: no request came", "says so");
	is(w.is_probe, 0, "it is no probe: it holds a place");
	ok(strncmp(answer(), "HTTP/1.1 408 ", 13) == 0, "408");
	open_pair();
	tell("GET /");
	is(websocket_request(&w, &o, io_of(ours), &request, clock_ms() + 30,
	    &why), -1, "not all of it comes");
	is_str(why.text, "refused with 408: the request is not complete",
	    "says so");
	close(peer);
}

static void
test_pages(void)
{
	o.observe.metrics_path = "/metrics";
	is(ask("GET /metrics?a HTTP/1.1\r\nHost: h\r\n\r\n"), 1,
	    "--metrics-path");
	ok(w.head != NULL && slice_is(w.head->method, "GET"), "a request");
	is(ask("HEAD /metrics HTTP/1.0\r\n\r\n"), 1, "by any method, of 1.0");
	is(ask("GET /metrics HTTP/1.1\r\n" GOOD "\r\n"), 0,
	    "a websocket may have the same path");
	refused("GET /metric HTTP/1.1\r\nHost: h\r\n\r\n", "426", 0);
	refused("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n", "426", 0);
	refused("GET / HTTP/1.0\r\n\r\n", "505", 0);
	is(ask("PUT /metrics HTTP/1.1\r\nHost: h\r\n\r\n"), -1,
	    "another method");
	ok(strstr(answer(), "\r\nAllow: GET, HEAD, OPTIONS\r\n") != NULL,
	    "it is told which there are");
	is(ask("PUT /other HTTP/1.1\r\nHost: h\r\n\r\n"), -1, "of no page");
	ok(strstr(answer(), "HEAD, OPTIONS") == NULL, "it is not");
	is(ask("PUT /metrics"), -1, "the end of its line may be missing");
	close(peer);
	o.observe.metrics_path = NULL;
	o.observe.health_path = "/healthz";
	is(ask("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"), 1,
	    "--health-path");
	refused("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n", "426", 0);
	o.observe.health_path = NULL;
	refused("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n", "426", 0);
}

static int
at(const char *path)
{
	char text[1000];
	int r;

	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" GOOD "\r\n", path);
	if ((r = ask(text)) == -1)
		ok(strncmp(answer(), "HTTP/1.1 404 ", 13) == 0, "404");
	return r;
}

static void
test_path(void)
{
	o.websocket.path = "/a";
	is(at("/a"), 0, "--path");
	is(at("/a/b"), -1, "nothing behind it");
	o.reverse.visitors_dir = "x";
	is(at("/a/b"), 0, "but an agent's name");
	is(at("/a/b?q"), 0, "(with a query)");
	is(at("/a"), -1, "and not without one");
	is(at("/ab"), -1, "nor another path");
	is(at("/b/c"), -1, "nor another");
	is(at("/a/b/c"), -1, "one name");
	is(at("/a//"), -1, "not two");
	o.websocket.path = "/a//";
	is(at("/a/b"), 0, "slashes at its end do not count");
	o.websocket.path = "/";
	is(at("/b"), 0, "a name alone");
	is(at("/b/c"), -1, "is one");
	o.reverse.visitors_dir = NULL;
	o.websocket.path = NULL;
}

static const char *
subprotocol(const char *field)
{
	static char name[100];
	char text[1000];

	snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n" GOOD "%s\r\n", field);
	if (ask(text) == -1)
		return answer();
	if (slice_copy(name, sizeof(name), request.subprotocol) == -1 ||
	    request.subprotocol.p == NULL)
		return "none";
	return name;
}

#define OFFER	"Sec-WebSocket-Protocol: "

static void
test_subprotocol(void)
{
	is_str(subprotocol(OFFER "a, binary\r\n"), "binary",
	    "without an option \"binary\" is taken");
	is_str(subprotocol(OFFER "a\r\n"), "none", "and nothing else");
	o.websocket.subprotocol = "a";
	is_str(subprotocol(OFFER "binary, a\r\n"), "a", "--subprotocol");
	o.websocket.require_subprotocol = 1;
	is_str(subprotocol(OFFER "a\r\n"), "a", "that is required");
	ok(strncmp(subprotocol(OFFER "b\r\n"), "HTTP/1.1 400 ", 13) == 0 &&
	    strstr(got, "this endpoint requires another subprotocol") != NULL,
	    "has to be offered");
	o.websocket.require_subprotocol = 0;
	o.access.bearer_subprotocol = "t.";
	is_str(subprotocol(OFFER "a, t.x\r\n"), "a", "a token next to it");
	ok(strncmp(subprotocol(OFFER "t.x, t.y\r\n"), "HTTP/1.1 400 ",
	    13) == 0 && strstr(got, "more than one token in "
	    "Sec-WebSocket-Protocol") != NULL, "two are refused");
	o.access.bearer_subprotocol = NULL;
	o.websocket.subprotocol = NULL;
}

static void
test_adopt(void)
{
	static const char text[] = "GET / HTTP/1.1\r\n" GOOD
	    "Sec-WebSocket-Extensions: inetws; v=2; id=me\r\n\r\nearly";
	size_t len = strlen(text);

	open_pair();
	is(websocket_adopt(&w, &o, io_of(ours), text, len, &request, &why), 0,
	    "bytes that another process read");
	ok(w.raw == text && w.raw_len == len, "all of them");
	ok(w.early_len == 5 && w.early == text + len - 5, "what came early");
	ok(request.has_offer && strcmp(w.theirs.id, "me") == 0, "the offer");
	is(websocket_answer(&w, &request, NULL, clock_ms() + 20000, &why), 0,
	    "answered");
	is(w.has_extension, 0, "declined");
	is(websocket_answer(&w, &request, &w.theirs, clock_ms() + 20000,
	    &why), 0, "answered");
	is(w.has_extension, 1, "taken");
	io_close(&w.io);
	ok(strncmp(answer(), "HTTP/1.1 101 ", 13) == 0, "101");
	open_pair();
	shutdown(peer, SHUT_WR);
	is(websocket_adopt(&w, &o, io_of(ours), text, len - 7, &request,
	    &why), -1, "not a whole request");
	ok(strncmp(answer(), "HTTP/1.1 400 ", 13) == 0, "400");
	is(w.io.rfd, -1, "closed");
	open_pair();
	shutdown(peer, SHUT_WR);
	is(websocket_adopt(&w, &o, io_of(ours), "x\r\n\r\n", 5, &request, &why),
	    -1, "no request at all");
	close(peer);
	open_pair();
	is(write(peer, "more", 4), 4, "more is to be read");
	shutdown(peer, SHUT_WR);
	is(websocket_adopt(&w, &o, io_of(ours), "x\r\n\r\n", 5, &request, &why),
	    -1, "and refused");
	ok(strncmp(answer(), "HTTP/1.1 400 ", 13) == 0 &&
	    got_error == ECONNRESET,
	    "without waiting for it");
}

/* An answer that cannot be sent. */
static void
test_answer(void)
{
	static char waste[65536];

	open_pair();
	is(websocket_adopt(&w, &o, io_of(ours), "GET / HTTP/1.1\r\n" GOOD
	    "\r\n", strlen("GET / HTTP/1.1\r\n" GOOD "\r\n"), &request, &why),
	    0, "a request");
	while (write(ours, waste, sizeof(waste)) > 0)
		;
	is(websocket_answer(&w, &request, NULL, clock_ms() + 30, &why), -1,
	    "a peer that does not read");
	is(why.status, EXIT_AGAIN, "75");
	ok(strncmp(why.text, "cannot answer: ", 15) == 0, "%s", why.text);
	is(w.io.rfd, -1, "closed");
	close(peer);
	open_pair();
	is(websocket_adopt(&w, &o, io_of(ours), "GET / HTTP/1.1\r\n" GOOD
	    "\r\n", strlen("GET / HTTP/1.1\r\n" GOOD "\r\n"), &request, &why),
	    0, "another one");
	close(peer);
	is(websocket_answer(&w, &request, NULL, clock_ms() + 20000, &why), -1,
	    "a peer that is gone");
	is(why.status, EXIT_LOST, "74");
}

/* --- refusals --- */

/* A peer that never closes is waited for, and what it sends is read. */
static void
test_refuse(void)
{
	static char waste[65536];
	char text[1200];
	int64_t begun = clock_ms();
	size_t sent = 0;
	ssize_t n;
	pid_t pid;

	open_pair();
	memset(&w, 0, sizeof(w));
	w.io = io_of(ours);
	websocket_refuse(&w, 403, "no");
	ok(clock_ms() >= begun + 1000, "a second for the peer to read it");
	is(w.io.rfd, -1, "closed");
	ok(strstr(answer(), "\r\n\r\nno\n") != NULL, "it could");
	open_pair();
	w.io = io_of(ours);
	begun = clock_ms();
	websocket_refuse_now(&w, 403, "A: b\r\n", "no");
	ok(clock_ms() < begun + scaled(900), "or without waiting");
	is(w.io.rfd, -1, "closed");
	ok(strstr(answer(), "\r\nA: b\r\n") != NULL &&
	    strstr(got, "\r\n\r\nno\n") != NULL, "the same answer");
	/* what is too long for an answer is left out */
	memset(text, 't', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	open_pair();
	w.io = io_of(ours);
	websocket_refuse_now(&w, 403, "A: b\r\n", text);
	ok(strncmp(answer(), "HTTP/1.1 403 ", 13) == 0 &&
	    strstr(got, "\r\n\r\nForbidden\n") != NULL,
	    "a text that is too long becomes the reason");
	/* and a flood ends after a mebibyte */
	open_pair();
	if ((pid = fork()) == 0) {
		close(ours);
		signal(SIGPIPE, SIG_IGN);
		while ((n = write(peer, waste, 4096)) > 0)
			sent += n;
		_exit(sent < 1024 * 1024 ? 1 : sent > 2 * 1024 * 1024 ? 2 : 0);
	}
	close(peer);
	w.io = io_of(ours);
	websocket_refuse(&w, 403, "no");
	waitpid(pid, (int *)&n, 0);
	is((int)n, 0, "a flood is read for a mebibyte, and not for ever");
}

/* --- before TLS --- */

static int
begin_tls(const char *text)
{
	char subject[TLS_SUBJECT_MAX];
	struct io io;
	int r;

	open_pair();
	tell(text);
	shutdown(peer, SHUT_WR);
	io = io_of(ours);
	r = tls_accept_begin(&io, NULL, subject, clock_ms() + 20000, &why);
	is(io.rfd, -1, "closed");
	return r;
}

static void
test_no_tls(void)
{
	is(begin_tls(""), -1, "a peer of TLS that leaves");
	is(why.status, EXIT_LOST, "74");
	is_str(why.text, "the peer left without a request", "says so");
	is_str(answer(), "", "without an answer");
	is(begin_tls("GET / HTTP/1.1\r\n\r\n"), -1, "one that speaks HTTP");
	is(why.status, EXIT_PROTOCOL, "76");
	is_str(why.text, "TLS with the client: it speaks HTTP without TLS",
	    "says so");
	ok(strncmp(answer(), "HTTP/1.1 400 ", 13) == 0 && strstr(got,
	    "\r\n\r\nthis port speaks TLS: use wss://\n") != NULL,
	    "and is told in its own language");
	is(begin_tls("A"), -1, "from A");
	ok(strncmp(answer(), "HTTP/1.1 400 ", 13) == 0, "(told)");
	is(begin_tls("Z"), -1, "to Z");
	ok(strncmp(answer(), "HTTP/1.1 400 ", 13) == 0, "(told)");
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	alarm(120);
	test_probes();
	test_pages();
	test_path();
	test_subprotocol();
	test_adopt();
	test_answer();
	test_refuse();
	test_no_tls();
	return done_testing();
}
