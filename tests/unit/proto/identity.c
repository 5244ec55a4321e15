/* SPDX-License-Identifier: ISC */
/*
 * Addresses, networks, PROXY headers, origins and credentials.
 *
 * If it fails: a client passes for another address, origin or user.
 */
#include <string.h>

#include "proto/credentials.h"
#include "proto/forwarded.h"
#include "proto/http.h"
#include "proto/ip.h"
#include "proto/origin.h"
#include "proto/proxy_protocol.h"
#include "tap.h"

static void
test_ip(void)
{
	static const struct { const char *in, *out; } t[] = {
		{ "192.0.2.1", "192.0.2.1" }, { "::1", "::1" },
		{ "[::1]", "::1" }, { "[2001:db8::1]:80", "[2001:db8::1]:80" },
		{ "192.0.2.1:65535", "192.0.2.1:65535" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "fe80::1%eth0", "fe80::1" }, { "2001:db8::1:80",
		"2001:db8::1:80" }, { "", NULL }, { "192.0.2", NULL },
		{ "192.0.2.1:65536", NULL }, { "192.0.2.1:080", NULL },
		{ "192.0.2.1:", NULL }, { "[192.0.2.1]", NULL },
		{ "[::1]:x", NULL }, { "[::1", NULL }, { "unknown", NULL },
		{ ":80", NULL }, { "192.0.2.1:+1", NULL }
	};
	char text[IP_TEXT_MAX];
	struct ip ip;
	uint16_t port;
	size_t i;
	int r;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		r = ip_parse_port(&ip, &port, slice_of(t[i].in));
		ok(r == (t[i].out == NULL ? -1 : 0), "'%s'", t[i].in);
		if (r == 0 && t[i].out != NULL)
			is_str(ip_print(text, &ip, port), t[i].out, "is");
	}
}

static int
has(const char *net, const char *address)
{
	struct cidr c;
	struct ip ip;

	if (cidr_parse(&c, slice_of(net)) == -1)
		return -1;
	ip_parse(&ip, slice_of(address));
	return cidr_has(&c, &ip);
}

static void
test_cidr(void)
{
	is(has("10.0.0.0/8", "10.255.0.1"), 1, "within");
	is(has("10.0.0.0/8", "11.0.0.1"), 0, "outside");
	is(has("10.0.0.0/9", "10.128.0.1"), 0, "bits within a byte");
	is(has("10.0.0.0/9", "10.127.0.1"), 1, "the same");
	is(has("192.0.2.1", "192.0.2.1"), 1, "one address");
	is(has("192.0.2.1/32", "192.0.2.2"), 0, "another one");
	is(has("0.0.0.0/0", "255.0.0.1"), 1, "all of IPv4");
	is(has("0.0.0.0/0", "2001:db8::1"), 0, "but not IPv6");
	is(has("::/0", "192.0.2.1"), 1, "everything");
	is(has("2001:db8::/33", "2001:db8:8000::"), 0, "IPv6 bits");
	is(has("2001:db8::/32", "2001:db8:8000::"), 1, "IPv6");
	is(has("::ffff:10.0.0.0/104", "10.1.1.1"), 1, "mapped");
	is(has("10.0.0.0/33", ""), -1, "33 bits");
	is(has("::/129", ""), -1, "129 bits");
	is(has("10.0.0.0/", ""), -1, "no bits");
	is(has("10.0.0.0/08", ""), -1, "a leading zero");
	is(has("/8", ""), -1, "no address");
	is(has("", ""), -1, "nothing");
	is(has("::ffff:10.0.0.0/129", ""), -1, "129 bits of a mapped one");
	is(has("1111111111111111111111111111111111111111111111111111111111111"
	    "11.1.1.1", ""), -1, "no address is so long");
	is(has("10.0.0.0/8x", ""), -1, "bits and more");
}

/* A header of version 2: command, family, and so many bytes behind it. */
static ssize_t
version2(struct proxy_protocol *p, int command, int family, size_t size,
    size_t len)
{
	char b[16 + PROXY_PROTOCOL_MAX] = "\r\n\r\n\0\r\nQUIT\n", err[100];
	size_t i;

	b[12] = 0x20 | command;
	b[13] = family;
	b[14] = size >> 8;
	b[15] = size & 255;
	for (i = 0; i < size && i < PROXY_PROTOCOL_MAX; i++)
		b[16 + i] = i + 1;
	return proxy_protocol_parse(p, b, len, err, sizeof(err));
}

