/* SPDX-License-Identifier: ISC */
/* If it fails: websockets of browsers, proxies and libraries are refused. */
#include <stdlib.h>

#include "base/error.h"
#include "proto/header.h"
#include "ws/upgrade.h"
#include "tap.h"

#define KEY	"dGhlIHNhbXBsZSBub25jZQ=="		/* RFC 6455 1.3 */
#define ACCEPT	"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

#define FIRST	"GET /chat HTTP/1.1\r\n"
#define HOST	"Host: server.example.com\r\n"
#define UPGRADE	"Upgrade: websocket\r\n"
#define CONN	"Connection: Upgrade\r\n"
#define SWKEY	"Sec-WebSocket-Key: " KEY "\r\n"
#define VER	"Sec-WebSocket-Version: 13\r\n"
#define REST	HOST UPGRADE CONN SWKEY VER
#define ALL	FIRST REST

#define A101	"HTTP/1.1 101 Switching Protocols\r\n"
#define SWACC	"Sec-WebSocket-Accept: " ACCEPT "\r\n"
#define ANSWER	A101 UPGRADE CONN SWACC
#define EXT	"Sec-WebSocket-Extensions: "
#define PROTO	"Sec-WebSocket-Protocol: "

static struct http_head head;
static struct upgrade_request req;
static struct upgrade_answer ans;
static char err[200];
static char copy[8192];

/* Parses in two feeds, cut there; the status of the refusal, 0 if none. */
static int
parse(int is_answer, const char *text, size_t cut)
{
	struct http_parser_state st;
	int status = 0;
	ssize_t n;

	snprintf(copy, sizeof copy, "%s", text);
	http_begin(&st, is_answer);
	n = http_parse(&st, copy, cut, &head, &status, err, sizeof err);
	if (n == 0)
		n = http_parse(&st, copy, strlen(copy), &head, &status, err,
		    sizeof err);
	if (n == 0)
		return 1;
	return n < 0 ? status : 0;
}

static int
check(const char *text, size_t cut)
{
	int status = parse(0, text, cut);

	return status != 0 ? status :
	    upgrade_check_request(&req, &head, err, sizeof err);
}

/* In one piece, cut at every place, and byte by byte. */
static void
request(const char *text, int want, const char *name)
{
	char first[sizeof err];
	struct http_parser_state st;
	size_t i, len = strlen(text);
	int status = 0, got, good = 1;
	ssize_t n = 0;

	err[0] = '\0';
	got = check(text, len);
	strlcpy(first, err, sizeof first);
	for (i = 0; i < len && good; i++)
		good = check(text, i) == got &&
		    (got == 0 || strcmp(first, err) == 0);
	http_begin(&st, 0);
	for (i = 1; i <= len && n == 0; i++)
		n = http_parse(&st, copy, i, &head, &status, err, sizeof err);
	if (n > 0)
		status = upgrade_check_request(&req, &head, err, sizeof err);
	if (!ok(good && got == want && status == want, "request: %s: %d",
	    name, want))
		printf("# got %d, bytewise %d: %s\n", got, status, first);
}

