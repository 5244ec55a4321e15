/* SPDX-License-Identifier: ISC */
/*
 * Input: one byte (which parser), then a text: an address or network, fields
 * of a request, an Origin and a Host, credentials or a file of them.  Asserted:
 * what is read can be written and read again; what a program gets of a request
 * are words that it may get.
 */
#include "proto/cgi.h"
#include "proto/credentials.h"
#include "proto/forwarded.h"
#include "proto/http.h"
#include "proto/ip.h"
#include "proto/origin.h"
#include "fuzz.h"

static int
trusts(const void *arg, const struct ip *ip)
{
	return ip->b[15] & 1;
}

static void
address(struct slice s)
{
	char text[IP_TEXT_MAX];
	struct ip ip, again;
	struct cidr c;
	uint16_t port, port2;

	if (ip_parse_port(&ip, &port, s) == 0) {
		ip_print(text, &ip, port);
		CHECK(ip_parse_port(&again, &port2, slice_of(text)) == 0);
		CHECK(port == port2 && memcmp(&ip, &again, sizeof ip) == 0);
	}
	if (cidr_parse(&c, s) == 0)
		CHECK(c.bits <= 128 && cidr_has(&c, &c.ip));
}

/* The environment of a program that decides on a request, or is its target. */
static void
program(const struct http_head *head)
{
	static struct cgi cgi;
	struct slice host, target;
	unsigned int i, j;
	size_t len;

	cgi_begin(&cgi);
	cgi_peer(&cgi, "[2001:db8::1]:443");
	cgi_request(&cgi, head);
	CHECK(cgi.n >= 6 && cgi.n <= CGI_VARS_MAX && cgi.len <= CGI_BYTES);
	for (i = 0; i < cgi.n; i++) {
		CHECK(cgi.var[i] >= cgi.bytes &&
		    cgi.var[i] + strlen(cgi.var[i]) < cgi.bytes + cgi.len);
		len = strcspn(cgi.var[i], "=");
		CHECK(cgi.var[i][len] == '=' && len == strspn(cgi.var[i],
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"));
		CHECK(cgi_is_reserved(cgi.var[i]));
		CHECK(strncmp(cgi.var[i], "HTTP_AUTHORIZATION=", 19) != 0);
		for (j = 0; j < i; j++)
			CHECK(strncmp(cgi.var[i], cgi.var[j], len + 1) != 0);
	}
	if (http_target(head->target, &host, &target) == 0)
		CHECK(target.len > 0 && target.p[0] == '/');
}

static void
fields(struct slice s)
{
	static const char *const name[] = { "X-Forwarded-For", "X-Real-IP",
	    "Forwarded" };
	static struct http_head head;
	struct http_parser_state st;
	char err[200], field[FORWARDED_FIELD_MAX];
	struct ip ip, again;
	uint16_t port, port2;
	int status;
	size_t i;

	http_begin(&st, 0);
	if (http_parse(&st, s.p, s.len, &head, &status, err,
	    sizeof err) <= 0)
		return;
	program(&head);
	for (i = 0; i < 3; i++) {
		if (forwarded_from(&head, name[i], trusts, NULL, &ip,
		    &port) != 1)
			continue;
		forwarded_write(field, &ip, port);
		head.nfields = 1;
		head.field[0].name = slice_of("Forwarded");
		head.field[0].value = slice_of(strchr(field, ' ') + 1);
		CHECK(forwarded_from(&head, "Forwarded", trusts, NULL, &again,
		    &port2));
		CHECK(port == port2 && memcmp(&ip, &again, sizeof ip) == 0);
		return;
	}
}

static void
origin(struct slice s)
{
	const char *nl = s.len == 0 ? NULL : memchr(s.p, '\n', s.len);
	struct slice left = s, right;
	char word[256];

	if (nl == NULL)
		return;
	left.len = nl - s.p;
	right = (struct slice){ nl + 1, s.len - left.len - 1 };
	if (origin_is_of(left, right)) {
		CHECK(memmem(left.p, left.len, "://", 3) != NULL);
		CHECK(memchr(left.p, '@', left.len) == NULL);
	}
	if (slice_copy(word, sizeof word, right) == 0 &&
	    strcmp(word, "*") != 0 && origin_is_allowed(left, word))
		CHECK(origin_is_allowed(left, "*"));
	if (slice_copy(word, sizeof word, right) == 0)
		origin_is_word(word);
}

static void
credentials(struct slice s)
{
	static struct credentials c;
	struct credentials_line l;
	struct lines lines;
	unsigned int before = 0;

	if (credentials_parse(&c, s) == 0)
		CHECK(strlen(c.user) < s.len && strlen(c.secret) < s.len);
	lines_begin(&lines, s);
	while (credentials_next(&lines, &l) != 0) {
		CHECK(lines.number > before);
		before = lines.number;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	struct slice s = { (const char *)in + 1, size - 1 };

	if (size == 0)
		return 0;
	switch (in[0] & 3) {
	case 0:
		address(s);
		break;
	case 1:
		fields(s);
		break;
	case 2:
		origin(s);
		break;
	default:
		credentials(s);
	}
	return 0;
}
