/* SPDX-License-Identifier: ISC */
/*
 * Input: the heads of answers, one behind the other, as they come to requests
 * for two URLs in turn.  Asserted: cookies stay within their limits and their
 * host, and what is sent is a field's value; Retry-After is the same for an
 * answer that comes again.
 */
#include "proto/cookie.h"
#include "fuzz.h"

#define NOW	1000000000

static struct cookies jar;

static void
look(const struct url *u, const struct cookie *c)
{
	static char sent[COOKIES_SENT_MAX + 1];
	size_t n, small, i;

	CHECK(c->name_len == 0 || (c->name_len < c->pair_len &&
	    strlen(c->text) == c->pair_len && c->text[c->name_len] == '=' &&
	    c->text[c->pair_len + 1] == '/' && c->pair_len +
	    strlen(c->text + c->pair_len + 1) <= COOKIE_MAX));
	n = cookies_write(sent, sizeof(sent), &jar, u, NOW + 1);
	CHECK(n == strlen(sent) && n < sizeof(sent));
	for (i = 0; i < n; i++)
		CHECK(((unsigned char)sent[i] >= ' ' || sent[i] == '\t') &&
		    sent[i] != 0x7f && (sent[i] != ';' || sent[i + 1] == ' '));
	small = cookies_write(sent, 16, &jar, u, NOW + 1);
	CHECK(small == strlen(sent) && small < 16 && small <= n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	static struct http_head head;
	static const char *const urls[] = { "wss://a.example/x/y?z",
	    "ws://b.example/" };
	struct http_parser_state st;
	struct url u;
	char err[200];
	uint32_t wait;
	ssize_t n;
	int status, i;

	memset(&jar, 0, sizeof(jar));
	for (i = 0; size > 0; i ^= 1) {
		CHECK(url_parse(&u, urls[i], err, sizeof(err)) == 0);
		http_begin(&st, 1);
		n = http_parse(&st, (const char *)in, size, &head, &status,
		    err, sizeof(err));
		if (n <= 0)
			return 0;
		wait = http_retry_after(&head, NOW);
		CHECK(wait == http_retry_after(&head, NOW));
		cookies_take(&jar, &head, &u, NOW);
		look(&u, &jar.of[jar.order % COOKIES_MAX]);
		in += n;
		size -= n;
	}
	return 0;
}