static void
test_requests(void)
{
	static const char *const host[] = { "a", "", "a:80", "a_b.c-d:",
		"127.0.0.1:8080", "[::1]", "[::1]:80", "%41!$&'()*+,;=~",
		"a:65535", "a:65536", "a:99999", "[::1]:99999",
		"a:18446744073709551617", "a%zz", "a%", "a%4", "exa/mple", "a b", "u@a", "a:b", "a:80:80", "[::1", "[]", "[x]",
		"[::1]x", "a?b", "a\\b", "<a>", "a\"b", "\xc3\xa9" };
	static const char *const target[] = { "http://h:1/a", "WSS://h:1",
		"https://h:1/", "/http://a", "ftp://h:1/", "http:///a",
		"http://", "://h", "http://u@h/", "http://h:x/",
		"http://h:99999/", "a", "*" };
	char text[1024];
	size_t i;

	request(ALL "\r\n", 0, "the RFC's");
	ok(slice_is(req.target, "/chat"), "target");
	ok(slice_is(req.host, "server.example.com"), "host");
	is_str(req.key, KEY, "key");
	ok(req.origin.p == NULL && !req.has_offer,
	    "nothing else was asked for");

	request(FIRST "host:x\r\nUPGRADE: h2c, WebSocket\r\n"
	    "connection: keep-alive\r\nConnection: , uPgrade\r\n"
	    SWKEY VER "\r\n", 0, "token lists in any case");
	request(ALL "Origin: https://a\r\n\r\n", 0, "Origin");
	ok(slice_is(req.origin, "https://a"), "origin");
	request(ALL "Content-Length: 0\r\n\r\n", 0, "Content-Length 0");
	request(FIRST HOST "\r\n", 426, "no upgrade at all");
	ok(strstr(err, "websocket endpoint") != NULL, "says what this is");
	request(FIRST HOST "Upgrade: h2c\r\n" CONN "\r\n", 426,
	    "another upgrade");
	request(FIRST HOST "Upgrade: websockets\r\n" CONN SWKEY VER "\r\n",
	    426, "another token");
	request(FIRST HOST UPGRADE SWKEY VER "\r\n", 400, "no Connection");
	request(FIRST HOST UPGRADE "Connection: close\r\n" SWKEY VER "\r\n",
	    400, "another Connection");
	request(FIRST UPGRADE CONN SWKEY VER "\r\n", 400, "no Host");
	request(ALL HOST "\r\n", 400, "two Hosts");
	for (i = 0; i < sizeof host / sizeof host[0]; i++) {
		snprintf(text, sizeof text, FIRST "Host: %s\r\n" UPGRADE CONN
		    SWKEY VER "\r\n", host[i]);
		request(text, i < 9 ? 0 : 400, host[i]);
	}
	for (i = 0; i < sizeof target / sizeof target[0]; i++) {
		snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" REST "\r\n",
		    target[i]);
		request(text, i < 4 ? 0 : 400, target[i]);
		if (i < 3)
			ok(slice_is(req.host, "h:1"), "which replaces Host");
	}
	request(FIRST HOST SWKEY VER "\r\n", 426, "a proxy that drops Upgrade");
	ok(strstr(err, "proxy_set_header Upgrade") != NULL, "says what to set");
	request(FIRST HOST UPGRADE CONN SWKEY "\r\n", 426, "no version");
	request(FIRST HOST UPGRADE CONN SWKEY
	    "Sec-WebSocket-Version: 8\r\n\r\n", 426, "version 8");
	request(FIRST HOST UPGRADE CONN SWKEY
	    "Sec-WebSocket-Version: 013\r\n\r\n", 426, "version 013");
	request(ALL VER "\r\n", 400, "two versions");
	request(FIRST HOST UPGRADE CONN VER "\r\n", 400, "no key");
	request(ALL SWKEY "\r\n", 400, "two keys");
	request(ALL "Content-Length: 5\r\n\r\nhello", 400, "a body");
	request(ALL "Content-Length: 00\r\n\r\n", 400, "an odd length");
	request(ALL "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 400,
	    "two lengths");
	request(ALL "Transfer-Encoding: chunked\r\n\r\n", 400, "chunks");
	request(ALL "Transfer-Encoding: identity\r\n\r\n", 400, "identity");
	request(ALL "Origin: a\r\nOrigin: b\r\n\r\n", 400, "two Origins");
	request("POST /chat HTTP/1.1\r\n" REST "\r\n", 405, "POST");
	request("GET /chat HTTP/1.0\r\n" REST "\r\n", 505, "HTTP/1.0");
	request(FIRST "Host : a\r\n" UPGRADE CONN SWKEY VER "\r\n", 400,
	    "a blank before the colon");
}

/* Heads that http_parse() would not let through. */
static void
test_heads(void)
{
	parse(0, ALL "\r\n", 0);
	head.method = slice_of("HEAD");
	is(upgrade_check_request(&req, &head, err, sizeof err), 405, "HEAD");
	parse(0, ALL "A: 0\r\nB: 0\r\n\r\n", 0);
	head.field[head.nfields - 1].name = slice_of("Content-Length");
	is(upgrade_check_request(&req, &head, err, sizeof err), 0,
	    "one length of 0");
	head.field[head.nfields - 2].name = slice_of("content-length");
	is(upgrade_check_request(&req, &head, err, sizeof err), 400,
	    "two of them");
}

