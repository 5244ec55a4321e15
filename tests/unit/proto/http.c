/* SPDX-License-Identifier: ISC */
/*
 * Every vector is fed whole, byte by byte, and cut in two at every place: the
 * answer must always be the same one.
 *
 * If it fails: a proxy and inetws see two different requests in the same
 * bytes.
 */
#include <sys/types.h>

#ifndef HTTP_PARSER_LLHTTP
#include <http_parser.h>
#endif
#include <stdlib.h>

#include "proto/http.h"
#include "tap.h"

#define LINE	"GET /x?y=1 HTTP/1.1\r\n"
#define TAIL	"frames"

struct outcome {
	ssize_t n;
	int status;
	char err[200];
	struct http_head head;
};

static struct outcome whole, other;

/* A copy that is exactly as long as what has come, so that ASan watches. */
static ssize_t
feed(struct http_parser_state *st, const char *data, size_t len,
    struct outcome *o)
{
	static char *copy;

	/* Slices stay valid until the next call. */
	free(copy);
	copy = malloc(len + 1);
	memcpy(copy, data, len);
	o->n = http_parse(st, copy, len, &o->head, &o->status, o->err,
	    sizeof o->err);
	return o->n;
}

static int
same(const struct outcome *a, const struct outcome *b)
{
	unsigned int i;

	if (a->n != b->n)
		return 0;
	if (a->n < 0)
		return a->status == b->status && strcmp(a->err, b->err) == 0;
	if (a->n == 0)
		return 1;
	if (a->head.nfields != b->head.nfields ||
	    a->head.status != b->head.status ||
	    a->head.target.len != b->head.target.len)
		return 0;
	for (i = 0; i < a->head.nfields; i++)
		if (a->head.field[i].name.len != b->head.field[i].name.len ||
		    a->head.field[i].value.len != b->head.field[i].value.len)
			return 0;
	return 1;
}

static int no_body, plain;

static void
begin(struct http_parser_state *st, int is_answer)
{
	http_begin(st, is_answer);
	st->no_body = no_body;
	st->plain = plain;
}

/* Parses data in every way; leaves the result in whole. */
static void
run(int is_answer, const char *data, size_t len, const char *name)
{
	struct http_parser_state st;
	size_t cut, i;
	int good = 1;

	memset(&whole, 0, sizeof whole);
	begin(&st, is_answer);
	feed(&st, data, len, &whole);

	for (cut = 0; cut <= len && good; cut++) {
		memset(&other, 0, sizeof other);
		begin(&st, is_answer);
		if (feed(&st, data, cut, &other) == 0)
			feed(&st, data, len, &other);
		good = same(&whole, &other);
	}
	memset(&other, 0, sizeof other);
	begin(&st, is_answer);
	for (i = 1; i <= len; i++)
		if (feed(&st, data, i, &other) != 0)
			break;
	ok(good && same(&whole, &other), "%s: same in every chunking", name);

	/* The slices were into a buffer that is gone. */
	begin(&st, is_answer);
	memset(&whole, 0, sizeof whole);
	feed(&st, data, len, &whole);
}

static void
request(const char *data, int status, const char *err)
{
	char name[64], show[48];

	str_escape(show, sizeof show, data, strlen(data));
	run(0, data, strlen(data), show);
	snprintf(name, sizeof name, "%s: refused", show);
	is(whole.n < 0 ? whole.status : 0, status, name);
	if (err != NULL)
		ok(whole.n < 0 && strstr(whole.err, err) != NULL,
		    "says '%s': '%s'", err, whole.err);
}

static void
answer(const char *data, int good)
{
	char show[48];

	str_escape(show, sizeof show, data, strlen(data));
	run(1, data, strlen(data), show);
	ok((whole.n > 0) == good, "%s: %s", show, good ? "taken" : "refused");
}

static int
slice_eq(struct slice s, const char *want, const char *name)
{
	return ok(slice_is(s, want), "%s is '%s'", name, want);
}

#define LENGTHS	"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n" \
	"content-length: x\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n"