static void
test_proxy_edges(void)
{
	static const struct { const char *line; int port; } v1[] = {
		{ "0", 0 }, { "1", 1 }, { "65535", 65535 }, { "65536", -1 },
		{ "00", -1 }, { "01", -1 }, { "123456", -1 }, { "1x", -1 },
		{ "-1", -1 }, { "", -1 }
	};
	struct proxy_protocol p;
	char text[IP_TEXT_MAX], line[120], err[100];
	size_t i;
	ssize_t n;

	is(version2(&p, 0, 0x11, 12, 28), 28, "LOCAL with addresses");
	is(p.known, 0, "which mean nothing");
	is(version2(&p, 1, 0x11, 12, 28), 28, "IPv4");
	is_str(ip_print(text, &p.from, p.from_port), "1.2.3.4:2314", "from");
	is_str(ip_print(text, &p.to, p.to_port), "5.6.7.8:2828", "to");
	is(version2(&p, 1, 0x11, 11, 27), -1, "too short for IPv4");
	is(version2(&p, 1, 0x21, 36, 52), 52, "IPv6");
	is(version2(&p, 1, 0x21, 35, 51), -1, "too short for IPv6");
	is(version2(&p, 1, 0x00, 3, 19), 19, "a family without a name");
	is(p.known, 0, "is unknown");
	is(version2(&p, 1, 0x31, 3, 19), 19, "Unix sockets too");
	is(version2(&p, 1, 0x41, 3, 19), -1, "no such family");
	is(version2(&p, 1, 0x13, 12, 28), -1, "no such protocol");
	is(version2(&p, 1, 0x11, PROXY_PROTOCOL_MAX - 16, PROXY_PROTOCOL_MAX),
	    PROXY_PROTOCOL_MAX, "the longest");
	is(version2(&p, 1, 0x11, PROXY_PROTOCOL_MAX - 15, 200), -1,
	    "one byte more");
	for (i = 0; i < sizeof(v1) / sizeof(v1[0]); i++) {
		snprintf(line, sizeof(line), "PROXY TCP4 1.2.3.4 5.6.7.8 %s 9"
		    "\r\n", v1[i].line);
		n = proxy_protocol_parse(&p, line, strlen(line), err,
		    sizeof(err));
		ok(v1[i].port == -1 ? n == -1 : n == (ssize_t)strlen(line) &&
		    p.from_port == v1[i].port, "port '%s'", v1[i].line);
	}
}

static void
test_proxyline(void)
{
	static const char v1[] = "PROXY TCP6 ::1 2001:db8::2 1 65535\r\nGET";
	struct proxy_protocol p, q;
	char err[100], out[PROXY_PROTOCOL_MAX], from[IP_TEXT_MAX];
	size_t n;
	int v, len;

	for (n = 0; n < sizeof(v1) - 4; n++)
		if (proxy_protocol_parse(&p, v1, n, err, sizeof(err)) != 0)
			break;
	is(n, sizeof(v1) - 4, "incomplete until its last byte");
	is(proxy_protocol_parse(&p, v1, sizeof(v1) - 1, err, sizeof(err)),
	    sizeof(v1) - 4, "and not a byte more");
	ok(p.known, "known");
	is_str(ip_print(from, &p.from, p.from_port), "[::1]:1", "from");
	is(p.to_port, 65535, "to");
	for (v = 1; v <= 2; v++) {
		len = proxy_protocol_write(out, sizeof(out), v, &p);
		ok(len > 0, "written as version %d", v);
		for (n = 0; n < (size_t)len; n++)
			if (proxy_protocol_parse(&q, out, n, err,
			    sizeof(err)) != 0)
				break;
		is(n, len, "incomplete until its last byte");
		is(proxy_protocol_parse(&q, out, len, err, sizeof(err)), len,
		    "read again");
		ok(memcmp(&p, &q, sizeof(p)) == 0, "the same");
		is(proxy_protocol_write(out, 10, v, &p), -1, "no room");
	}
	ip_parse(&p.from, slice_of("192.0.2.1"));
	p.from_port = 7;
	proxy_protocol_write(out, sizeof(out), 1, &p);
	is_str(out, "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 7 65535\r\n",
	    "from IPv4 to IPv6");
	is(proxy_protocol_write(out, sizeof(out), 2, &p), 52,
	    "in version 2, too");
	ok(proxy_protocol_parse(&q, out, 52, err, sizeof(err)) == 52 &&
	    memcmp(&p, &q, sizeof(p)) == 0, "and read again");
	ip_parse(&p.to, slice_of("192.0.2.2"));
	proxy_protocol_write(out, sizeof(out), 1, &p);
	is_str(out, "PROXY TCP4 192.0.2.1 192.0.2.2 7 65535\r\n",
	    "from IPv4 to IPv4");
	p.known = 0;
	is(proxy_protocol_write(out, sizeof(out), 1, &p), 15, "UNKNOWN");
	is_str(out, "PROXY UNKNOWN\r\n", "as it is written");
	is(proxy_protocol_write(out, sizeof(out), 2, &p), 16, "LOCAL");
	is(proxy_protocol_parse(&q, out, 16, err, sizeof(err)), 16, "is read");
	is(q.known, 0, "and says nothing");
	test_proxy_edges();
	is(proxy_protocol_parse(&q, "GET / HTTP/1.1", 14, err, sizeof(err)), -1,
	    "something else");
	is(proxy_protocol_parse(&q, "G", 1, err, sizeof(err)), -1, "at once");
}