static void
test_targets(void)
{
	request("GET http://a.example/x?y HTTP/1.1\r\n" REST "\r\n", 0,
	    "absolute target");
	ok(slice_is(req.target, "/x?y"), "only its path and query count");
	ok(slice_is(req.host, "a.example"), "and its host, in place of Host");
	ok(slice_is(http_path(req.target), "/x"), "path");
	request("GET http://a.example HTTP/1.1\r\n" REST "\r\n", 0,
	    "absolute target without a path");
	ok(slice_is(req.target, "/"), "is /");
	request("GET http://a?b=/c HTTP/1.1\r\n" REST "\r\n", 400,
	    "absolute target with a query only");
	request("GET * HTTP/1.1\r\n" REST "\r\n", 400, "* as target");
	request("GET a:1 HTTP/1.1\r\n" REST "\r\n", 400, "host as target");
	ok(slice_is(http_path(slice_of("/a/b")), "/a/b"), "no query");
}

static void
test_keys(void)
{
	static const char *const bad[] = {
		"", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=",
		"dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25jZZ==",
		"dGhlIHNhbXBsZSBub25jZQ==A", "dGhlIHNhbXBsZSBub25jZSE=",
		"dGhlIHNhbXBsZSBub25jZSEh", "dGhlIHNhbXBsZ=Bub25jZQ==",
		"dGhlIHNhbXBsZ-Bub25jZQ==", "dGhlIHNhbXBsZ_Bub25jZQ==",
		"dGhl IHNhbXBsZSBub25jZ==", "====================++==",
		"dGhlIHNhbXBsZSBub25jZQ==, x",
	};
	char text[512], name[64];
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		snprintf(text, sizeof text, FIRST HOST UPGRADE CONN VER
		    "Sec-WebSocket-Key: %s\r\n\r\n", bad[i]);
		snprintf(name, sizeof name, "key '%s'", bad[i]);
		request(text, 400, name);
	}
}

static void
test_offers(void)
{
	request(ALL EXT "permessage-deflate; client_max_window_bits, "
	    "inetws; v=2; id=abc; resume\r\n\r\n", 0, "an offer");
	ok(req.has_offer, "is seen");
	is_str(req.offer.id, "abc", "id");
	is(req.offer.flags, EXT_RESUME, "flags");
	request(ALL EXT "inetws; v=1; id=no, inetws; v=2; id=yes\r\n"
	    EXT "inetws; v=2; id=late\r\n\r\n", 0, "several offers");
	ok(req.has_offer, "one is taken");
	is_str(req.offer.id, "yes", "the first valid one");
	request(ALL EXT "inetws; v=2; id=a; new\r\n\r\n", 0,
	    "an unknown parameter");
	ok(req.has_offer, "is ignored");
	request(ALL EXT "inetws; v=1; id=a\r\n\r\n", 0, "another version");
	ok(!req.has_offer && req.offered_version == 1, "is declined");
	request(ALL EXT "inetws; v=2; id=a; resume="
	    "0123456789abcdef0123456789abcdef\r\n\r\n", 0,
	    "a redial that does not say how far it came");
	ok(!req.has_offer, "is none");
	is_str(req.session, "", "and no redial");
}

#define ID "0123456789abcdef0123456789abcdef"

/* A redial belongs to its session, whose process may be of any version. */
static void
test_redials(void)
{
	request(ALL EXT "inetws; v=2; id=a; resume=\"" ID "\"; n=1; at=0\r\n\r\n",
	    0, "a redial");
	ok(req.has_offer, "is an offer");
	is_str(req.session, ID, "for a session");
	request(ALL EXT "inetws; v=1; id=a; resume=\"" ID "\"; n=1; at=0\r\n\r\n",
	    0, "one in an earlier version");
	ok(!req.has_offer, "is no offer");
	is_str(req.session, ID, "but for a session");
	request(ALL EXT "inetws; v=3; id=a; new; resume=\"" ID "\"\r\n\r\n",
	    0, "one in a later version");
	is_str(req.session, ID, "likewise");
	request(ALL EXT "inetws; v=3; id=a; resume=\"" ID "\", "
	    "inetws; v=2; id=a; resume\r\n\r\n", 0, "with a valid offer");
	ok(req.has_offer, "that one is taken");
	is_str(req.session, "", "and nothing else");
	request(ALL EXT "inetws; v=2; id=a; resume=\"" ID "\"\r\n\r\n", 0,
	    "a malformed one");
	is_str(req.session, "", "is none");
	request(ALL EXT "inetws; id=a; resume=\"" ID "\"; n=1; at=0\r\n\r\n",
	    0, "one without a version");
	is_str(req.session, "", "neither");
}

