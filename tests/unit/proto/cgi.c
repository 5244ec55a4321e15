/* SPDX-License-Identifier: ISC */
/* If it fails: a program decides by a word that the client made up. */
#include <stdio.h>
#include <string.h>

#include "tap.h"

#include "proto/cgi.h"

static struct cgi c;
static struct http_head head;

static const char *
get(const char *name)
{
	size_t len = strlen(name);
	unsigned int i;

	for (i = 0; i < c.n; i++)
		if (strncmp(c.var[i], name, len) == 0 && c.var[i][len] == '=')
			return c.var[i] + len + 1;
	return NULL;
}

static void
parse(const char *text)
{
	struct http_parser_state st;
	char err[200];
	int status;

	http_begin(&st, 0);
	ok(http_parse(&st, text, strlen(text), &head, &status, err,
	    sizeof(err)) > 0, "a request");
	cgi_begin(&c);
	cgi_request(&c, &head);
}

static void
test_request(void)
{
	parse("GET /a?b=c&d HTTP/1.1\r\nHost: x\r\nA-b: 1\r\nC: 3\r\n"
	    "a-B: 2\r\nProxy: p\r\nproxy-authorization: s\r\nA_B: 9\r\n"
	    "AUTHORIZATION: s\r\nCookie: x=1\r\nCookie: y=2\r\n\r\n");
	is_str(get("REQUEST_METHOD"), "GET", "method");
	is_str(get("REQUEST_URI"), "/a?b=c&d", "URI");
	is_str(get("QUERY_STRING"), "b=c&d", "query");
	is_str(get("SERVER_PROTOCOL"), "HTTP/1.1", "protocol");
	is_str(get("HTTP_HOST"), "x", "a field");
	is_str(get("HTTP_A_B"), "1, 2", "a repeated one, not the look-alike");
	is_str(get("HTTP_C"), "3", "another");
	is_str(get("HTTP_COOKIE"), "x=1; y=2", "cookies");
	ok(get("HTTP_PROXY") == NULL, "no HTTP_PROXY");
	ok(get("HTTP_AUTHORIZATION") == NULL, "no credentials");
	ok(get("HTTP_PROXY_AUTHORIZATION") == NULL, "of any kind");
	is(c.n, 8, "and nothing else");
	parse("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	is_str(get("QUERY_STRING"), "", "no query");
	parse("GET / HTTP/1.1\r\nA|b: 1\r\na^B: 1\r\nZ09-z: 2\r\n\r\n");
	is(c.n, 5, "no field whose name has other characters");
	is_str(get("HTTP_Z09_Z"), "2", "but for a dash");
	c.n = CGI_VARS_MAX;
	cgi_request(&c, &head);
	is(c.n, CGI_VARS_MAX, "no more than there is room for");
}

static void
test_peer(void)
{
	cgi_begin(&c);
	cgi_peer(&c, "192.0.2.1:99");
	is_str(get("REMOTE_ADDR"), "192.0.2.1", "IPv4");
	is_str(get("REMOTE_PORT"), "99", "its port");
	cgi_begin(&c);
	cgi_peer(&c, "[fe80::1%eth0]:1");
	is_str(get("REMOTE_ADDR"), "fe80::1%eth0", "IPv6");
	is_str(get("REMOTE_PORT"), "1", "its port");
	cgi_begin(&c);
	cgi_peer(&c, "192.0.2.1");
	is_str(get("REMOTE_ADDR"), "192.0.2.1", "IPv4 alone");
	is(c.n, 1, "has no port");
	cgi_begin(&c);
	cgi_peer(&c, "[::1]");
	is_str(get("REMOTE_ADDR"), "::1", "IPv6 alone, in brackets");
	cgi_begin(&c);
	cgi_peer(&c, "2001:db8::1");
	is_str(get("REMOTE_ADDR"), "2001:db8::1", "or without");
	is(c.n, 1, "has no port");
	cgi_begin(&c);
	cgi_client(&c, "CN=a");
	is_str(get("SSL_CLIENT_VERIFY"), "SUCCESS", "a certificate");
	is_str(get("SSL_CLIENT_S_DN"), "CN=a", "its subject");
	cgi_begin(&c);
	cgi_peer(&c, "unix:/run/a:b");
	cgi_peer(&c, "");
	cgi_peer(&c, "-");
	is(c.n, 0, "others have none");
}

/* As large as a head can be, and larger than there is room. */
static void
test_size(void)
{
	static char text[HTTP_HEAD_MAX + 1], big[CGI_BYTES];
	size_t n, i, half = HTTP_HEAD_MAX / 2;

	n = snprintf(text, sizeof(text), "GET /?");
	memset(text + n, 'q', half);
	n += half;
	n += snprintf(text + n, sizeof(text) - n, " HTTP/1.1\r\n");
	for (i = 0; i < HTTP_FIELDS_MAX; i++)
		n += snprintf(text + n, sizeof(text) - n, "X%zu:\r\n", i);
	n += snprintf(text + n, sizeof(text) - n, "\r\n");
	parse(text);
	is(c.n, 4 + HTTP_FIELDS_MAX, "all of it is there");
	is(strlen(get("QUERY_STRING")), half, "in its length");

	memset(big, 'x', sizeof(big));
	cgi_begin(&c);
	cgi_set(&c, "BIG", (struct slice){ big, sizeof(big) });
	is(c.n, 0, "what does not fit is left out");
	cgi_set(&c, "A", slice_of("b"));
	is_str(get("A"), "b", "and leaves its room");
	for (i = 0; i < CGI_VARS_MAX + 10; i++)
		cgi_set(&c, "N", slice_of("x"));
	is(c.n, CGI_VARS_MAX, "so many and no more");
}

/* With each little room that is left: whole variables, or none. */
static void
test_room(void)
{
	static const char *const names[] = { "REQUEST_METHOD", "REQUEST_URI",
	    "QUERY_STRING", "SERVER_PROTOCOL", "HTTP_A", "HTTP_COOKIE" };
	static const char *const values[] = { "GET", "/?q", "q", "HTTP/1.1",
	    "1, 2", "x; y" };
	size_t left, i, wrong = 0, n = 0;
	const char *value;

	parse("GET /?q HTTP/1.1\r\nA: 1\r\nA: 2\r\nCookie: x\r\n"
	    "Cookie: y\r\n\r\n");
	for (left = 0; left < 150; left++) {
		cgi_begin(&c);
		c.len = sizeof(c.bytes) - left;
		cgi_request(&c, &head);
		for (i = 0; i < 6; i++) {
			value = get(names[i]);
			wrong += value != NULL && strcmp(value, values[i]) != 0;
		}
		n += c.n;
	}
	is(wrong, 0, "no variable is cut");
	ok(n > 6 && c.n == 6, "those that fit are there");
}

static void
test_reserved(void)
{
	ok(cgi_is_reserved("REMOTE_ADDR=1"), "REMOTE_ADDR");
	ok(cgi_is_reserved("HTTP_X=1"), "HTTP_X");
	ok(!cgi_is_reserved("REMOTE_ADDRESS=1"), "not a longer one");
	ok(!cgi_is_reserved("REMOTE=1"), "nor a shorter one");
	ok(!cgi_is_reserved("HTTP_PROXY=http://p"), "a proxy is a setting");
	ok(!cgi_is_reserved("PATH=/bin"), "PATH");
	ok(!cgi_is_reserved(""), "nothing");
}

int
main(void)
{
	test_request();
	test_peer();
	test_size();
	test_room();
	test_reserved();
	return done_testing();
}