static void
test_good(void)
{
	static const char head[] = LINE
	    "Host: a\r\n"
	    "X:\r\n"
	    "Y: \t two words\t \r\n"
	    "List: a, B\r\n"
	    "list:c , d\r\n"
	    "Bytes: \xc3\xa9\r\n"
	    "\r\n";
	struct slice v;

	run(0, head, sizeof head - 1, "request");
	is(whole.n, sizeof head - 1, "the whole head");
	run(0, LINE "\r\n" TAIL, strlen(LINE "\r\n" TAIL), "tail");
	is(whole.n, strlen(LINE "\r\n"), "what follows is left alone");
	is(whole.head.nfields, 0, "no fields");

	run(0, head, sizeof head - 1, "request again");
	slice_eq(whole.head.method, "GET", "method");
	slice_eq(whole.head.target, "/x?y=1", "target");
	is(whole.head.minor, 1, "version");
	is(whole.head.nfields, 6, "fields");
	is(http_field(&whole.head, "HOST", &v), 1, "one Host");
	slice_eq(v, "a", "Host");
	is(http_field(&whole.head, "x", &v), 1, "an empty field");
	is(v.len, 0, "is empty");
	http_field(&whole.head, "y", &v);
	slice_eq(v, "two words", "y");
	http_field(&whole.head, "Bytes", &v);
	slice_eq(v, "\xc3\xa9", "bytes beyond ASCII");
	is(http_field(&whole.head, "list", &v), -1, "two lists");
	is(http_field(&whole.head, "lis", &v), 0, "absent");
	ok(http_has_token(&whole.head, "List", "b"), "token in the first");
	ok(http_has_token(&whole.head, "List", "D"), "token in the second");
	ok(!http_has_token(&whole.head, "List", "e"), "token in none");
}