/* The lists of RFC 6455 4.3: one fault in any element fails the handshake. */
static void
test_lists(void)
{
	static const struct { const char *extension; int status; } list[] = {
		{ "a", 0 }, { "a;b", 0 }, { "a ; b=c\t; d = \"e\"", 0 },
		{ "a; b=\"\\c\\d\"", 0 }, { ",, a ,,b,", 0 },
		{ "", 400 }, { ",", 400 }, { "a;", 400 }, { ";a", 400 },
		{ "a;;b", 400 }, { "a; b=", 400 }, { "a; =b", 400 },
		{ "a b", 400 }, { "a=b", 400 }, { "a; b c", 400 },
		{ "a; b=\"\"", 400 }, { "a; b=\"c d\"", 400 },
		{ "a; b=\"c", 400 }, { "a; b=c\"", 400 }, { "a; b=\"", 400 },
		{ "a; b=\"c\\\"", 400 }, { "a; b=\"c,d\"", 400 },
		{ "a; b=\"c;d\"", 400 }, { "\"a\"", 400 }, { "a, b@", 400 },
		{ "inetws; v=2; id=x, b;", 400 }, { "\xc3\xa9", 400 },
	}, protocol[] = {
		{ "a", 0 }, { "a,b", 0 }, { "a , , b", 0 }, { "a, a", 0 },
		{ "", 400 }, { " , ", 400 }, { "a b", 400 }, { "a;b", 400 },
		{ "\"a\"", 400 }, { "a, (b)", 400 }, { "\xc3\xa9", 400 },
	};
	char text[512];
	size_t i;

	for (i = 0; i < sizeof list / sizeof list[0]; i++) {
		snprintf(text, sizeof text, ALL EXT "%s\r\n\r\n",
		    list[i].extension);
		request(text, list[i].status, list[i].extension);
	}
	for (i = 0; i < sizeof protocol / sizeof protocol[0]; i++) {
		snprintf(text, sizeof text, ALL PROTO "%s\r\n\r\n",
		    protocol[i].extension);
		request(text, protocol[i].status, protocol[i].extension);
	}
	request(ALL EXT "\r\n" EXT "a\r\n\r\n", 0, "an empty field and a list");
	request(ALL EXT "a\r\n" EXT "b;\r\n\r\n", 400, "a fault in the second");
	request(ALL PROTO "a\r\n" PROTO "b c\r\n\r\n", 400,
	    "a fault in the second subprotocol");
}

/* What our answer writes, our client takes. */
static void
test_answer_written(void)
{
	struct extension ext = { .id = "mine", .win = EXTENSION_WIN_MIN };
	struct upgrade_offer offer = { .key = KEY, .extra = "",
	    .subprotocol = "binary" };
	struct extension offered = { .id = "theirs", .win = 65536 };
	char out[512], tight[512];
	int n, i;

	check(ALL "\r\n", 0);
	n = upgrade_write_answer(out, sizeof out, &req, NULL);
	is(n, strlen(out), "length of a 101");
	is_str(out, ANSWER "\r\n", "the RFC's answer");
	check(ALL PROTO "binary\r\n\r\n", 0);
	req.subprotocol = slice_of("binary");
	n = upgrade_write_answer(out, sizeof out, &req, &ext);
	is_str(out, ANSWER PROTO "binary\r\n"
	    EXT "inetws; v=2; id=mine; win=65536\r\n\r\n", "a full answer");
	for (i = 1; i <= n; i++)
		if (upgrade_write_answer(tight, i, &req, &ext) != -1)
			break;
	is(i, n + 1, "-1 whenever it does not fit");

	offer.offer = &offered;
	is(parse(1, out, 0), 0, "parsed");
	is(upgrade_check_answer(&ans, &head, &offer, err, sizeof err), 0,
	    "taken");
	ok(ans.has_extension, "with the extension");
	is_str(ans.extension.id, "mine", "of this id");
	is_str(ans.extension.instance, "", "and of an unknown place");
	strlcpy(ext.instance, "fedcba9876543210", sizeof ext.instance);
	upgrade_write_answer(out, sizeof out, &req, &ext);
	parse(1, out, 0);
	is(upgrade_check_answer(&ans, &head, &offer, err, sizeof err), 0,
	    "or one with a place");
	is_str(ans.extension.instance, "fedcba9876543210", "which is told");
	ok(slice_is(ans.subprotocol, "binary"), "and the subprotocol");
}

