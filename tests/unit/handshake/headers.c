/* SPDX-License-Identifier: ISC */
/*
 * The fields that are added to our requests: those of options, of a command,
 * of --forward-peer, and cookies, up to the room that there is.
 *
 * If it fails: a secret goes to another server, a request becomes too long, or
 * a command that hangs keeps a connection from being made.
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "handshake/headers.h"
#include "os/clock.h"
#include "seen.h"
#include "tap.h"

static struct options o;
static struct error why;
static struct trust trust;
static struct url own, other;
static char lines[HEADERS_SIZE], folder[] = "/tmp/inetws-headers-XXXXXX",
    program[64];

static void
command(const char *text)
{
	char script[1000];
	int fd, n;

	n = snprintf(script, sizeof(script), "#!/bin/sh\n%s\n", text);
	unlink(program);
	fd = open(program, O_WRONLY | O_CREAT, 0700);
	if (fd == -1 || write(fd, script, n) != n || close(fd) == -1)
		abort();
}

static void
parse(struct url *u, const char *text)
{
	char err[200];

	if (url_parse(u, text, err, sizeof(err)) == -1)
		abort();
}

/* The fields of a request to this URL, without a command. */
static const char *
written(const struct url *u)
{
	is(headers_write(lines, &o, u, 0, &why), 1, "(written)");
	return lines;
}

/* --- those of options --- */

static void
test_given(void)
{
	memset(&o, 0, sizeof(o));
	o.url = own;
	is_str(written(&own), "", "nothing is given");
	o.websocket.header.v[0] = "A: b";
	o.websocket.header.v[1] = "Authorization: s";
	o.websocket.header.v[2] = "C: d";
	o.websocket.header.n = 3;
	is_str(written(&own), "A: b\r\nAuthorization: s\r\nC: d\r\n",
	    "all, in their order");
	is_str(written(&other), "A: b\r\nC: d\r\n",
	    "a secret stays with its server");
	websocket_set_forwarded("192.0.2.1:77");
	o.websocket.header.n = 1;
	is_str(written(&own), "A: b\r\nForwarded: for=\"192.0.2.1:77\"\r\n",
	    "who it is for");
	is_str(written(&other), "A: b\r\n", "is for our server only");
	websocket_set_forwarded("unix:/x");
	is_str(written(&own), "A: b\r\n", "and only if it has an address");
	o.websocket.header.v[0] = "Bad";
	is(headers_write(lines, &o, &own, 0, &why), -1, "what is no field");
	is(why.status, EXIT_BADUSAGE, "is a wrong use");
	o.proxy.header.v[0] = "P: q";
	o.proxy.header.v[1] = "R: s";
	o.proxy.header.n = 2;
	is(headers_write_proxy(lines, &o, 0, &why), 1, "those for a proxy");
	is_str(lines, "P: q\r\nR: s\r\n", "are others");
	o.proxy.header.v[1] = "Bad";
	is(headers_write_proxy(lines, &o, 0, &why), -1, "checked as well");
}

/* --- those of a command --- */

/* 1 or -1, as soon as the command has ended. */
static int
wait_for(enum header_for to, const struct url *u, uint64_t question)
{
	struct pollfd p;
	int r;

	while ((r = to == HEADER_PROXY ?
	    headers_write_proxy(lines, &o, question, &why) :
	    headers_write(lines, &o, u, question, &why)) == 0) {
		if (headers_poll(question, &p) != 1 ||
		    p.events != POLLIN || poll(&p, 1, 20000) != 1)
			return 99;
	}
	return r;
}

static int
ask(const char *text)
{
	uint64_t question;

	command(text);
	is(headers_ask(&question, &o, &own, &trust, &why), 0, "(asked)");
	ok(question != 0, "(a question)");
	return wait_for(HEADER_SERVER, &own, question);
}

/* Is a command for a proxy at this port told so? */
static int
knows(unsigned int port)
{
	char text[40], want[60];
	struct proxy proxy;
	uint64_t question;

	snprintf(text, sizeof(text), "http://q.example:%u", port);
	snprintf(want, sizeof(want), "V: %s\r\n", text);
	if (proxy_parse(&proxy, text, why.text, sizeof(why.text)) == -1)
		abort();
	return headers_ask_proxy(&question, &o, &proxy, &trust, &why) == 0 &&
	    wait_for(HEADER_PROXY, NULL, question) == 1 &&
	    strcmp(lines, want) == 0;
}