static void
test_origin(void)
{
	static const struct { const char *origin, *host; int same; } t[] = {
		{ "https://a", "a", 1 }, { "https://a", "A:443", 1 },
		{ "http://a", "a:443", 0 }, { "http://a:80", "a", 1 },
		{ "https://a:80", "a", 0 }, { "https://a.b", "b", 0 },
		{ "https://b", "a.b", 0 }, { "null", "null", 0 },
		{ "https://[::1]:1", "[::1]:1", 1 }, { "https://", "", 0 },
		{ "https://a/", "a/", 0 }, { "https://u@a", "u@a", 0 },
		{ "x://a", "a", 1 }, { "", "", 0 }, { "https://a", "", 0 },
		{ "https://a", "b", 0 }, { "http://a:1", "a:2", 0 },
		{ "://a", "a", 0 }, { "ht_tp://a", "a", 0 },
		{ "h2+a-b.c://a", "a", 1 }, { "h:t://a", "a", 0 },
		{ "h/://a", "a", 0 }, { "h@://a", "a", 0 },
		{ "h{://a", "a", 0 }, { "https://:1", ":1", 0 },
		{ "https://a", "a/b", 0 }, { "https://a:", "a:", 0 }
	};
	static const char *const bound[] = {	/* the first six are */
		"https://a", "http://127.0.0.1:8080", "http://[::1]:80",
		"http://localhost", "HTTP://LocalHost:1", "http://[::1]",
		"http://a", "http://a:8080", "http://localhost.a",
		"http://127.0.0.1.a", "http://127.1", "x://a", "null", ""
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		ok(origin_is_of(slice_of(t[i].origin),
		    slice_of(t[i].host)) == t[i].same, "%s, %s: %d",
		    t[i].origin, t[i].host, t[i].same);
	for (i = 0; i < sizeof(bound) / sizeof(bound[0]); i++)
		is(origin_is_bound(slice_of(bound[i])), i < 6, bound[i]);
	is(origin_is_bound(slice_of("http://[]")), 0, "empty brackets");
	is(origin_is_bound(slice_of("http://[")), 0, "half of them");
	ok(!origin_is_word("a:") && !origin_is_word("https://a:") &&
	    !origin_is_word("a b") && !origin_is_word(""), "no words");
	ok(origin_is_word("a") && origin_is_word("a:1") &&
	    origin_is_word("https://a") && origin_is_word("*"), "words");
	is(origin_is_allowed(slice_of("null"), "*"), 1, "* is any");
	is(origin_is_allowed(slice_of("https://a:1"), "a"), 1, "any port");
	is(origin_is_allowed(slice_of("https://a"), "a:443"), 1, "its own");
	is(origin_is_allowed(slice_of("null"), "null"), 1, "null, if asked");
	is(origin_is_allowed(slice_of("null"), "nul"), 0, "not else");
	is(origin_is_allowed(slice_of("https://a"), "null"), 0,
	    "null is no other");
	is(origin_is_allowed(slice_of("null"), "https://a"), 0,
	    "null is of no site");
	is(origin_is_allowed(slice_of("https://a"), "https://b"), 0,
	    "another site");
	is(origin_is_allowed(slice_of("https://a"), "https://a/b"), 0,
	    "no origin has a path");
	is(origin_is_allowed(slice_of("https://a"), "b"), 0, "another host");
	is(origin_is_allowed(slice_of("https://a"), "a/b"), 0, "no host");
	is(origin_is_allowed(slice_of("https://a"), "a:80"), 0,
	    "another port than its own");
	is(origin_is_allowed(slice_of("https://a"), "HTTPS://a:443"), 1,
	    "the scheme's own port, written out");
	is(origin_is_allowed(slice_of("http://a"), "https://a"), 0,
	    "another scheme");
	is(origin_is_allowed(slice_of("https://a:1"), "https://a"), 0,
	    "another port");
}

static void
test_credentials(void)
{
	static const struct {
		const char *value, *user, *secret;
	} t[] = {
		{ "Basic YW5uOng=", "ann", "x" },
		{ "basic   YW5uOjp4", "ann", ":x" },
		{ "Basic YW5uOg==", "ann", "" }, { "Basic Ong=", "", "x" },
		{ "Bearer abc", "", "abc" }, { "Bearer ", NULL, NULL },
		{ "Bearer a b", NULL, NULL }, { "Basic", NULL, NULL },
		{ "Basic YW5u", NULL, NULL }, { "Basic YW5uOng", NULL, NULL },
		{ "Basic =W5uOng=", NULL, NULL },
		{ "Basic YW5=Ong=", NULL, NULL },
		{ "Basic YW5uAHg6", NULL, NULL }, { "", NULL, NULL },
		{ "Digest x", NULL, NULL }, { "Bearer a\x7f", NULL, NULL },
		{ "Bearer a\tb", NULL, NULL }, { "Bearer ~!", "", "~!" },
		{ "Basic OjpA", "", ":@" }, { "Basi YW5uOng=", NULL, NULL },
		{ "BasicYW5uOng=", NULL, NULL }
	};
	static const char text[] = "\xef\xbb\xbf# us\n\nann:$6$x\r\n token:bot:"
	    "0123456789abcdefABCDEF67890123456789012345678901234567890123456a"
	    "\nbad\n:x\ntoken:x:12\ntoken:\ntoken:x\nx:\na:b:c\nend:h";
	struct lines lines;
	struct credentials_line l;
	struct credentials c;
	size_t i;
	int r;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		memset(&c, '#', sizeof(c));
		r = credentials_parse(&c, slice_of(t[i].value));
		ok(r == (t[i].user == NULL ? -1 : 0), "'%s'", t[i].value);
		if (r == 0 && t[i].user != NULL) {
			is_str(c.user, t[i].user, "user");
			is_str(c.secret, t[i].secret, "secret");
		}
	}
	lines_begin(&lines, slice_of(text));
	is(credentials_next(&lines, &l), 1, "a user");
	ok(slice_is(l.name, "ann") && slice_is(l.hash, "$6$x"), "is ann");
	is(credentials_next(&lines, &l), 1, "a token");
	ok(l.kind == CREDENTIALS_BEARER && slice_is(l.name, "bot"), "bot's");
	is(credentials_next(&lines, &l), -1, "no colon");
	is(credentials_next(&lines, &l), -1, "no name");
	is(credentials_next(&lines, &l), -1, "a short hash");
	is(credentials_next(&lines, &l), -1, "a token without a name");
	is(credentials_next(&lines, &l), -1, "without a hash");
	is(credentials_next(&lines, &l), -1, "a user without a hash");
	is(credentials_next(&lines, &l), -1, "with a colon in it");
	is(credentials_next(&lines, &l), 1, "the last line");
	is(credentials_next(&lines, &l), 0, "the end");
	lines_begin(&lines, (struct slice){ "a:b\0c", 5 });
	is(credentials_next(&lines, &l), -1, "a NUL");
}