static void
answer(const char *text, const struct upgrade_offer *o, int want,
    int want_ext, const char *name)
{
	size_t i, len = strlen(text);
	int got = 0, good = 1;

	for (i = 0; i <= len && good; i++) {
		if (parse(1, text, i) != 0) {
			ok(0, "answer: %s: well-formed", name);
			return;
		}
		got = upgrade_check_answer(&ans, &head, o, err, sizeof err);
		good = got == want && ans.has_extension == want_ext;
	}
	if (!ok(good, "answer: %s: %s", name, want ? "refused" : "taken"))
		printf("# got %d: %s\n", got, err);
}

static void
test_answers(void)
{
	struct extension mine = { .id = "mine", .win = 65536,
	    .flags = EXT_PARK };
	struct upgrade_offer o = { .key = KEY, .extra = "", .offer = &mine };
	struct upgrade_offer p = { .key = KEY, .extra = "",
	    .subprotocol = "a, b" };

	answer(ANSWER "\r\n", &o, 0, 0, "plain");
	answer(A101 "Upgrade: WebSocket\r\nConnection: x, upgrade\r\n" SWACC
	    "\r\n", &o, 0, 0, "any case");
	answer("HTTP/1.0 101 x\r\n" UPGRADE CONN SWACC "\r\n", &o, -1, 0,
	    "HTTP/1.0");
	answer("HTTP/1.1 200 OK\r\n" UPGRADE CONN SWACC "\r\n", &o, -1, 0,
	    "200");
	answer(A101 CONN SWACC "\r\n", &o, -1, 0, "no Upgrade");
	answer(A101 "Upgrade: h2c\r\n" CONN SWACC "\r\n", &o, -1, 0, "h2c");
	answer(ANSWER UPGRADE "\r\n", &o, -1, 0, "two Upgrades");
	answer(A101 UPGRADE SWACC "\r\n", &o, -1, 0, "no Connection");
	answer(A101 UPGRADE CONN "\r\n", &o, -1, 0, "no accept");
	answer(ANSWER SWACC "\r\n", &o, -1, 0, "two accepts");
	answer(A101 UPGRADE CONN "Sec-WebSocket-Accept: "
	    "s3pPLMBiTxaQ9kYGzzhZRbK+xOo\r\n\r\n", &o, -1, 0, "bad accept");
	answer(ANSWER PROTO "binary\r\n\r\n", &o, -1, 0, "subprotocol");
	answer(ANSWER PROTO "b\r\n\r\n", &p, 0, 0, "an offered one");
	answer(ANSWER PROTO "c\r\n\r\n", &p, -1, 0, "another one");
	answer(ANSWER PROTO "a, b\r\n\r\n", &p, -1, 0, "all offered ones");
	answer(ANSWER PROTO "a\r\n" PROTO "b\r\n\r\n", &p, -1, 0, "two");
	answer(ANSWER PROTO "\r\n\r\n", &p, -1, 0, "an empty one");

	answer(ANSWER EXT "inetws; v=2; id=x\r\n\r\n", &o, 0, 1, "ours");
	answer(ANSWER EXT "inetws; v=2; id=x\r\n\r\n", &p, -1, 0,
	    "ours, not offered");
	answer(ANSWER EXT "permessage-deflate\r\n\r\n", &o, -1, 0, "deflate");
	answer(ANSWER EXT "inetws; v=2; id=x, x\r\n\r\n", &o, -1, 1,
	    "ours and another");
	answer(ANSWER EXT "inetws; v=2; id=x, inetws; v=2; id=y\r\n\r\n", &o,
	    -1, 1, "ours twice");
	answer(ANSWER EXT "inetws; v=2; id=x; park\r\n\r\n", &o, 0, 1,
	    "an offered flag");
	answer(ANSWER EXT "inetws; v=2; id=x; resume\r\n\r\n", &o, -1, 0,
	    "a flag that was not");
	answer(ANSWER EXT "inetws; v=2; id=x; new\r\n\r\n", &o, 0, 1,
	    "an unknown parameter");
	answer(ANSWER EXT "inetws; v=1; id=x\r\n\r\n", &o, -1, 0,
	    "another version");
	ok(strstr(err, "version 1 ") != NULL && strstr(err, "version 2:") != NULL,
	    "which names both");
	answer(ANSWER EXT "inetws; v=2; id=\"a b\"\r\n\r\n", &o, -1, 0,
	    "an id that is no token");
	answer(ANSWER EXT "inetws, inetws; v=2; id=x\r\n\r\n", &o, -1, 0,
	    "our name echoed and an answer");
	answer(ANSWER EXT "inetws; v=2; id=mine; win=65536; park\r\n\r\n",
	    &o, 0, 0, "our offer echoed");
	answer(ANSWER EXT "inetws\r\n\r\n", &o, 0, 0, "our name echoed");
	answer(ANSWER EXT "inetws;\r\n\r\n", &o, -1, 0, "a malformed echo");
	answer(ANSWER EXT "inetws; a=\"b c\"\r\n\r\n", &o, -1, 0,
	    "an echo with a quoted value that is no token");
	answer(ANSWER EXT "\r\n\r\n", &o, -1, 0, "no extension");
	answer(ANSWER EXT "inetws; v=2; id=x\r\n" EXT "inetws; v=2; id=x\r\n\r\n",
	    &o, -1, 1, "ours in two fields");
}

