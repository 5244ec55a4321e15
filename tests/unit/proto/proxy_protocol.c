/* SPDX-License-Identifier: ISC */
/*
 * The edges of the PROXY protocol: longest, shortest, and what may stand there
 * without meaning an address (specification 2.1, 2.2).
 *
 * If it fails: a client passes for another address, or is refused behind a
 * proxy.
 */
#include <string.h>

#include "proto/proxy_protocol.h"
#include "tap.h"

static char err[256];

/* The answer to a header, and for each part of it that more is needed. */
static ssize_t
parse(struct proxy_protocol *p, const void *bytes, size_t len)
{
	ssize_t whole = proxy_protocol_parse(p, bytes, len, err, sizeof(err)),
	    part;
	struct proxy_protocol q;
	size_t n;

	for (n = 0; whole > 0 && n < (size_t)whole; n++) {
		part = proxy_protocol_parse(&q, bytes, n, err, sizeof(err));
		if (part != 0)
			return -2;
	}
	return whole;
}

static void
test_v1(void)
{
	static const struct {
		const char *line;	/* without CR LF */
		int good, known;
		unsigned int from, to;
	} lines[] = {
		{ "PROXY TCP4 192.0.2.1 192.0.2.2 0 65535", 1, 1, 0, 65535 },
		{ "PROXY TCP4 192.0.2.1 192.0.2.2 65535 0", 1, 1, 65535, 0 },
		{ "PROXY TCP4 192.0.2.1 192.0.2.2 65536 1", 0, 0, 0, 0 },
		{ "PROXY TCP4 192.0.2.1 192.0.2.2 1 65536", 0, 0, 0, 0 },
		{ "PROXY TCP4 192.0.2.1 192.0.2.2 1", 0, 0, 0, 0 },
		{ "PROXY TCP4 192.0.2.1 192.0.2.2 1 ", 0, 0, 0, 0 },
		{ "PROXY TCP4 192.0.2.1 192.0.2.2  1", 0, 0, 0, 0 },
		{ "PROXY TCP4 192.0.2.1 192.0.2.2 +1 1", 0, 0, 0, 0 },
		{ "PROXY TCP4 192.0.2.1 192.0.2.2 -1 1", 0, 0, 0, 0 },
		{ "PROXY TCP4 192.0.2.1 192.0.2.2 1x 1", 0, 0, 0, 0 },
		{ "PROXY TCP4 192.0.2.1 192.0.2.2 0x1 1", 0, 0, 0, 0 },
		{ "PROXY TCP4 192.0.2.1 192.0.2.2 1 1 1", 0, 0, 0, 0 },
		{ "PROXY TCP4 192.0.2.1 192.0.2.2", 0, 0, 0, 0 },
		{ "PROXY TCP4 192.0.2.1", 0, 0, 0, 0 },
		{ "PROXY TCP4 ::1 192.0.2.2 1 1", 0, 0, 0, 0 },
		{ "PROXY TCP4 192.0.2.1 ::1 1 1", 0, 0, 0, 0 },
		{ "PROXY TCP6 ::1 192.0.2.2 1 1", 0, 0, 0, 0 },
		{ "PROXY TCP6 ::1 [::2] 1 1", 0, 0, 0, 0 },
		{ "PROXY TCP6 fe80::1%eth0 ::2 1 1", 0, 0, 0, 0 },
		{ "PROXY TCP6 ::1 2001:db8::2 1 2", 1, 1, 1, 2 },
		{ "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535",
		  1, 1, 65535, 65535 },
		{ "PROXY UNKNOWN", 1, 0, 0, 0 },
		{ "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535",
		  1, 0, 0, 0 },
		{ "PROXY UNKNOWN  what ever it  is", 1, 0, 0, 0 },
		{ "PROXY unknown", 0, 0, 0, 0 },
		{ "PROXY UDP4 192.0.2.1 192.0.2.2 1 1", 0, 0, 0, 0 },
		{ "PROXY ", 0, 0, 0, 0 },
	};
	char text[128];
	struct proxy_protocol p;
	static const char nul[] = "PROXY TCP4 192.0.2.1\0 192.0.2.2 1 1\r\n";
	size_t i, len;
	ssize_t n;

	is(proxy_protocol_parse(&p, nul, sizeof(nul) - 1, err, sizeof(err)), -1,
	    "a NUL");
	is(parse(&p, "PROXY UNKNOWN\n", 14), -1, "LF without CR");
	is(parse(&p, "PROXY UNKNOWN\r x\r\n", 18), -1, "a CR inside");
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		len = snprintf(text, sizeof(text), "%s\r\nGET", lines[i].line);
		n = parse(&p, text, len);
		if (!lines[i].good) {
			ok(n == -1 && err[0] != '\0', "refused: %s",
			    lines[i].line);
			continue;
		}
		ok(n == (ssize_t)len - 3 && p.known == lines[i].known &&
		    (!p.known || (p.from_port == lines[i].from &&
		    p.to_port == lines[i].to)), "%s", lines[i].line);
	}
}

