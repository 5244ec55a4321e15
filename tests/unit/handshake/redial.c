/* SPDX-License-Identifier: ISC */
/*
 * Requests and their answers step by step, over a path that is up: what a
 * session tells which server, redirects, refusals, times, and what is told of
 * each step.
 *
 * If it fails: a session is resumed late or not at all, or its ID and
 * credentials go to a server that must not have them.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "handshake/redial.h"
#include "listening.h"
#include "seen.h"
#include "os/clock.h"
#include "os/signals.h"
#include "tap.h"

#define SECRET	"abcdefghijklmnopqrstuvwxyz"
#define SESSION	"0123456789abcdef0123456789abcdef"

static struct options o;
static struct attempt a;
static struct websocket w;
static struct url url;
static struct trust trust;
static struct trace trace;
static struct error why;
static struct extension offer;
static uint16_t port;
static int listener, peer, http;
static char got[20000];

static void
go_to(const char *form)
{
	char text[100], err[200];

	memset(&o, 0, sizeof(o));
	o.timeouts.handshake = 20000;
	o.timeouts.connect = 10000;
	snprintf(text, sizeof(text), form, port);
	if (url_parse(&url, text, err, sizeof(err)) == -1)
		abort();
	o.url = url;
	memset(&offer, 0, sizeof(offer));
	offer.version = 2;
	strlcpy(offer.id, "me", sizeof(offer.id));
	offer.win = 65536;
	offer.flags = EXT_RESUME;
}

static void
take_peer(void)
{
	struct timeval limit = { .tv_sec = 20 };

	peer = accept(listener, NULL, NULL);
	setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

/* The request, as the peer gets it. */
static const char *
request(void)
{
	size_t len = 0;
	ssize_t n;

	got[0] = '\0';
	while (strstr(got, "\r\n\r\n") == NULL && (n = recv(peer, got + len,
	    sizeof(got) - 1 - len, 0)) > 0)
		got[len += n] = '\0';
	return got;
}