static void
test_refusals(void)
{
	char out[512];
	int n;

	n = upgrade_write_refusal(out, sizeof out, 426, 0, "", "words");
	is(n, strlen(out), "length of a refusal");
	is_str(out, "HTTP/1.1 426 Upgrade Required\r\n"
	    "Content-Type: text/plain\r\nContent-Length: 6\r\n"
	    "Connection: close, Upgrade\r\nUpgrade: websocket\r\n"
	    "Sec-WebSocket-Version: 13\r\n\r\nwords\n", "426");
	upgrade_write_refusal(out, sizeof out, 503, 0, "A: b\r\n", "x\r\ny");
	is_str(out, "HTTP/1.1 503 Service Unavailable\r\n"
	    "Content-Type: text/plain\r\nContent-Length: 5\r\n"
	    "Connection: close\r\nRetry-After: 1\r\nA: b\r\n\r\nx??y\n",
	    "503, an extra field, one line");
	upgrade_write_refusal(out, sizeof out, 405, 784111777, "", "x");
	ok(strstr(out, "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n") != NULL,
	    "Date");
	ok(strstr(out, "\r\nAllow: GET\r\n") != NULL, "405 has Allow");
	upgrade_write_refusal(out, sizeof out, 405, 0, "Allow: HEAD\r\n", "x");
	ok(strstr(out, "GET") == NULL, "unless one is given");
	upgrade_write_refusal(out, sizeof out, 503, 0, "Retry-After: 9\r\n",
	    "x\x7f~");
	ok(strstr(out, "Retry-After: 1") == NULL, "as for Retry-After");
	ok(strstr(out, "\r\n\r\nx?~\n") != NULL, "a DEL is not shown");
	is(upgrade_write_refusal(out, n, 426, 0, "", "words"), -1, "no room");
}

