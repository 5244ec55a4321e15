/* SPDX-License-Identifier: ISC */
/*
 * What -v shows of a handshake: each line whole, and no secret.
 *
 * If it fails: a secret is in a log, or -v shows a part of the truth.
 */
#include <stdlib.h>
#include <string.h>

#include "handshake/trace.h"
#include "os/clock.h"
#include "os/log.h"
#include "seen.h"
#include "tap.h"

#define SECRET	"abcdefghijklmnopqrstuvwxyz"

static struct trace trace = { .verbose = 1 };

/* What is shown of a head whose last bytes a user gave. */
static const char *
shown(char mark, const char *head, const char *given)
{
	char text[3000];

	snprintf(text, sizeof(text), "%s%s\r\n", head, given);
	trace_head(&trace, mark, text, strlen(text), strlen(given) + 2);
	return seen();
}

static void
test_heads(void)
{
	char line[2000], want[2000];

	is_str(shown('>', "GET / HTTP/1.1\r\nHost: h\r\n", ""),
	    "> GET / HTTP/1.1\n> Host: h\n", "each line with its mark");
	is_str(shown('>', "GET / HTTP/1.1\r\n", "A: b\r\nC: d\r\n"),
	    "> GET / HTTP/1.1\n> A:...\n> C:...\n",
	    "of what a user gave only names");
	trace_head(&trace, '<', "HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody\r\n", 34,
	    0);
	is_str(seen(), "< HTTP/1.1 200 OK\n< A: b\n", "no body");
	trace_head(&trace, '<', "HTTP/1.1 200 OK", 15, 0);
	is_str(seen(), "", "nor half a line");
	is_str(shown('<', "HTTP/1.1 200 \x1b[31m\r\n", ""),
	    "< HTTP/1.1 200 \\x1b[31m\n", "nothing that a terminal obeys");
	is_str(shown('<', "HTTP/1.1 401 No\r\nSet-Cookie: a=s3cret\r\n", ""),
	    "< HTTP/1.1 401 No\n< Set-Cookie:...\n", "no cookie");
	memset(line, 'n', sizeof(line));
	memcpy(line + 1500, ": v\r\n", 6);
	snprintf(want, sizeof(want), "> GET / HTTP/1.1\n> %.1017s......\n",
	    line);
	is_str(shown('>', "GET / HTTP/1.1\r\n", line), want,
	    "a long name is cut");
	trace.verbose = 0;
	is_str(shown('>', "GET / HTTP/1.1\r\n", ""), "", "nothing without -v");
	trace.verbose = 1;
}

/* The path of an agent's URL may be a secret name. */
static void
test_masked(void)
{
	is_str(shown('>', "GET /a/" SECRET " HTTP/1.1\r\n", ""),
	    "> GET /a/" SECRET " HTTP/1.1\n", "a path");
	trace.masked = 1;
	is_str(shown('>', "GET /a/" SECRET " HTTP/1.1\r\n", ""),
	    "> GET /a/abcdef... HTTP/1.1\n", "a name is masked");
	is_str(shown('<', "HTTP/1.1 302 Go\r\nLocation: /b/" SECRET "\r\n", ""),
	    "< HTTP/1.1 302 Go\n< Location: /b/abcdef...\n",
	    "also where an answer leads");
	is_str(shown('<', "HTTP/1.1 302 Go\r\nlocation: /b/" SECRET "\r\n", ""),
	    "< HTTP/1.1 302 Go\n< location: /b/abcdef...\n", "in any case");
	is_str(shown('>', "GET /a HTTP/1.1\r\nA: /" SECRET "\r\n", ""),
	    "> GET /a HTTP/1.1\n> A: /" SECRET "\n", "and nothing else");
	trace.masked = 0;
}

static void
test_steps(void)
{
	char text[2000], word[20];
	const char *said;
	long ms;

	trace.start = clock_ms() - 1234;
	trace_step(&trace, "%s is %d", "step", 7);
	said = seen();
	ok(sscanf(said, "* %ld %19s", &ms, word) == 2 && ms >= 1234 &&
	    ms < 1234 + scaled(5000), "the time since the begin: %ld", ms);
	ok(strncmp(said, "*  1", 4) == 0 && strlen(said) > 10 &&
	    strcmp(strstr(said, " ms  ") + 5, "step is 7\n") == 0,
	    "and what was done");
	memset(text, 's', sizeof(text));
	text[1999] = '\0';
	trace_step(&trace, "%s", text);
	said = seen();
	ok(strlen(strstr(said, "sss")) == 1024 &&
	    said[strlen(said) - 1] == '\n', "a long line is cut");
	trace.verbose = 0;
	trace_step(&trace, "x");
	is_str(seen(), "", "nothing without -v");
	trace.verbose = 1;
	/* where every line has to be one of the log */
	log_style(LOG_JSON, 0);
	log_open(LOG_TO_STDERR, LOG_L_DEBUG, NULL);
	trace_step(&trace, "x");
	said = seen();
	ok(strstr(said, "\"level\":\"debug\",\"event\":\"step\",\"msg\":\"* ") !=
	    NULL && strstr(said, " ms  x\"}") != NULL, "in JSON: %s", said);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	seen_begin();
	test_heads();
	test_masked();
	test_steps();
	return done_testing();
}
