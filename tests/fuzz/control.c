/* SPDX-License-Identifier: ISC */
/*
 * Input: a control line.  Asserted: it is read as a reader written from
 * inetws-protocol(7) reads it, and written again is the same line.
 */
#include <arpa/inet.h>

#include <ctype.h>

#include "ws/control.h"
#include "fuzz.h"

/* Does a number, without sign or leading zeros, below 2^63, stand here? */
static int
is_number(const char *s, size_t len, uint64_t *n)
{
	__extension__ unsigned __int128 v = 0;
	size_t i;

	if (len == 0 || (len > 1 && s[0] == '0') || len > 30)
		return 0;
	for (i = 0; i < len; i++) {
		if (!isdigit((unsigned char)s[i]))
			return 0;
		v = v * 10 + (s[i] - '0');
	}
	*n = v;
	return v < (uint64_t)1 << 63;
}

static int
is_text(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((unsigned char)s[i] < 32 || (unsigned char)s[i] > 126)
			return 0;
	return len > 0;
}

static int
begins(const char *s, size_t len, const char *word)
{
	return len >= strlen(word) && memcmp(s, word, strlen(word)) == 0;
}

static int
same(const char *s, size_t len, const char *word)
{
	return len == strlen(word) && begins(s, len, word);
}

/* "ip:port", "[v6]:port" or "-". */
static int
is_addr(const char *s, size_t len)
{
	char host[CONTROL_ADDR_MAX], bin[16];
	const char *colon = memrchr(s, ':', len);
	uint64_t port;
	size_t n;
	int v6;

	if (len == 1 && s[0] == '-')
		return 1;
	if (colon == NULL || len >= sizeof(host) || !is_text(s, len))
		return 0;
	v6 = s[0] == '[';
	n = colon - s;
	if (v6 && (n < 2 || s[n - 1] != ']'))
		return 0;
	snprintf(host, sizeof(host), "%.*s", (int)n - 2 * v6, s + v6);
	return inet_pton(v6 ? AF_INET6 : AF_INET, host, bin) == 1 &&
	    strlen(host) == n - 2 * v6 &&
	    is_number(colon + 1, len - n - 1, &port) && port <= 65535;
}

/* One number, or two: progress and credit. */
static int
is_ack(const char *s, size_t len, uint64_t *n, uint64_t *credit)
{
	const char *blank = memchr(s, ' ', len);
	size_t first = blank == NULL ? len : (size_t)(blank - s);

	*credit = 0;
	return is_number(s, first, n) && (blank == NULL ||
	    is_number(blank + 1, len - first - 1, credit));
}

/* The kind of a line, or -1. */
static int
kind(const char *s, size_t len, uint64_t *n, uint64_t *credit)
{
	if (same(s, len, "ok"))
		return CONTROL_OK;
	if (same(s, len, "rst"))
		return CONTROL_RST;
	if (begins(s, len, "open ") && is_addr(s + 5, len - 5))
		return CONTROL_OPEN;
	if (begins(s, len, "fail ") && is_text(s + 5, len - 5))
		return CONTROL_FAIL;
	if (begins(s, len, "eof ") && is_number(s + 4, len - 4, n))
		return CONTROL_EOF;
	if (begins(s, len, "ack ") && is_ack(s + 4, len - 4, n, credit))
		return CONTROL_ACK;
	return -1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	struct control c;
	uint64_t n = 0, credit = 0;
	char out[64], *line = malloc(size > 0 ? size : 1);
	int want;
	size_t len;

	memcpy(line, in, size);
	want = kind(line, size, &n, &credit);
	CHECK(control_parse(&c, line, size) == (want == -1 ? -1 : 0));
	if (want != -1) {
		CHECK((int)c.kind == want && c.number == n &&
		    c.credit == credit);
		if (want == CONTROL_OPEN || want == CONTROL_FAIL)
			CHECK(c.text.p == line + 5 && c.text.len == size - 5);
		else {
			len = c.numbers == 2 ? control_write_ack(out,
			    c.number, c.credit) :
			    control_write(out, c.kind, c.number);
			CHECK(len == size && memcmp(out, line, len) == 0);
		}
	}
	free(line);
	return 0;
}