static void
test_request_written(void)
{
	struct extension ext = { .id = "a", .win = 65536 };
	struct upgrade_offer o = { .extra = "", .user_agent = "me" };
	struct url url;
	char out[1024], tight[1024], extra[256] = "";
	int i, n;

	upgrade_key(o.key, (const unsigned char *)"the sample nonce");
	is_str(o.key, KEY, "a key");
	is(url_parse(&url, "wss://h.example:444/p?q=1", err, sizeof err), 0,
	    "a URL");
	n = upgrade_write_request(out, sizeof out, &url, &o);
	is_str(out, "GET /p?q=1 HTTP/1.1\r\nHost: h.example:444\r\n" UPGRADE
	    CONN SWKEY VER "User-Agent: me\r\n\r\n", "a plain request");
	is(n, strlen(out), "its length");
	is(check(out, 0), 0, "which a server takes");

	url_parse(&url, "ws://u%40x:p@h/", err, sizeof err);
	is(header_add(extra, sizeof extra, "X-A:  b", HEADER_SERVER, err,
	    sizeof err), 0, "a field");
	o.extra = extra;
	o.user = url.user;
	o.subprotocol = "binary";
	o.offer = &ext;
	n = upgrade_write_request(out, sizeof out, &url, &o);
	is_str(out, "GET / HTTP/1.1\r\nHost: h\r\n" UPGRADE CONN SWKEY VER
	    PROTO "binary\r\n" EXT "inetws; v=2; id=a; win=65536\r\n"
	    "User-Agent: me\r\nAuthorization: Basic dUB4OnA=\r\nX-A: b\r\n"
	    "\r\n", "a full request");
	for (i = 1; i <= n; i++)
		if (upgrade_write_request(tight, i, &url, &o) != -1)
			break;
	is(i, n + 1, "-1 whenever it does not fit");

	o.offer = NULL;
	o.subprotocol = NULL;
	o.user_agent = NULL;
	o.user = "";
	o.origin = "https://me.example";
	extra[0] = '\0';
	upgrade_write_request(out, sizeof out, &url, &o);
	ok(strstr(out, "\r\nUser-Agent: inetws/") != NULL, "our name");
	ok(strstr(out, "\r\nOrigin: https://me.example\r\n") != NULL,
	    "an Origin");
	header_add(extra, sizeof extra, "AUTHORIZATION: t", HEADER_SERVER, err,
	    sizeof err);
	header_add(extra, sizeof extra, "origin: null", HEADER_SERVER, err,
	    sizeof err);
	o.user_agent = "me";
	upgrade_write_request(out, sizeof out, &url, &o);
	is_str(out, "GET / HTTP/1.1\r\nHost: h\r\n" UPGRADE CONN SWKEY VER
	    "User-Agent: me\r\nAUTHORIZATION: t\r\norigin: null\r\n\r\n",
	    "the user's fields replace ours");

	o.is_none = 1;
	o.subprotocol = "binary";
	upgrade_write_request(out, sizeof out, &url, &o);
	is_str(out, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
	    "User-Agent: me\r\nAUTHORIZATION: t\r\norigin: null\r\n\r\n",
	    "a request for no websocket");

	o.is_none = 0;
	o.user = NULL;
	strlcpy(ext.instance, "0123456789abcdef", sizeof ext.instance);
	o.offer = &ext;
	upgrade_write_request(out, sizeof out, &url, &o);
	ok(strstr(out, "\r\nInetws-Instance: 0123456789abcdef\r\n") != NULL,
	    "where a session lives");
	strlcpy(url.path, "a", sizeof url.path);
	is(upgrade_write_request(out, sizeof out, &url, &o), -1,
	    "no slash at the beginning");
	strlcpy(url.path, "/a#b", sizeof url.path);
	is(upgrade_write_request(out, sizeof out, &url, &o), -1,
	    "a fragment in the path");
	strlcpy(url.path, "/a\x7f", sizeof url.path);
	is(upgrade_write_request(out, sizeof out, &url, &o), -1,
	    "a DEL in the path");
	strlcpy(url.path, "/a b", sizeof url.path);
	is(upgrade_write_request(out, sizeof out, &url, &o), -1,
	    "a blank in the path");
	strlcpy(url.path, "/a\r\nX:", sizeof url.path);
	is(upgrade_write_request(out, sizeof out, &url, &o), -1,
	    "a line in the path");
}

