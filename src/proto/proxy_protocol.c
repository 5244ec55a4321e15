/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "proto/proxy_protocol.h"

#define V1_MAX	107	/* bytes of a line with CR LF (specification 2.1) */
#define V2_HEAD	16	/* bytes before the addresses (specification 2.2) */

static const char v2_magic[12] = "\r\n\r\n\0\r\nQUIT\n";

static int
fail(char *err, size_t errlen, const char *what)
{
	snprintf(err, errlen, "PROXY header: %s", what);
	return -1;
}

/* Takes the next word off a line whose words are separated by one blank. */
static struct slice
word(struct slice *line)
{
	const char *blank = slice_find(*line, ' ');
	struct slice w = *line;

	if (blank == NULL) {
		line->p += line->len;
		line->len = 0;
		return w;
	}
	w.len = (size_t)(blank - line->p);
	line->len -= w.len + 1;
	line->p = blank + 1;
	return w;
}

static int
port_of(uint16_t *port, struct slice w)
{
	uint64_t n;

	if (slice_number(w, 0, 65535, &n) == -1)
		return -1;
	*port = (uint16_t)n;
	return 0;
}

/* Parses an address of this family, without brackets and zone.  0 or -1. */
static int
address_of(struct ip *ip, struct slice w, int v6)
{
	if (w.len == 0 || slice_find(w, '%') != NULL || w.p[0] == '[' ||
	    (slice_find(w, ':') != NULL) != v6)
		return -1;
	return ip_parse(ip, w);
}

/* Parses a line of version 1, without its CR LF (specification 2.1). */
static int
parse_line(struct proxy_protocol *p, struct slice line, char *err,
    size_t errlen)
{
	struct slice family;
	int v6;

	word(&line);			/* "PROXY" */
	family = word(&line);
	if (slice_is(family, "UNKNOWN"))
		return 0;
	v6 = slice_is(family, "TCP6");
	if (!v6 && !slice_is(family, "TCP4"))
		return fail(err, errlen, "neither TCP4, TCP6 nor UNKNOWN");
	if (address_of(&p->from, word(&line), v6) == -1 ||
	    address_of(&p->to, word(&line), v6) == -1)
		return fail(err, errlen, "malformed address");
	if (port_of(&p->from_port, word(&line)) == -1 ||
	    port_of(&p->to_port, word(&line)) == -1)
		return fail(err, errlen, "malformed port");
	if (line.len > 0)
		return fail(err, errlen, "more than four words of address");
	p->known = 1;
	return 0;
}

static ssize_t
parse_v1(struct proxy_protocol *p, const char *buf, size_t len, char *err,
    size_t errlen)
{
	size_t seen = len < V1_MAX ? len : V1_MAX;
	const char *end = memchr(buf, '\n', seen);

	if (end == NULL)
		return seen < V1_MAX ? 0 :
		    fail(err, errlen, "a line without end");
	if (end[-1] != '\r' ||
	    memchr(buf, '\0', (size_t)(end - buf)) != NULL ||
	    memchr(buf, '\r', (size_t)(end - buf - 1)) != NULL)
		return fail(err, errlen, "a line that does not end in CR LF");
	if (parse_line(p, slice_between(buf, end - 1), err,
	    errlen) == -1)
		return -1;
	return end + 1 - buf;
}

/* Two bytes in network byte order. */
static uint16_t
get16(const unsigned char *b)
{
	return b[0] << 8 | b[1];
}

/* Sets an address that is all 0 to an IPv4 one. */
static void
set_ipv4(struct ip *ip, const unsigned char *b)
{
	ip->b[10] = ip->b[11] = 0xff;
	memcpy(ip->b + 12, b, 4);
}