static void
test_command(void)
{
	char *argv[] = { program, NULL };
	uint64_t question = 9, first;
	struct proxy proxy;
	struct pollfd p;
	char err[100], want[200];
	int64_t before;

	memset(&o, 0, sizeof(o));
	o.url = own;
	o.timeouts.handshake = 20000;
	is(headers_ask(&question, &o, &own, &trust, &why), 0, "no command");
	is(question, 0, "nothing is asked");
	is(headers_poll(0, &p), 0, "nor waited for");
	is(headers_time(0), 0, "at no time");
	is(headers_ask_proxy(&question, &o, &proxy, &trust, &why), 0,
	    "nor for a proxy");
	is(question, 0, "(nothing)");
	o.websocket.header_command = argv;
	question = 9;
	is(headers_ask(&question, &o, &other, &trust, &why), 0,
	    "another server's request");
	is(question, 0, "does not run it");

	is(ask("printf 'A: b\\r\\n\\nC: $INETWS_URL\\n'"), 1, "its output");
	is_str(lines, "A: b\r\nC: $INETWS_URL\r\n", "line by line");
	is(ask("echo \"U: $INETWS_URL\""), 1, "it knows");
	is_str(lines, "U: ws://h.example/p\r\n", "the URL");
	is(ask("true"), 1, "one that writes nothing");
	is_str(lines, "", "adds nothing");
	is(ask("echo 'S: s3cr\"\"et-9'"), 1, "a secret");
	memset(lines, 0, sizeof(lines));
	ok(!is_kept("s3cr\"\"et-9"), "is kept nowhere else");
	is(ask("exit 3"), -1, "an exit status");
	snprintf(want, sizeof(want), "--header-command %s: exit status 3",
	    program);
	is_str(why.text, want, "is told with the command's name");
	is(why.status, EXIT_SYSTEM, "71");
	is(ask("echo nonsense"), -1, "what is no field");
	is(why.status, EXIT_SYSTEM, "is not the user's wrong use: 71");
	ok(strncmp(why.text, "--header-command /tmp/", 22) == 0, "%s",
	    why.text);

	/* One that takes its time is waited for, and not too long. */
	command("exec sleep 60");
	before = clock_ms();
	is(headers_ask(&first, &o, &own, &trust, &why), 0, "a slow one");
	ok(headers_time(first) >= before + 21000 &&
	    headers_time(first) <= clock_ms() + 21000,
	    "has --handshake-timeout, and a second to tell of it");
	is(headers_write(lines, &o, &own, first, &why), 0, "not yet");
	o.timeouts.handshake = 0;
	before = clock_ms();
	is(headers_ask(&question, &o, &own, &trust, &why), 0, "asked anew");
	ok(question != first, "it is another question");
	ok(headers_time(question) >= before + 11000 &&
	    headers_time(question) <= clock_ms() + 11000,
	    "without that ten seconds");
	is(headers_write(lines, &o, &own, first, &why), -1,
	    "the first one is not answered any more");
	is(why.status, EXIT_AGAIN, "75");
	is(headers_late(&o, HEADER_SERVER, ETIMEDOUT, &why), -1, "too late");
	snprintf(want, sizeof(want), "--header-command %s: took too long",
	    program);
	is_str(why.text, want, "says so");
	is(why.status, EXIT_AGAIN, "75");

	/* A proxy has a command of its own. */
	if (proxy_parse(&proxy, "http://u:p@q.example:8", err,
	    sizeof(err)) == -1)
		abort();
	o.proxy.header_command = argv;
	command("echo \"V: $INETWS_PROXY\"");
	is(headers_ask_proxy(&question, &o, &proxy, &trust, &why), 0,
	    "a proxy's");
	is(wait_for(HEADER_PROXY, NULL, question), 1, "answers");
	is_str(lines, "V: http://q.example:8\r\n", "knows which, not its user");
	is(knows(2), 1, "a second proxy");
	is(knows(2), 1, "again");
	is(knows(8), 1, "the first one");
	is(knows(3), 1, "a third one");
	is(knows(8), 1, "the first one, still");
	is(knows(2), 1, "the second one");
	command("exit 1");
	is(headers_ask_proxy(&question, &o, &proxy, &trust, &why), 0, "(again)");
	is(wait_for(HEADER_PROXY, NULL, question), -1, "fails");
	is(headers_late(&o, HEADER_PROXY, EINTR, &why), -1, "a signal");
	snprintf(want, sizeof(want), "--proxy-header-command %s: interrupted",
	    program);
	is_str(why.text, want, "is told of that command");
	websocket_dials_done();
	for (question = 1; question <= 3; question++)
		is(fcntl(headers_poll(question, &p) == 1 ? p.fd : -1, F_GETFD),
		    -1, "no helper is left");
}

/* The process that runs it is gone, or cannot be made. */
static void
test_no_helper(void)
{
	char *argv[] = { program, NULL }, want[200];
	struct rlimit old, few;
	uint64_t question;

	o.websocket.header_command = argv;
	is(ask("kill -9 $PPID"), -1, "the process ends");
	is(headers_ask(&question, &o, &own, &trust, &why), -1, "and is gone");
	snprintf(want, sizeof(want), "--header-command %s: the process that "
	    "runs the command is gone", program);
	is_str(why.text, want, "says so");
	is(why.status, EXIT_SYSTEM, "71");
	websocket_dials_done();
	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	few.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &few);
	is(headers_ask(&question, &o, &own, &trust, &why), -1, "none is made");
	setrlimit(RLIMIT_NOFILE, &old);
	snprintf(want, sizeof(want), "--header-command %s: %s", program,
	    strerror(EMFILE));
	is_str(why.text, want, "says why");
	is(why.status, EXIT_SYSTEM, "71");
	o.websocket.header_command = NULL;
}