static int
trusts_tens(const void *arg, const struct ip *ip)
{
	return ip->b[12] == 10 && ip_is_v4(ip);
}

/* RFC 7239 4, and nothing else. */
static void
test_grammar(struct http_head *head)
{
	static const struct {
		const char *value;
		int want;
	} row[] = {
		{ "for=2.2.2.2", 1 }, { "FOR=\"2.2.2.2:5\"", 1 },
		{ " , for=1.1.1.1 , ,for=2.2.2.2;proto=https;by=_x ,", 1 },
		{ ";for=2.2.2.2;;proto=http;", 1 },
		{ "for=\"[2001:db8::1]:5\";host=\"a\\\"b\"", 1 },
		{ "for=unknown", 0 }, { "for=_x", 0 }, { "proto=http", 0 },
		{ "for=\"\"", 0 }, { "", 0 }, { ",", 0 },
		{ "for=\"2.2.2\\.2\"", 0 },
		{ "for=9.9.9.9;x=\", for=2.2.2.2;host=\"a\\\"b\"", -1 },
		{ "for=9.9.9.9;x=\", for=2.2.2.2", -1 },
		{ "for=2.2.2.2; proto=http", -1 },
		{ "for =2.2.2.2", -1 }, { "for= 2.2.2.2", -1 },
		{ "for=2.2.2.2:5", -1 }, { "for=[::1]", -1 },
		{ "for=2.2.2.2;for=3.3.3.3", -1 }, { "for", -1 },
		{ "for=2.2.2.2;by=_x;By=_y", -1 },
		{ "for=2.2.2.2;host=a;proto=http;proto=https", -1 },
		{ "host=a, for=2.2.2.2;host=a", 1 },
		{ "for=", -1 }, { "=x", -1 }, { "2.2.2.2", -1 },
		{ "for=\"2.2.2.2\"x", -1 }, { "for=x\"2.2.2.2\"", -1 },
		{ "for=2.2.2.2 for=3.3.3.3", -1 }, { "for=\"2\\", -1 },
		{ "for=2.2.2.2\\,for=3.3.3.3", -1 },
	};
	struct ip ip;
	uint16_t port;
	size_t i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		head->field[0].value = slice_of(row[i].value);
		ok(forwarded_from(head, "Forwarded", trusts_tens, NULL, &ip,
		    &port) == row[i].want, "Forwarded: %s: %d", row[i].value,
		    row[i].want);
	}
	head->field[0].value = (struct slice){ "for=10.1.1.1, forXyz;", 17 };
	is(forwarded_from(head, "Forwarded", trusts_tens, NULL, &ip, &port),
	    -1, "what is behind the value does not belong to it");
}