static void
tell(const char *text)
{
	if (write(peer, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
}

/* 101 for the request that is in got. */
static void
tell_101(const char *fields)
{
	char key[100] = "", accepted[UPGRADE_ACCEPT_LEN + 1], text[1000];
	const char *at = strstr(got, "Sec-WebSocket-Key: ");

	if (at == NULL || sscanf(at + 19, "%99s", key) != 1)
		abort();
	upgrade_accept(accepted, key);
	snprintf(text, sizeof(text), "HTTP/1.1 101 Go\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
	    accepted, fields);
	tell(text);
}

/* A path, and a request over it: its text. */
static const char *
ask(void)
{
	a.known = NULL;
	attempt_begin(&a, &o, &url, &trust, &trace, clock_ms() + 20000);
	while (attempt_step(&a) == 0)
		poll(NULL, 0, 1);
	take_peer();
	is(redial_ask(&w, &a, &o, &trust, &offer, &why), 0, "(asked)");
	is(redial_step(&http), 0, "(it is out)");
	return request();
}

static int
finish(void)
{
	struct pollfd p[REDIAL_POLL_MAX];
	int64_t end = clock_ms() + 20000;
	int r;

	while ((r = redial_step(&http)) == 0 && clock_ms() < end)
		poll(p, redial_poll(p), clock_poll(redial_time()));
	return r;
}

static void
test_open(void)
{
	struct pollfd p[REDIAL_POLL_MAX];
	int64_t before;

	go_to("ws://u:p@127.0.0.1:%u/a?b");
	before = clock_ms();
	ok(strncmp(ask(), "GET /a?b HTTP/1.1\r\n", 19) == 0, "a request");
	ok(strstr(got, "\r\nAuthorization: Basic dTpw\r\n") != NULL,
	    "with the URL's user");
	ok(redial_poll(p) == 1 && p[0].fd == w.io.rfd &&
	    p[0].events == POLLIN, "its answer is waited for");
	ok(redial_time() >= before + 20000 && redial_time() <=
	    clock_ms() + 20000, "for --handshake-timeout");
	is(redial_holds(), 1, "its address is ours");
	ok(redial_unheard_since() == CLOCK_NEVER ||
	    redial_unheard_since() >= before, "it is acknowledged soon");
	tell_101("Sec-WebSocket-Extensions: inetws; v=2; id=you\r\n");
	tell("early");
	is(finish(), 1, "open");
	is(http, 101, "101");
	ok(w.has_extension && strcmp(w.theirs.id, "you") == 0, "by inetws");
	ok(w.early_len == 5 && memcmp(w.early, "early", 5) == 0,
	    "what came behind");
	ok(w.at[DIAL_BEGUN] > 0 && w.at[DIAL_ANSWERED] >= w.at[DIAL_BEGUN],
	    "its steps");
	is(w.redirects, 0, "no redirect");
	is(redial_unheard_since(), CLOCK_NEVER, "nothing is out any more");
	redial_end();
	is(w.io.rfd, -1, "closed");
	is(redial_holds(), 1, "(nothing to hold)");
	close(peer);

	o.websocket.user.value = "x:y";
	ask();
	ok(strstr(got, "\r\nAuthorization: Basic eDp5\r\n") != NULL,
	    "--user goes before the URL's");
	tell_101("");
	is(finish(), 1, "open");
	is(w.has_extension, 0, "a plain peer");
	is(w.early_len, 0, "nothing came behind");
	redial_end();
	close(peer);
	ask();
	tell("HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: x\r\n\r\n");
	is(finish(), -1, "another key's answer");
	is(why.status, EXIT_PROTOCOL, "76");
	ok(strstr(why.text, ": wrong answer: ") != NULL, "%s", why.text);
	is(w.io.rfd, -1, "closed");
	close(peer);
}

static void
test_refused(void)
{
	char want[100];
	struct pollfd p[REDIAL_POLL_MAX];

	go_to("ws://127.0.0.1:%u/");
	ask();
	tell("HTTP/1.1 503 Full\r\nRetry-After: 9\r\n"
	    "Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nfu");
	is(redial_step(&http), 0, "a refusal, whose text still comes");
	is(http, 503, "its status");
	is(w.retry_after, 9, "its time");
	ok(redial_poll(p) == 1 && p[0].fd == w.io.rfd, "it is waited for");
	ok(redial_time() <= clock_ms() + 1000, "for a second at most");
	tell("ll..");
	is(finish(), -1, "refused");
	snprintf(want, sizeof(want), "ws://127.0.0.1:%u/ answered 503 Full: "
	    "full..", port);
	is_str(why.text, want, "with its text");
	is(why.status, EXIT_AGAIN, "75");
	ok(w.early_len == 6 && memcmp(w.early, "full..", 6) == 0,
	    "whose bytes are there");
	is(w.io.rfd, -1, "closed");
	close(peer);
	ask();
	is(http, 0, "the next one has no status yet");
	close(peer);
	is(finish(), -1, "left");
	is(http, 0, "nor any");
	ask();
	redial_cancel(&http);
	is(why.status, EXIT_AGAIN, "given up: 75");
	ok(strstr(why.text, ": no answer: ") != NULL, "%s", why.text);
	is(w.io.rfd, -1, "closed");
	close(peer);
	o.timeouts.handshake = 30;
	ask();
	is(finish(), -1, "its time is over");
	is(why.status, EXIT_AGAIN, "75");
	close(peer);
}

/* --- redirects --- */

/* A redirect to our listener again, by this form: the next request. */
static const char *
redirect(int status, const char *form)
{
	char where[100], text[400];
	int r, i;

	snprintf(where, sizeof(where), form, port);
	snprintf(text, sizeof(text), "HTTP/1.1 %d Away\r\nLocation: %s\r\n"
	    "Set-Cookie: c=1\r\n\r\n", status, where);
	tell(text);
	close(peer);
	for (i = 0; i < 2000 && (r = redial_step(&http)) == 0 &&
	    w.io.rfd == -1; i++)
		poll(NULL, 0, 1);
	if (r == -1)
		return why.text;
	take_peer();
	return request();
}

static void
test_redirects(void)
{
	char want[300];

	go_to("ws://u:p@127.0.0.1:%u/a");
	ask();
	ok(strncmp(redirect(302, "b?c"), "GET /b?c HTTP/1.1\r\n", 19) == 0,
	    "a redirect is followed");
	ok(strstr(got, "\r\nAuthorization: Basic dTpw\r\n") != NULL &&
	    strstr(got, "\r\nCookie: c=1\r\n") != NULL,
	    "credentials and cookies stay with the server");
	is(w.redirects, 1, "it is counted");
	is(http, 302, "with its status");
	ok(strstr(redirect(307, "ws://localhost:%u/d"), "Authorization") ==
	    NULL && strstr(got, "Cookie") == NULL, "and do not go to another");
	ok(strstr(redirect(308, "ws://x:y@127.0.0.1:%u/d"),
	    "\r\nAuthorization: Basic eDp5\r\n") != NULL,
	    "a URL may have its own");
	redirect(301, "/d");
	redirect(303, "/d");
	is(w.redirects, 5, "five of them");
	snprintf(want, sizeof(want), "ws://127.0.0.1:%u/d: more than 5 "
	    "redirects (redirected from ws://127.0.0.1:%u/a)", port, port);
	is_str(redirect(302, "/e"), want, "are enough");
	is(why.status, EXIT_PROTOCOL, "76");
	is(w.io.rfd, -1, "closed");

	ask();
	tell("HTTP/1.1 302 Away\r\n\r\n");
	is(finish(), -1, "one that leads nowhere");
	snprintf(want, sizeof(want), "ws://127.0.0.1:%u/a answered 302 without "
	    "one good Location", port);
	is_str(why.text, want, "says so");
	close(peer);
	ask();
	ok(strstr(redirect(302, "ftp://x:%u/"), " redirects to what is no "
	    "websocket URL: ") != NULL, "%s", why.text);
	ask();
	ok(strstr(redirect(302, "ws+unix:/x%u:/"), ": a redirect may not name a "
	    "Unix socket") != NULL, "%s", why.text);
	ask();
	redirect(302, "/b");
	tell("HTTP/1.1 404 No\r\n\r\n");
	is(finish(), -1, "refused where it leads");
	snprintf(want, sizeof(want), " (redirected from ws://127.0.0.1:%u/a)",
	    port);
	ok(strstr(why.text, want) != NULL, "%s", why.text);
	close(peer);
}

/* The name of an agent may be a secret: it is shown to nobody. */
static void
test_masked(void)
{
	const char *said;
	int i;

	go_to("ws://127.0.0.1:%u/" SECRET);
	o.mode = MODE_AGENT;
	o.log.verbose = 1;
	seen_begin();
	for (i = 0; i < 2; i++) {
		ask();
		if (i == 1)
			redirect(302, "/x/" SECRET);
		tell("HTTP/1.1 404 No\r\n\r\n");
		is(finish(), -1, "refused");
		ok(strstr(why.text, SECRET) == NULL &&
		    strstr(why.text, "/abcdef...") != NULL, "%s", why.text);
		close(peer);
	}
	said = seen();
	ok(strstr(said, "ms  redirected to ws://127.0.0.1:") != NULL &&
	    strstr(said, "/x/abcdef...\n") != NULL, "-v shows redirects");
	ok(strstr(said, SECRET) == NULL, "without the name");
	o.mode = MODE_CLIENT;
	ask();
	redirect(302, "/x/" SECRET);
	redial_end();
	close(peer);
	ok(strstr(seen(), "/x/" SECRET "\n") != NULL,
	    "the path of a client is no name");
}

/* All requests together have the time of the first. */
static void
test_times(void)
{
	int64_t end;

	go_to("ws://127.0.0.1:%u/a");
	ask();
	end = redial_time();
	is(redirect(302, "/b")[0], 'G', "(redirected)");
	ok(redial_time() >= end && redial_time() <= end + 10000,
	    "a redirect has no time of its own");
	redial_end();
	close(peer);
	o.timeouts.connect = 0;
	ask();
	end = redial_time();
	poll(NULL, 0, 5);
	redirect(302, "/b");
	ok(redial_time() > end, "unless some time is without a limit");
	redial_end();
	close(peer);
	o.timeouts.handshake = 0;
	ask();
	is(redial_time(), CLOCK_NEVER, "as this one is");
	redial_end();
	close(peer);
}

/* --- sessions --- */

static void
test_session(void)
{
	go_to("ws://127.0.0.1:%u/s");
	ask();
	tell_101("Sec-WebSocket-Extensions: inetws; v=2; id=you; win=65536; "
	    "resume=" SESSION "\r\nSet-Cookie: first=1; Path=/s\r\n");
	is(finish(), 1, "a session begins");
	is_str(w.theirs.session, SESSION, "its ID");
	redial_end();
	close(peer);
	strlcpy(offer.session, SESSION, sizeof(offer.session));
	ask();
	ok(strstr(got, SESSION) != NULL, "it is told where it came from");
	ok(strstr(got, "first=1") != NULL, "with its cookies");
	tell_101("Set-Cookie: plain=1; Path=/s\r\n");
	is(finish(), 1, "a plain peer answers");
	redial_end();
	close(peer);
	ask();
	ok(strstr(got, "plain=1") == NULL,
	    "its cookies lead to the wrong server");
	ok(strstr(redirect(302, "ws://localhost:%u/s"), SESSION) == NULL,
	    "the ID is told to no other host");
	ok(strstr(got, "Sec-WebSocket-Extensions") == NULL, "(no offer)");
	tell_101("Set-Cookie: q=1\r\n");
	is(finish(), 1, "(open)");
	redial_end();
	close(peer);
	offer.session[0] = '\0';
	ask();
	ok(strstr(redirect(302, "ws://localhost:%u/s"), "inetws; v=2") != NULL,
	    "a new session may begin anywhere");
	redial_end();
	close(peer);
}

/* --- websocket_dial() itself --- */

static char steps[200];

static void
note(const struct websocket *of, enum dial_step done)
{
	char text[10];

	snprintf(text, sizeof(text), "%d%s ", (int)done,
	    of->redirects > 0 ? "r" : "");
	strlcat(steps, text, sizeof(steps));
}

/* In a child: the answers to so many connections, one each. */
static pid_t
serve(const char *const *answers)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	alarm(60);
	for (; *answers != NULL; answers++) {
		take_peer();
		request();
		if (strcmp(*answers, "101") == 0)
			tell_101("");
		else if (**answers != '\0')
			tell(*answers);
		else
			recv(peer, got, 1, 0);
		close(peer);
	}
	_exit(0);
}

static int
dial(const char *const *answers)
{
	pid_t pid = serve(answers);
	int r;

	steps[0] = '\0';
	r = websocket_dial(&w, &o, &trust, NULL, &http, &why);
	io_close(&w.io);
	waitpid(pid, NULL, 0);
	return r;
}

static void
test_watch(void)
{
	char name[100];
	pid_t pid;

	go_to("ws://127.0.0.1:%u/a");
	is(dial((const char *const[]){ "101", NULL }), 0, "dialled");
	is_str(steps, "", "nobody watches");
	websocket_watch(note);
	is(dial((const char *const[]){ "101", NULL }), 0, "watched");
	is_str(steps, "0 1 2 5 ", "begun, found, connected, answered");
	snprintf(name, sizeof(name), "ws://127.0.0.1:%u/a", port);
	is_str(w.name, name, "where");
	is(dial((const char *const[]){ "HTTP/1.1 302 A\r\nLocation: /b\r\n\r\n",
	    "101", NULL }), 0, "redirected");
	is_str(steps, "0 1 2 5 0r 1r 2r 5r ", "each of them once");
	is(dial((const char *const[]){ "HTTP/1.1 404 No\r\n\r\n", NULL }), -1,
	    "refused");
	is_str(steps, "0 1 2 6 ", "that it is over");
	is(http, 404, "by this status");
	websocket_watch(NULL);
	o.timeouts.handshake = 30;
	is(dial((const char *const[]){ "", NULL }), -1, "no answer");
	is(why.status, EXIT_AGAIN, "75");
	is(http, 0, "no status");
	o.timeouts.handshake = 20000;
	pid = serve((const char *const[]){ "HTTP/1.1 200 OK\r\n\r\n", NULL });
	is(websocket_look(&o, &trust, &why), 200, "a look at a page");
	waitpid(pid, NULL, 0);
	signals_single();
	kill(getpid(), SIGTERM);
	is(dial((const char *const[]){ "", NULL }), -1, "a signal");
	ok(strstr(why.text, "interrupted") != NULL && why.status ==
	    EXIT_AGAIN, "ends it: %s", why.text);
}

/* What would not fit one head is refused before it is sent. */
static void
test_long(void)
{
	static char field[8000], agent[HTTP_HEAD_MAX];

	go_to("ws://127.0.0.1:%u/a");
	memset(field, 'x', sizeof(field));
	memcpy(field, "X: ", 3);
	field[7999] = '\0';
	o.websocket.header.v[0] = field;
	o.websocket.header.n = 1;
	memset(o.url.path + 1, 'p', 4090);
	url = o.url;
	is_str(ask() + strlen(got) - 4, "\r\n\r\n", "a long one is whole");
	redial_end();
	close(peer);
	o.websocket.header.v[0] = "X: y";
	o.websocket.user_agent = agent;
	memset(agent, 'a', sizeof(agent) - 1);
	attempt_begin(&a, &o, &url, &trust, &trace, clock_ms() + 20000);
	while (attempt_step(&a) == 0)
		poll(NULL, 0, 1);
	take_peer();
	is(redial_ask(&w, &a, &o, &trust, &offer, &why), 0, "(asked)");
	is(redial_step(&http), -1, "what is too long for a head");
	is(why.status, EXIT_BADUSAGE, "64");
	ok(strstr(why.text, ": the request has more than 16384 bytes") != NULL,
	    "%.300s", why.text);
	is(w.io.rfd, -1, "closed");
	close(peer);
}

int
main(void)
{
	static const char *const names[] = { "http_proxy", "all_proxy",
	    "ALL_PROXY" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	alarm(120);
	listener = listen_any(&port);
	test_open();
	test_refused();
	test_redirects();
	test_masked();
	test_times();
	test_session();
	test_long();
	test_watch();
	return done_testing();
}