/* --- cookies --- */

static void
take(const char *fields)
{
	static struct http_head head;
	static char text[16000];
	struct http_parser_state st;
	char err[200];
	int status;

	snprintf(text, sizeof(text), "HTTP/1.1 101 Go\r\n%s\r\n", fields);
	http_begin(&st, 1);
	if (http_parse(&st, text, strlen(text), &head, &status, err,
	    sizeof(err)) <= 0)
		abort();
	headers_take_cookies(&head, &own);
	memset(text, 0, sizeof(text));
}

/* One option with a field of this length, CRLF included. */
static const char *
field_of(size_t len)
{
	static char field[HEADERS_GIVEN_MAX + 10];

	memset(field, 'x', sizeof(field));
	memcpy(field, "X: ", 3);
	field[len - 2] = '\0';
	return field;
}

static void
test_cookies(void)
{
	static char cookie[5000];
	struct url far = own;
	size_t room;

	memset(&o, 0, sizeof(o));
	o.url = own;
	take("Set-Cookie: a=1\r\n");
	is_str(written(&own), "Cookie: a=1\r\n", "one that was set");
	is_str(written(&other), "", "is its server's");
	take("Set-Cookie: b=2\r\n");
	o.websocket.header.v[0] = "Cookie: c=3";
	o.websocket.header.v[1] = "Cookie2: d";
	o.websocket.header.n = 2;
	is_str(written(&own), "Cookie: c=3; a=1; b=2\r\nCookie2: d\r\n",
	    "in one field with a given one");
	o.websocket.header.v[0] = "E: f";
	o.websocket.header.n = 1;
	is_str(written(&own), "E: f\r\nCookie: a=1; b=2\r\n", "behind others");

	/* What would not fit the head or the lines stays away. */
	room = HTTP_HEAD_MAX - 3072 - strlen(own.path);
	ok(room > HEADERS_GIVEN_MAX, "given fields alone always fit");
	o.websocket.header.v[0] = field_of(HEADERS_GIVEN_MAX - 1);
	is(strlen(written(&own)), HEADERS_GIVEN_MAX - 1 + 18,
	    "the longest fields, and cookies");
	memset(cookie, 0, sizeof(cookie));
	strlcpy(cookie, "Set-Cookie: l=", sizeof(cookie));
	memset(cookie + 14, 'l', 4000);
	strlcat(cookie, "\r\n", sizeof(cookie));
	take(cookie);
	cookie[12] = 'm';
	take(cookie);
	memset(cookie, 0, sizeof(cookie));
	is(strlen(written(&own)), HEADERS_GIVEN_MAX - 1 + 18 + 4004,
	    "a second long one is left out, as the head would be too long");
	ok(strstr(lines, "a=1; b=2") != NULL, "short ones stay");
	o.websocket.header.v[0] = field_of(100);
	is(strlen(written(&own)), 100 + 18 + 2 * 4004,
	    "all, where there is room");
	memset(far.path + 1, 'p', URL_PATH_MAX - 1);
	far.path[URL_PATH_MAX - 1] = '\0';
	o.websocket.header.v[0] = field_of(HEADERS_GIVEN_MAX - 1);
	ok(strlen(written(&far)) + strlen(far.path) + 3072 <= HTTP_HEAD_MAX,
	    "a long path takes their room");
	websocket_dials_done();
	memset(lines, 0, sizeof(lines));
	ok(!is_kept("llllllllllll"), "cookies are forgotten at the end");
	is(strlen(written(&own)), HEADERS_GIVEN_MAX - 1, "all of them");
}

/* From here on all requests have it. */
static void
test_agent(void)
{
	char token[64], want[200];

	memset(&o, 0, sizeof(o));
	o.url = own;
	o.websocket.header.v[0] = "A: b";
	o.websocket.header.n = 1;
	websocket_set_agent("token-1");
	is_str(written(&own), "A: b\r\nInetws-Agent: token-1\r\n",
	    "whose websockets belong together");
	is_str(written(&other), "A: b\r\n", "is for our server only");
	memset(token, 't', 49);
	token[49] = '\0';
	websocket_set_agent(token);
	snprintf(want, sizeof(want), "A: b\r\nInetws-Agent: %s\r\n", token);
	is_str(written(&own), want, "the longest is whole");
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	alarm(120);
	if (mkdtemp(folder) == NULL)
		abort();
	snprintf(program, sizeof(program), "%s/command", folder);
	parse(&own, "ws://h.example/p");
	parse(&other, "ws://i.example/p");
	test_given();
	test_command();
	test_no_helper();
	test_cookies();
	test_agent();
	unlink(program);
	rmdir(folder);
	return done_testing();
}