static void
test_forwarded(void)
{
	static struct http_head head;
	char field[FORWARDED_FIELD_MAX], text[IP_TEXT_MAX];
	struct ip ip;
	uint16_t port;

	head.nfields = 2;
	head.field[0].name = slice_of("x-forwarded-for");
	head.field[0].value = slice_of("1.1.1.1, 2.2.2.2");
	head.field[1].name = slice_of("X-Forwarded-For");
	head.field[1].value = slice_of("10.0.0.1,10.0.0.2");
	is(forwarded_from(&head, "X-Forwarded-For", trusts_tens, NULL, &ip,
	    &port), 1, "several fields are one list");
	is_str(ip_print(text, &ip, port), "2.2.2.2",
	    "the rightmost address that is not trusted");
	head.field[1].value = slice_of(",10.0.0.1, ,10.0.0.2,");
	is(forwarded_from(&head, "X-Forwarded-For", trusts_tens, NULL, &ip,
	    &port), 1, "empty elements");
	is_str(ip_print(text, &ip, port), "2.2.2.2", "are none");
	head.field[0].value = slice_of("1.1.1.1, what");
	is(forwarded_from(&head, "X-Forwarded-For", trusts_tens, NULL, &ip,
	    &port), 1, "with an element that is no address");
	is_str(ip_print(text, &ip, port), "10.0.0.1",
	    "what stands left of it does not count");
	is(forwarded_from(&head, "Forwarded", trusts_tens, NULL, &ip, &port),
	    0, "no such field");
	head.nfields = 1;
	head.field[0].value = slice_of("\", 2.2.2.2");
	is(forwarded_from(&head, "X-Forwarded-For", trusts_tens, NULL, &ip,
	    &port), 1, "a client's quote swallows no proxy's element");
	is_str(ip_print(text, &ip, port), "2.2.2.2", "which counts");
	head.field[0].name = slice_of("Forwarded");
	head.field[0].value = slice_of("host=\"a;for=1.1.1.1;\\\";for=3.3.3.3"
	    ";x\";for=2.2.2.2");
	is(forwarded_from(&head, "Forwarded", trusts_tens, NULL, &ip, &port),
	    1, "a quoted Host");
	is_str(ip_print(text, &ip, port), "2.2.2.2",
	    "a quoted Host holds no for=");
	head.field[0].value = slice_of("for=\"1.1.1.1, for=2.2.2.2");
	is(forwarded_from(&head, "Forwarded", trusts_tens, NULL, &ip, &port),
	    -1, "a quote that does not end is an error");
	head.field[0].value = slice_of("for=\"1\\, for=\"2.2.2.2:5\"");
	is(forwarded_from(&head, "Forwarded", trusts_tens, NULL, &ip, &port),
	    -1, "however it is made");
	test_grammar(&head);
	ip_parse(&ip, slice_of("2001:db8::1"));
	is_str(forwarded_write(field, &ip, 5),
	    "Forwarded: for=\"[2001:db8::1]:5\"", "IPv6 and port");
	is_str(forwarded_write(field, &ip, 0),
	    "Forwarded: for=\"[2001:db8::1]\"", "IPv6");
	ip_parse(&ip, slice_of("192.0.2.1"));
	is_str(forwarded_write(field, &ip, 0), "Forwarded: for=192.0.2.1",
	    "IPv4");
	is_str(forwarded_write(field, &ip, 5), "Forwarded: for=\"192.0.2.1:5\"",
	    "and port");
}

