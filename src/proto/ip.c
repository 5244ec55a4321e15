/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>		/* inet_pton(3): text to bytes, no socket */

#include <stdio.h>
#include <string.h>

#include "proto/ip.h"

static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

int
ip_is_v4(const struct ip *ip)
{
	return memcmp(ip->b, mapped, sizeof(mapped)) == 0;
}

int
ip_is_loopback(const struct ip *ip)
{
	static const unsigned char one[16] = { [15] = 1 };

	return ip_is_v4(ip) ? ip->b[12] == 127 :
	    memcmp(ip->b, one, sizeof(ip->b)) == 0;
}

int
ip_parse(struct ip *ip, struct slice text)
{
	char word[64], *zone;

	if (text.len > 1 && text.p[0] == '[' && text.p[text.len - 1] == ']') {
		text.p++;
		text.len -= 2;
		if (slice_find(text, ':') == NULL)
			return -1;
	}
	if (text.p == NULL || slice_copy(word, sizeof(word), text) == -1)
		return -1;
	if (inet_pton(AF_INET, word, ip->b + 12) == 1) {
		memcpy(ip->b, mapped, sizeof(mapped));
		return 0;
	}
	if ((zone = strchr(word, '%')) != NULL)
		*zone = '\0';
	return inet_pton(AF_INET6, word, ip->b) == 1 ? 0 : -1;
}

/* A decimal number 0..max, without a sign or leading zeros; -1: it is none. */
static int
number(struct slice text, unsigned int max)
{
	uint64_t n;

	return slice_number(text, 0, max, &n) == 0 ? (int)n : -1;
}

int
ip_parse_port(struct ip *ip, uint16_t *port, struct slice text)
{
	const char *colon = text.len == 0 ? NULL :
	    memrchr(text.p, ':', text.len);
	struct slice tail;
	int n;

	*port = 0;
	if (ip_parse(ip, text) == 0)
		return 0;
	if (colon == NULL || colon == text.p)
		return -1;
	tail = slice_between(colon + 1, text.p + text.len);
	text.len = (size_t)(colon - text.p);
	/* An IPv6 address without brackets cannot have a port. */
	if ((text.p[0] != '[' && slice_find(text, ':') != NULL) ||
	    (n = number(tail, 65535)) == -1)
		return -1;
	*port = (uint16_t)n;
	return ip_parse(ip, text);
}

char *
ip_print(char dst[IP_TEXT_MAX], const struct ip *ip, uint16_t port)
{
	char word[INET6_ADDRSTRLEN];
	int v4 = ip_is_v4(ip);

	if (v4)
		inet_ntop(AF_INET, ip->b + 12, word, sizeof(word));
	else
		inet_ntop(AF_INET6, ip->b, word, sizeof(word));
	if (port == 0)
		snprintf(dst, IP_TEXT_MAX, "%s", word);
	else
		snprintf(dst, IP_TEXT_MAX, v4 ? "%s:%u" : "[%s]:%u", word,
		    port);
	return dst;
}

/* The number of an IPv4 address is that of a /64 in 0::/8, which is unused. */
uint64_t
ip_source(const struct ip *ip)
{
	uint64_t n = 0;
	int i, from = ip_is_v4(ip) ? 8 : 0;

	for (i = 0; i < 8; i++)
		n = n << 8 | ip->b[from + i];
	return n == 0 ? 1 : n;
}

int
cidr_parse(struct cidr *c, struct slice text)
{
	const char *slash = slice_find(text, '/');
	struct slice bits = { NULL, 0 };
	int n, v4;

	if (slash != NULL) {
		bits = slice_between(slash + 1, text.p + text.len);
		text.len = (size_t)(slash - text.p);
	}
	if (ip_parse(&c->ip, text) == -1)
		return -1;
	v4 = ip_is_v4(&c->ip) && slice_find(text, ':') == NULL;
	c->bits = 128;
	if (slash == NULL)
		return 0;
	if ((n = number(bits, v4 ? 32 : 128)) == -1)
		return -1;
	c->bits = (unsigned int)(v4 ? n + 96 : n);
	return 0;
}

int
cidr_has(const struct cidr *c, const struct ip *ip)
{
	unsigned int whole = c->bits / 8, rest = c->bits % 8;
	unsigned char mask = 0xff << (8 - rest);

	if (memcmp(c->ip.b, ip->b, whole) != 0)
		return 0;
	return rest == 0 || ((c->ip.b[whole] ^ ip->b[whole]) & mask) == 0;
}