/* 107 bytes with CR LF and not one more. */
static void
test_v1_longest(void)
{
	char text[256];
	struct proxy_protocol p;

	memset(text, 'x', sizeof(text));
	memcpy(text, "PROXY UNKNOWN ", 14);
	memcpy(text + 105, "\r\n", 2);
	is(parse(&p, text, sizeof(text)), 107, "a line of 107 bytes");
	memset(text + 105, 'x', 2);
	is(proxy_protocol_parse(&p, text, 106, err, sizeof(err)), 0,
	    "106 bytes may still end");
	is(proxy_protocol_parse(&p, text, 107, err, sizeof(err)), -1,
	    "107 without an end do not");
	memcpy(text + 106, "\r\n", 2);
	is(parse(&p, text, sizeof(text)), -1, "a line of 108 bytes");
}

static size_t
v2(unsigned char *b, int command, int family, size_t size)
{
	size_t i;

	memcpy(b, "\r\n\r\n\0\r\nQUIT\n", 12);
	b[12] = command;
	b[13] = family;
	b[14] = size >> 8;
	b[15] = size;
	for (i = 0; i < size; i++)
		b[16 + i] = i + 1;
	return 16 + size;
}

static void
test_v2(void)
{
	static const struct {
		const char *name;
		int command, family;
		size_t size;
		int good, known;
	} heads[] = {
		{ "LOCAL", 0x20, 0x00, 0, 1, 0 },
		{ "LOCAL with addresses", 0x20, 0x11, 12, 1, 0 },
		{ "LOCAL of IPv6, too short", 0x20, 0x21, 3, 1, 0 },
		{ "LOCAL of an unknown family", 0x20, 0xff, 5, 1, 0 },
		{ "IPv4", 0x21, 0x11, 12, 1, 1 },
		{ "IPv4, a byte less", 0x21, 0x11, 11, 0, 0 },
		{ "IPv4 and extensions", 0x21, 0x11, 40, 1, 1 },
		{ "IPv6", 0x21, 0x21, 36, 1, 1 },
		{ "IPv6, a byte less", 0x21, 0x21, 35, 0, 0 },
		{ "IPv6 and extensions", 0x21, 0x21, 200, 1, 1 },
		{ "no family", 0x21, 0x00, 0, 1, 0 },
		{ "no family, with bytes", 0x21, 0x00, 20, 1, 0 },
		{ "IPv4 datagrams", 0x21, 0x12, 12, 1, 0 },
		{ "a Unix socket", 0x21, 0x31, 216, 1, 0 },
		{ "a family beyond", 0x21, 0x41, 12, 0, 0 },
		{ "a protocol beyond", 0x21, 0x13, 12, 0, 0 },
		{ "a command beyond", 0x22, 0x11, 12, 0, 0 },
		{ "version 1", 0x11, 0x11, 12, 0, 0 },
		{ "version 3", 0x31, 0x11, 12, 0, 0 },
		{ "the longest", 0x21, 0x21, PROXY_PROTOCOL_MAX - 16, 1, 1 },
		{ "a byte more", 0x21, 0x21, PROXY_PROTOCOL_MAX - 15, 0, 0 },
	};
	static unsigned char b[PROXY_PROTOCOL_MAX + 64];
	struct proxy_protocol p;
	size_t i, len;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		len = v2(b, heads[i].command, heads[i].family, heads[i].size);
		if (heads[i].good)
			ok(parse(&p, b, len + 10) == (ssize_t)len &&
			    p.known == heads[i].known, "version 2: %s",
			    heads[i].name);
		else
			is(parse(&p, b, len), -1, heads[i].name);
	}
	v2(b, 0x21, 0x11, 0);
	b[14] = b[15] = 0xff;
	is(proxy_protocol_parse(&p, (char *)b, 16, err, sizeof(err)), -1,
	    "65,535 bytes are not waited for");
}