static void
test_lines(void)
{
	request("GET / HTTP/1.0\r\n\r\n", 505,
	    "HTTP/1.0 instead of HTTP/1.1: nginx needs");
	request("GET / HTTP/1.2\r\n\r\n", 505, "HTTP/1.2");
	ok(strstr(whole.err, "nginx") == NULL, "which nginx does not send");
	request("GET / HTTP/2.0\r\n\r\n", 505, "HTTP/2.0");
	request("GET / HTTP/9.9\r\n\r\n", 505, NULL);
	request("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, NULL);
	request("GET / HTTP/1.10\r\n\r\n", 400, NULL);
	request("GET / http/1.1\r\n\r\n", 400, NULL);
	request("GET / ICE/1.1\r\n\r\n", 400, NULL);
	request("GET /\r\n\r\n", 400, "no HTTP request");
	request("GET  / HTTP/1.1\r\n\r\n", 400, NULL);
	request("GET /  HTTP/1.1\r\n\r\n", 400, NULL);
	request("GET / HTTP/1.1 \r\n\r\n", 400, NULL);
	request("GET\t/ HTTP/1.1\r\n\r\n", 400, NULL);
	request(" GET / HTTP/1.1\r\n\r\n", 400, NULL);
	request("GET /a b HTTP/1.1\r\n\r\n", 400, NULL);
	request("GET /\xc3\xa9 HTTP/1.1\r\n\r\n", 400, NULL);
	request("GET /a\tb HTTP/1.1\r\n\r\n", 400, "request target");
	request("GET /#f HTTP/1.1\r\n\r\n", 400, "request target");
	request("\r\nGET / HTTP/1.1\r\nA: b\r\n\r\n", 0, NULL);
	slice_eq(whole.head.method, "GET", "behind an empty line the method");
	slice_eq(whole.head.field[0].name, "A", "and a field");
	is(whole.n, 26, "which is counted");
	request("\r\n\r\nGET / HTTP/1.1\r\n\r\n", 400, "empty");
	request("\n\nGET / HTTP/1.1\r\n\r\n", 400, "bare LF");
	answer("\r\nHTTP/1.1 200 OK\r\n\r\n", 0);
	request("POST / HTTP/1.1\r\n\r\n", 405, "POST");
	request("HEAD / HTTP/1.1\r\n\r\n", 405, NULL);
	request("get / HTTP/1.1\r\n\r\n", 501, NULL);
	request("CONNECT a:1 HTTP/1.1\r\n\r\n", 405, NULL);
	request("BREW / HTTP/1.1\r\n\r\n", 501, "BREW");
	request("GETS / HTTP/1.1\r\n\r\n", 501, NULL);
	request("PATCH / HTTP/1.1\r\n\r\n", 405, NULL);
	request("G(T / HTTP/1.1\r\n\r\n", 400, "method");
	request("\x16\x03\x01\x02", 400, "speaks TLS");
	request("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", 400, "PROXY header");
	request("SSH-2.0-OpenSSH_9.2\r\n", 400, "SSH-2.0-OpenSSH");
}

/* Where any HTTP client may ask. */
static void
test_plain(void)
{
	plain = 1;
	request("GET / HTTP/1.0\r\n\r\n", 0, NULL);
	is(whole.head.minor, 0, "HTTP/1.0");
	request("HEAD / HTTP/1.1\r\n\r\n", 0, NULL);
	slice_eq(whole.head.method, "HEAD", "method");
	request("OPTIONS / HTTP/1.1\r\n\r\n", 0, NULL);
	slice_eq(whole.head.method, "OPTIONS", "method");
	request("POST / HTTP/1.1\r\n\r\n", 405, "POST");
	request("GET / HTTP/1.2\r\n\r\n", 505, "HTTP/1.2");
	plain = 0;
}

static void
test_fields(void)
{
	static const char nul[] = LINE "A: b\0c\r\n\r\n";

	request(LINE "Host : x\r\n\r\n", 400, "blank before the colon");
	request(LINE "Host\t: x\r\n\r\n", 400, "blank before the colon");
	request(LINE "A: b\r\n c\r\n\r\n", 400, "folded");
	request(LINE "A: b\r\n\tc\r\n\r\n", 400, "folded");
	request(LINE " A: b\r\n\r\n", 400, "folded");
	request(LINE "A: b\n\r\n", 400, "bare LF");
	request(LINE "A: b\r\n\n", 400, "bare LF");
	request("GET / HTTP/1.1\n\n", 400, "bare LF");
	request(LINE "A: b\rc\r\n\r\n", 400, "CR without LF");
	request(LINE "A: b\r\r\n\r\n", 400, "CR without LF");
	request(LINE "\r\r\n", 400, "CR without LF");
	request(LINE "A\r\n\r\n", 400, "without a colon");
	request(LINE ": b\r\n\r\n", 400, "without a name");
	request(LINE "A(: b\r\n\r\n", 400, "field name");
	request(LINE "A\xc3: b\r\n\r\n", 400, "field name");
	request(LINE "A: b\x01\r\n\r\n", 400, "\\x01");
	request(LINE "A: b\x7f\r\n\r\n", 400, "\\x7f");
	request(LINE "Content-Length: x\r\n\r\n", 400, NULL);
	request(LINE "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400,
	    NULL);
	request(LINE "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"
	    "\r\n", 400, NULL);
	run(0, nul, sizeof nul - 1, "NUL");
	ok(whole.n == -1 && whole.status == 400 &&
	    strstr(whole.err, "NUL") != NULL, "a NUL byte is refused");
}

/* Incomplete heads want more, complete bodies do not matter. */
static void
test_more(void)
{
	request("", 0, NULL);
	is(whole.n, 0, "nothing wants more");
	request("GET / HT", 0, NULL);
	is(whole.n, 0, "half a line wants more");
	request(LINE "Host: x\r\n\r", 0, NULL);
	is(whole.n, 0, "all but the last byte wants more");
	request(LINE "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\nxyz",
	    0, NULL);
	ok(whole.n > 0, "stops at an upgrade's end");
	request(LINE "Content-Length: 5\r\n\r\nhello", 0, NULL);
	is(whole.n, strlen(LINE "Content-Length: 5\r\n\r\n"),
	    "stops before a body");
	request(LINE "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, NULL);
	ok(whole.n > 0, "stops before chunks");
}

static void
test_limits(void)
{
	static char big[HTTP_HEAD_MAX + 10];
	size_t len;
	int i;

	len = snprintf(big, sizeof big, LINE);
	for (i = 0; i < HTTP_FIELDS_MAX; i++)
		len += snprintf(big + len, sizeof big - len, "a: b\r\n");
	memcpy(big + len, "\r\n", 3);
	request(big, 0, NULL);
	is(whole.head.nfields, HTTP_FIELDS_MAX, "as many fields as may be");
	memcpy(big + len, "a: b\r\n\r\n", 9);
	request(big, 431, "100 fields");

	/* Cutting 16 KiB everywhere takes long: only byte by byte. */
	len = snprintf(big, sizeof big, LINE "a: ");
	memset(big + len, 'x', sizeof big - len);
	memcpy(big + HTTP_HEAD_MAX - 4, "\r\n\r\n", 4);
	for (i = 0; i < 2; i++) {
		struct http_parser_state st;
		size_t n;

		http_begin(&st, 0);
		for (n = 1; n <= sizeof big; n++) {
			whole.n = http_parse(&st, big, n, &whole.head,
			    &whole.status, whole.err, sizeof whole.err);
			if (whole.n != 0)
				break;
		}
		is(n, HTTP_HEAD_MAX, "decided at the limit");
		if (i == 0)
			is(whole.n, HTTP_HEAD_MAX, "as long as may be");
		else
			ok(whole.n < 0 && whole.status == 431, "too long");
		memset(big + HTTP_HEAD_MAX - 4, 'x', 4);
	}

	memcpy(big, "GET /", 5);
	memset(big + 5, 'x', sizeof big - 5);
	for (i = 0; i < 2; i++) {
		struct http_parser_state st;

		http_begin(&st, i);
		whole.n = http_parse(&st, big, sizeof big, &whole.head,
		    &whole.status, whole.err, sizeof whole.err);
		ok(whole.n < 0, "a first line without an end");
		is(whole.status, i ? 431 : 414, "is too long");
	}
}

static void
test_answers(void)
{
	answer("HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\nxx", 1);
	is(whole.head.status, 101, "status");
	slice_eq(whole.head.reason, "Switching Protocols", "reason");
	answer("HTTP/1.1 502\r\n\r\n", 1);
	is(whole.head.status, 502, "status without a reason");
	is(whole.head.reason.len, 0, "no reason");
	answer("HTTP/1.1 502 \r\n\r\n", 1);
	answer("\x15\x03\x03", 0);
	ok(strstr(whole.err, "wss://") != NULL, "TLS: says what to use");
	answer("\x16\x03\x03", 0);
	ok(strstr(whole.err, "wss://") != NULL, "however it begins");
	answer(LENGTHS, 0);
	no_body = 1;
	answer(LENGTHS, 1);
	is(whole.head.nfields, 4, "whatever tells of a body in a 200 to CONNECT");
	answer("HTTP/1.1 200\r\nA:\r\n\r\n", 1);
	ok(whole.head.reason.len == 0 && whole.head.field[0].value.len == 0,
	    "no reason and an empty field");
	no_body = 0;
	answer("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", 1);
	is(whole.head.minor, 0, "HTTP/1.0 in an answer");
	answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 1);
	answer("HTTP/2.0 200 OK\r\n\r\n", 0);
	answer("HTTP/1.1 20 OK\r\n\r\n", 0);
	answer("HTTP/1.1 2000 OK\r\n\r\n", 0);
	answer("HTTP/1.1 099 OK\r\n\r\n", 0);
	answer("HTTP/1.1\t200 OK\r\n\r\n", 0);
	is_str(whole.err, "malformed status in the first line", "and why");
	answer("HTTP/1.1  200 OK\r\n\r\n", 0);
	answer("HTTP/1.1\r\n\r\n", 0);
	answer("HTTP/1.\r\n\r\n", 0);
	answer("GET / HTTP/1.1\r\n\r\n", 0);
	answer("SSH-2.0-OpenSSH_9.2\r\n", 0);
	ok(strstr(whole.err, "SSH-2.0") != NULL, "says what came instead");
	answer("220 mail ESMTP\r\n", 0);
}

/* Of servers and proxies no more is taken than of clients. */
static void
test_bad_answers(void)
{
	static const char nul[] = "HTTP/1.1 101 x\r\nA: b\0c\r\n\r\n";
	static const struct { const char *fields, *says; } bad[] = {
		{ "A: b\rc\r\n", "CR without LF" },
		{ "A: b\r\r\n", "CR without LF" },
		{ "A: b\n", "bare LF" }, { "A: b\x01\r\n", "\\x01" },
		{ "A: b\x7f\r\n", "\\x7f" },
		{ "A : b\r\n", "blank before the colon" },
		{ "A\r\n", "without a colon" }, { ": b\r\n", "without a name" },
		{ "A(: b\r\n", "field name" },
		{ "Content-Length: 1\r\nContent-Length: 1\r\n", "" },
		{ "Content-Length: 1\r\nContent-Length: 2\r\n", "" },
		{ "Content-Length: x\r\n", "" },
		{ "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "" },
		{ "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", "" },
	};
	char text[200];
	size_t i;

	run(1, nul, sizeof nul - 1, "NUL in an answer");
	ok(whole.n == -1 && strstr(whole.err, "NUL") != NULL,
	    "a NUL byte is refused");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\n%s\r\n",
		    bad[i].fields);
		answer(text, 0);
		ok(strstr(whole.err, bad[i].says) != NULL, "says why: %s",
		    whole.err);
	}
}