/*
 * All short lists of other addresses, trusted ones and malformed ones, against
 * what a reader from the right would find.  split: each element has a field of
 * its own.
 */
static void
forwarded_lists(const char *name, const char *prefix, int split)
{
	enum { MOST = 5 };
	static const char *const word[] = { "1.1.1.", "10.0.0.", "what" };
	static struct http_head head;
	char list[600], want[IP_TEXT_MAX], text[IP_TEXT_MAX], one[MOST][100];
	struct ip ip;
	uint16_t port;
	int n, code, i, kind, wrong = 0, found, r;

	for (n = 0; n <= MOST; n++)
		for (code = 0; code < 3 * 3 * 3 * 3 * 3; code++) {
			/* from the right, as far as it matters */
			found = 0;
			for (i = 0, r = code; i < n && found != 3; r /= 3, i++) {
				kind = r % 3;
				snprintf(text, sizeof(text), kind == 2 ? "%s" :
				    "%s%d", word[kind], i + 1);
				snprintf(one[i], sizeof(one[i]), "%s%s", prefix,
				    text);
				if (found == 2)
					continue;
				if (kind != 2) {
					strlcpy(want, text, sizeof(want));
					found = 1;
				}
				if (kind != 1)
					found = found == 0 ? 3 : 2;
			}
			list[0] = '\0';
			head.nfields = 0;
			while (i-- > 0) {
				snprintf(list + strlen(list), sizeof(list) -
				    strlen(list), "%s,", one[i]);
				head.field[head.nfields++] = (struct http_field)
				    { slice_of(name), slice_of(one[i]) };
			}
			if (!split) {
				head.nfields = 1;
				head.field[0] = (struct http_field)
				    { slice_of(name), slice_of(list) };
			}
			r = forwarded_from(&head, name, trusts_tens, NULL, &ip,
			    &port);
			if (r != (found == 1 || found == 2) || (r == 1 &&
			    strcmp(ip_print(text, &ip, port), want) != 0)) {
				wrong++;
				printf("# %s: %d\n", list, r);
			}
		}
	is(wrong, 0, name);
}

static void
test_forwarded_lists(void)
{
	int split;

	for (split = 0; split < 2; split++) {
		forwarded_lists("X-Forwarded-For", "", split);
		forwarded_lists("Forwarded", "for=", split);
	}
}

static uint64_t
source_of(const char *text)
{
	struct ip ip;

	return ip_parse(&ip, slice_of(text)) == 0 ? ip_source(&ip) : 0;
}

static int
is_loopback(const char *text)
{
	struct ip ip;

	return ip_parse(&ip, slice_of(text)) == 0 && ip_is_loopback(&ip);
}

static void
test_source(void)
{
	ok(is_loopback("127.0.0.1") && is_loopback("127.255.0.9") &&
	    is_loopback("::1") && is_loopback("::ffff:127.0.0.1"), "loopback");
	ok(!is_loopback("128.0.0.1") && !is_loopback("::2") &&
	    !is_loopback("1::1"), "what is not");
	ok(source_of("192.0.2.1") == source_of("::ffff:192.0.2.1"),
	    "an IPv4 address in both forms");
	ok(source_of("192.0.2.1") != source_of("192.0.2.2"), "not another");
	ok(source_of("2001:db8::1") == source_of("2001:db8::ffff:2"),
	    "one /64 is one source");
	ok(source_of("2001:db8::1") != source_of("2001:db8:0:1::1"),
	    "another is not");
	ok(source_of("::1") != 0, "no source is 0");
}

int
main(void)
{
	test_ip();
	test_cidr();
	test_proxyline();
	test_origin();
	test_forwarded_lists();
	test_credentials();
	test_forwarded();
	test_source();
	return done_testing();
}