/* Both ends of an IPv4 connection, each byte at its place. */
static void
test_v2_addresses(void)
{
	unsigned char b[64];
	char from[IP_TEXT_MAX], to[IP_TEXT_MAX];
	struct proxy_protocol p;
	size_t len = v2(b, 0x21, 0x11, 12);

	is(parse(&p, b, len), len, "IPv4");
	is_str(ip_print(from, &p.from, p.from_port), "1.2.3.4:2314", "from");
	is_str(ip_print(to, &p.to, p.to_port), "5.6.7.8:2828", "to");
	len = v2(b, 0x21, 0x21, 36);
	is(parse(&p, b, len), len, "IPv6");
	is_str(ip_print(from, &p.from, p.from_port),
	    "[102:304:506:708:90a:b0c:d0e:f10]:8482", "from");
	is_str(ip_print(to, &p.to, p.to_port),
	    "[1112:1314:1516:1718:191a:1b1c:1d1e:1f20]:8996", "to");
}

/* One family for both, and room for exactly as much as there is. */
static void
test_write(void)
{
	static const char *const ends[][3] = {
		{ "192.0.2.1", "192.0.2.2",
		  "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" },
		{ "192.0.2.1", "2001:db8::2",
		  "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1 2\r\n" },
		{ "2001:db8::1", "192.0.2.2",
		  "PROXY TCP6 2001:db8::1 ::ffff:192.0.2.2 1 2\r\n" },
		{ "2001:db8::1", "2001:db8::2",
		  "PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n" }
	};
	static const int lengths[] = { 28, 52, 52, 52 };
	struct proxy_protocol p = { .known = 1, .from_port = 1, .to_port = 2 },
	    q;
	char out[256];
	size_t i;
	int len;

	for (i = 0; i < 4; i++) {
		ip_parse(&p.from, slice_of(ends[i][0]));
		ip_parse(&p.to, slice_of(ends[i][1]));
		len = (int)strlen(ends[i][2]);
		is(proxy_protocol_write(out, (size_t)len + 1, 1, &p), len,
		    ends[i][2]);
		ok(memcmp(out, ends[i][2], (size_t)len) == 0, "so it reads");
		is(proxy_protocol_write(out, (size_t)len, 1, &p), -1,
		    "no room for its NUL");
		len = lengths[i];
		is(proxy_protocol_write(out, (size_t)len, 2, &p), len,
		    "version 2, in as much room as it needs");
		is(parse(&q, out, (size_t)len), len, "read again");
		ok(memcmp(&p.from, &q.from, sizeof(p.from)) == 0 &&
		    memcmp(&p.to, &q.to, sizeof(p.to)) == 0 &&
		    q.from_port == 1 && q.to_port == 2, "it is the same");
		is(proxy_protocol_write(out, (size_t)len - 1, 2, &p), -1,
		    "no room");
	}
	p.known = 0;
	is(proxy_protocol_write(out, 16, 2, &p), 16, "an unknown peer");
	ok(memcmp(out + 12, "\x20\0\0\0", 4) == 0,
	    "is a local connection without addresses");
}

int
main(void)
{
	test_v1();
	test_v1_longest();
	test_v2();
	test_v2_addresses();
	test_write();
	return done_testing();
}