/* Parses version 2, which is binary (specification 2.2); skips extensions. */
static ssize_t
parse_v2(struct proxy_protocol *p, const char *buf, size_t len, char *err,
    size_t errlen)
{
	const unsigned char *b = (const unsigned char *)buf;
	size_t size;

	if (b[12] >> 4 != 2 || (b[12] & 15) > 1)
		return fail(err, errlen, "neither version 2 nor a command");
	size = get16(b + 14);
	if (size > PROXY_PROTOCOL_MAX - V2_HEAD)
		return fail(err, errlen, "too long");
	if (len < V2_HEAD + size)
		return 0;
	if ((b[12] & 15) == 0)		/* LOCAL: the proxy itself connects */
		return (ssize_t)(V2_HEAD + size);
	if (b[13] == 0x11) {		/* TCP over IPv4 */
		if (size < 12)
			return fail(err, errlen, "too short for IPv4");
		set_ipv4(&p->from, b + 16);
		set_ipv4(&p->to, b + 20);
		p->from_port = get16(b + 24);
		p->to_port = get16(b + 26);
		p->known = 1;
	} else if (b[13] == 0x21) {	/* TCP over IPv6 */
		if (size < 36)
			return fail(err, errlen, "too short for IPv6");
		memcpy(p->from.b, b + 16, 16);
		memcpy(p->to.b, b + 32, 16);
		p->from_port = get16(b + 48);
		p->to_port = get16(b + 50);
		p->known = 1;
	} else if (b[13] >> 4 > 3 || (b[13] & 15) > 2)
		return fail(err, errlen, "an unknown family");
	return (ssize_t)(V2_HEAD + size);
}

static int
begins(const char *buf, size_t len, const char *with, size_t with_len)
{
	return memcmp(buf, with, len < with_len ? len : with_len) == 0;
}

ssize_t
proxy_protocol_parse(struct proxy_protocol *p, const char *buf, size_t len,
    char *err, size_t errlen)
{
	memset(p, 0, sizeof(*p));
	if (len == 0)
		return 0;
	if (begins(buf, len, "PROXY ", 6))
		return len < 6 ? 0 : parse_v1(p, buf, len, err, errlen);
	if (begins(buf, len, v2_magic, sizeof(v2_magic)))
		return len < V2_HEAD ? 0 : parse_v2(p, buf, len, err, errlen);
	return fail(err, errlen, "the connection begins with something else");
}

static int
write_v2(char *dst, size_t size, const struct proxy_protocol *p)
{
	unsigned char *b = (unsigned char *)dst;
	int v4 = p->known && ip_is_v4(&p->from) && ip_is_v4(&p->to);
	size_t n = p->known ? v4 ? 12 : 36 : 0, half = v4 ? 4 : 16;

	if (size < V2_HEAD + n)
		return -1;
	memcpy(b, v2_magic, sizeof(v2_magic));
	b[12] = p->known ? 0x21 : 0x20;
	b[13] = p->known ? v4 ? 0x11 : 0x21 : 0;
	b[14] = 0;
	b[15] = (unsigned char)n;
	if (n == 0)
		return V2_HEAD;
	b += V2_HEAD;
	memcpy(b, p->from.b + 16 - half, half);
	memcpy(b + half, p->to.b + 16 - half, half);
	b += 2 * half;
	b[0] = (unsigned char)(p->from_port >> 8);
	b[1] = (unsigned char)p->from_port;
	b[2] = (unsigned char)(p->to_port >> 8);
	b[3] = (unsigned char)p->to_port;
	return (int)(V2_HEAD + n);
}

/* In a line of family TCP6 an IPv4 address is written as a mapped one. */
static void
print_six(char dst[IP_TEXT_MAX], const struct ip *ip)
{
	char four_text[IP_TEXT_MAX];

	if (ip_is_v4(ip))
		snprintf(dst, IP_TEXT_MAX, "::ffff:%s",
		    ip_print(four_text, ip, 0));
	else
		ip_print(dst, ip, 0);
}

int
proxy_protocol_write(char *dst, size_t size, int version,
    const struct proxy_protocol *p)
{
	char from[IP_TEXT_MAX], to[IP_TEXT_MAX];
	int n, v4 = ip_is_v4(&p->from) && ip_is_v4(&p->to);

	if (version == 2)
		return write_v2(dst, size, p);
	if (!p->known)
		n = snprintf(dst, size, "PROXY UNKNOWN\r\n");
	else {
		if (v4) {
			ip_print(from, &p->from, 0);
			ip_print(to, &p->to, 0);
		} else {
			print_six(from, &p->from);
			print_six(to, &p->to);
		}
		n = snprintf(dst, size, "PROXY TCP%c %s %s %u %u\r\n",
		    v4 ? '4' : '6', from, to, p->from_port, p->to_port);
	}
	return (size_t)n < size ? n : -1;
}