static void
test_fields(void)
{
	static const char *const bad[] = {
		"", "x", ": x", "a b: c", "A: b\r\nC: d", "A: b\nC",
		"Upgrade: x", "sec-websocket-key: x", "Connection: close",
		"Content-Length: 1", "Transfer-Encoding: chunked",
		"Host: x", "TE: x", "Proxy-Authorization: x"
	};
	char extra[32] = "";
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		is(header_add(extra, sizeof extra, bad[i], HEADER_SERVER, err,
		    sizeof err), -1, "no field to be added");
	is_str(extra, "", "nothing was");
	is(header_add(extra, sizeof extra, "A:", HEADER_SERVER, err,
	    sizeof err), 0, "an empty value");
	is(header_add(extra, sizeof extra,
	    "B: 01234567890123456789012345678901", HEADER_SERVER, err,
	    sizeof err), -1, "no room");
	ok(strstr(err, "more than 31 bytes") != NULL, "which is said");
	is(header_add(extra, sizeof extra, "B: 0123456789012345678901",
	    HEADER_SERVER, err, sizeof err), -1, "one byte too few");
	is_str(extra, "A: \r\n", "only what fits");
	ok(header_has(extra, "a") && !header_has(extra, "b"), "A stands there");
	ok(header_has("X: 1\r\nA: 2\r\n", "a"), "or on the second line");
	ok(!header_has("X: a: b\r\n", "a"), "a value is no name");
	ok(!header_has("X\r\nY: a\r\n", "X\r\nY"), "nor are two lines one");
	is(header_check("Proxy-Authorization: x", HEADER_PROXY, err,
	    sizeof err), 0, "a proxy may have its credentials");
	is(header_check("Connection: x", HEADER_PROXY, err, sizeof err), -1,
	    "but not everything");
	ok(header_is_private("authorization: x"), "a secret");
	ok(header_is_private("COOKIE:x"), "another");
	ok(!header_is_private("Accept: x"), "no secret");
}

static void
show(const char *line, const char *want)
{
	char out[64];

	is_str(upgrade_show_line(out, sizeof out, slice_of(line)), want,
	    "shown");
}

static void
test_words(void)
{
	static const int pairs[][2] = {
		{ 401, EXIT_DENIED }, { 403, EXIT_DENIED },
		{ 407, EXIT_DENIED }, { 408, EXIT_AGAIN },
		{ 429, EXIT_AGAIN }, { 503, EXIT_AGAIN },
		{ 504, EXIT_AGAIN }, { 500, EXIT_UNREACHABLE },
		{ 502, EXIT_UNREACHABLE }, { 200, EXIT_PROTOCOL },
		{ 404, EXIT_PROTOCOL }, { 302, EXIT_PROTOCOL },
		{ 599, EXIT_UNREACHABLE }, { 499, EXIT_PROTOCOL },
		{ 600, EXIT_PROTOCOL },
	};
	size_t i, wrong = 0;

	for (i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		is(upgrade_exit_status(pairs[i][0]), pairs[i][1],
		    http_reason(pairs[i][0]));
	for (i = 100; i < 1000; i++)
		wrong += upgrade_is_redirect((int)i) != (i == 301 ||
		    i == 302 || i == 303 || i == 307 || i == 308);
	is(wrong, 0, "what is a redirect");
	show("Accept: x\x01", "Accept: x\\x01");
	show("authorization: Basic abc", "authorization:...");
	show("Authorization:x", "Authorization:...");
	show("Authorization:", "Authorization:");
	show("Sec-WebSocket-Extensions: inetws; RESUME=abc",
	    "Sec-WebSocket-Extensions: inetws; RESUME=...");
	show("sec-websocket-extensions: resume; Resume \t= \"abc\"",
	    "sec-websocket-extensions: resume; Resume \\t=...");
	show("Location: https://u:p?w@h/", "Location: https://...");
	show("location: //u:pw@h/", "location: //...");
	show("Location: u:pw@h", "Location:...");
	show("Cookie: a=b", "Cookie:...");
	show("GET /a?token=b HTTP/1.1", "GET /a?...");
	show("GET /a HTTP/1.1", "GET /a HTTP/1.1");
	show("Location: ws://h/a?b:c", "Location: ws://h/a?...");
	show("Sec-WebSocket-Extensions: inetws; resume=\"abc\"; n=1",
	    "Sec-WebSocket-Extensions: inetws; resume=...");
	show("Sec-WebSocket-Extensions: inetws; resume1=a; resums=1",
	    "Sec-WebSocket-Extensions: inetws; resume1=a; resums=1");
	show("Sec-WebSocket-Extensions: inetws; resume",
	    "Sec-WebSocket-Extensions: inetws; resume");
	show("Sec-WebSocket-Extensions: inetws; resume \t",
	    "Sec-WebSocket-Extensions: inetws; resume \\t");
	show("", "");
}

int
main(void)
{
	test_requests();
	test_heads();
	test_targets();
	test_keys();
	test_offers();
	test_redials();
	test_lists();
	test_answer_written();
	test_answers();
	test_refusals();
	test_request_written();
	test_fields();
	test_words();
	return done_testing();
}