/* RFC 9112 5.2 wants it unfolded; we do not take it. */
static void
test_folded_answer(void)
{
	answer("HTTP/1.1 101 x\r\nA: b\r\n c\r\n\r\n", 0);
	ok(strstr(whole.err, "folded") != NULL, "says what it is");
	answer("HTTP/1.1 101 x\r\nA: b\r\n\tc\r\n\r\n", 0);
	answer("HTTP/1.1 101 x\r\n c\r\n\r\n", 0);
}

static void
test_words(void)
{
	static const struct { int status; const char *reason; } said[] = {
		{ 101, "Switching Protocols" }, { 200, "OK" },
		{ 400, "Bad Request" }, { 401, "Unauthorized" },
		{ 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 407, "" },
		{ 408, "Request Timeout" }, { 410, "Gone" },
		{ 414, "URI Too Long" }, { 426, "Upgrade Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" }, { 501, "Not Implemented" },
		{ 502, "Bad Gateway" }, { 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" }
	};
	size_t i;

	for (i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		is_str(http_reason(said[i].status), said[i].reason, "reason");
	is_str(http_reason(999), "", "no reason");
	ok(http_is_token(slice_of("a-b.c~!")), "a token");
	ok(!http_is_token(slice_of("a b")), "no token");
	ok(!http_is_token(slice_of("")), "an empty one is no token");
	ok(http_path(slice_of("*")).len == 1, "the path of what is no target");
	is(http_path(slice_of("")).len, 0, "of nothing");
	ok(slice_is(http_path(slice_of("https://h/a?b")), "/a"), "of a URL");
	ok(http_is_host(slice_of(":80")), "a port alone");
	ok(http_is_host(slice_of("[::1]:80")) &&
	    http_is_host(slice_of("[::]")), "an address in brackets");
	ok(!http_is_host(slice_of("[]")), "no address");
	ok(!http_is_host((struct slice){ "a\0", 2 }) &&
	    !http_is_host((struct slice){ "[::1\0]", 6 }), "a NUL");
	ok(!http_is_host(slice_of("a:+1")) && !http_is_host(slice_of("a:1;")),
	    "no port");
	ok(!http_is_host(slice_of("[::1")) && !http_is_host(slice_of("[::1%")),
	    "no bracket");
}

/* The absolute form, RFC 9112 3.2.2, with the schemes that may be meant. */
static void
test_target(void)
{
	static const struct { const char *sent, *host, *target; } row[] = {
		{ "/", "", "/" }, { "/a?b", "", "/a?b" },
		{ "http://h", "h", "/" }, { "https://h:1/", "h:1", "/" },
		{ "ws://h/a?b", "h", "/a?b" }, { "WSS://h//", "h", "//" },
		{ "", NULL, NULL }, { "h:1", NULL, NULL }, { "*", NULL, NULL },
		{ "ftp://h/", NULL, NULL }, { "wsss://h/", NULL, NULL },
		{ "://h/", NULL, NULL }, { "ws:///a", NULL, NULL },
		{ "ws://", NULL, NULL }, { "ws://h?a", NULL, NULL },
		{ "ws://u@h/", NULL, NULL }
	};
	struct slice host, target;
	size_t i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		host = slice_of("");
		if (http_target(slice_of(row[i].sent), &host, &target) == -1)
			ok(row[i].target == NULL, "%s: none", row[i].sent);
		else
			ok(row[i].target != NULL &&
			    slice_is(host, row[i].host) &&
			    slice_is(target, row[i].target), "%s: %s and %s",
			    row[i].sent, row[i].host, row[i].target);
	}
	ok(slice_is(http_path(slice_of("ws://h/a?b")), "/a"), "a path");
	ok(slice_is(http_path(slice_of("/?")), "/"), "an empty query");
	ok(slice_is(http_path(slice_of("*?x")), "*"), "of what is none");
	is((int)http_path(slice_of("")).len, 0, "of nothing");
}

static void
test_method(void)
{
	static const struct {
		const char *came;
		int is;
	} row[] = {
		{ "HEAD / HTTP/1.1\r\n", 1 }, { "\r\nHEAD x", 1 },
		{ "HEAD ", 1 }, { "HEAD", 0 }, { "HEAD\t/", 0 }, { "head /", 0 },
		{ "HEADS /", 0 }, { "\r\n\r\nHEAD /", 0 }, { "\r\n", 0 },
		{ "\nHEAD /", 0 }, { "GET /HEAD ", 0 }, { "", 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		ok(http_is_method(slice_of(row[i].came), "HEAD") == row[i].is,
		    "is it HEAD? (%zu)", i);
}

/* What --version says of it. */
static void
test_library(void)
{
	unsigned int v[3];
	char name[20];

	ok(sscanf(http_library(), "%19s %u.%u.%u", name, v, v + 1, v + 2) ==
	    4 && (strcmp(name, "http-parser") == 0 ||
	    strcmp(name, "llhttp") == 0) && v[0] > 0 && v[0] < 100 &&
	    v[1] < 1000 && v[2] < 1000, "%s", http_library());
#ifndef HTTP_PARSER_LLHTTP
	is(v[0] * 65536 + v[1] * 256 + v[2], http_parser_version(),
	    "what the library says");
#endif
}

static void
test_title(void)
{
	static const struct { const char *page, *want; } t[] = {
		{ "<html><head><title>Sign in</title>", "Sign in" },
		{ "<TITLE lang=en>\r\n  A b\t\n</Title>", "A b" },
		{ "<title></title>", NULL },
		{ "<title> \n</title>", NULL },
		{ "<title>cut", NULL },
		{ "<title", NULL },
		{ "</title><title>x", NULL },
		{ "", NULL },
	};
	struct slice title;
	size_t i;
	int r;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		r = http_page_title(slice_of(t[i].page), &title);
		ok(t[i].want == NULL ? !r : r && slice_is(title, t[i].want),
		    "title %zu", i);
	}
	ok(!http_page_title((struct slice){ NULL, 0 }, &title), "no page");
}

/* All fields of one name, and none behind the last. */
static void
test_lists(void)
{
	static const char *const fields[][2] = { { "A", "1, 2" }, { "B", "x" },
	    { "a", "" }, { "A", ",3" }, { "AA", "y" }, { "A", "behind" } };
	static struct http_head h;
	struct http_list values = HTTP_LIST("a"), elements = HTTP_LIST("A"),
	    none = HTTP_LIST("C");
	struct slice s;
	char got[100] = "";
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		h.field[i].name = slice_of(fields[i][0]);
		h.field[i].value = slice_of(fields[i][1]);
	}
	h.nfields = i - 1;
	while (http_next_field(&h, &values, &s))
		snprintf(got + strlen(got), sizeof(got) - strlen(got),
		    "[%.*s]", (int)s.len, s.p);
	ok(strcmp(got, "[1, 2][][,3]") == 0, "values: %s", got);
	got[0] = '\0';
	while (http_next_element(&h, &elements, &s))
		snprintf(got + strlen(got), sizeof(got) - strlen(got),
		    "[%.*s]", (int)s.len, s.p);
	ok(strcmp(got, "[1][2][3]") == 0, "elements: %s", got);
	is(http_next_element(&h, &none, &s), 0, "of a name that is not there");
}

int
main(void)
{
	test_lists();
	test_good();
	test_lines();
	test_plain();
	test_fields();
	test_more();
	test_limits();
	test_answers();
	test_bad_answers();
	test_folded_answer();
	test_words();
	test_target();
	test_method();
	test_library();
	test_title();
	return done_testing();
}
