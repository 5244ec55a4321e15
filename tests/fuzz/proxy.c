/* SPDX-License-Identifier: ISC */
/*
 * Input: one byte (which parser), then a text: a --proxy, a list of hosts and
 * a host, a proxy's answer, a --resolve or --connect-to, a header.
 */
#include "proto/forward_proxy.h"
#include "proto/http.h"
#include "proto/header.h"
#include "proto/http.h"
#include "proto/overrides.h"
#include "fuzz.h"

static char err[200];

/* No bytes but those of one line. */
static void
one_line(const char *s)
{
	for (; *s != '\0'; s++)
		CHECK((unsigned char)*s >= ' ' && *s != 0x7f);
}

/* What it asks for must be one good head, whatever was in the word. */
static void
asks(const struct proxy *p)
{
	char out[8192], show[100];
	int n = proxy_write_connect(out, sizeof out, &p->at, p->user, "me",
	    "");
	const char *end;

	if (n == -1)
		return;
	CHECK((size_t)n == strlen(out));
	end = strstr(out, "\r\n\r\n");
	CHECK(end != NULL && end + 4 == out + n);
	CHECK(strncmp(out, "CONNECT ", 8) == 0);
	CHECK(strspn(out + 8, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRS"
	    "TUVWXYZ0123456789.:-_[]") == strcspn(out + 8, " "));
	CHECK(header_has(out, "Host"));
	CHECK(header_has(out, "Proxy-Authorization") == (p->user[0] != '\0'));
	proxy_print(show, sizeof show, p);
	one_line(show);
}

static void
word(const char *s)
{
	char again[ADDR_HOST_MAX + 64];
	struct proxy p, q;

	if (proxy_parse(&p, s, err, sizeof err) == -1) {
		one_line(err);
		return;
	}
	if (p.kind == PROXY_NONE)
		return;
	CHECK(p.at.kind == ADDR_TCP && p.at.port != 0 && p.at.host[0] != 0);
	one_line(p.user);
	proxy_print(again, sizeof again, &p);
	CHECK(strchr(again, '@') == NULL);
	CHECK(proxy_parse(&q, again, err, sizeof err) == 0);
	CHECK(q.kind == p.kind && q.tls == p.tls && q.names == p.names &&
	    strcmp(q.at.host, p.at.host) == 0 && q.at.port == p.at.port);
	asks(&p);
}

/* A host is in any list that has it as a word of its own. */
static void
exception(char *s)
{
	char *host = strchr(s, '\n'), list[4096];
	struct addr at = { .kind = ADDR_TCP, .port = 443 };

	if (host == NULL)
		return;
	*host++ = '\0';
	if (strlen(host) >= sizeof at.host)
		return;
	strlcpy(at.host, host, sizeof at.host);
	if (proxy_is_excepted(s, &at))
		CHECK(s[0] != '\0');
	if (host[0] == '\0' || strpbrk(host, ", \t*:") != NULL ||
	    host[0] == '.')
		return;
	snprintf(list, sizeof list, "%s, %s", s, host);
	if (strlen(s) + strlen(host) + 3 < sizeof list)
		CHECK(proxy_is_excepted(list, &at) ||
		    strchr(host, '%') != NULL);
}

static void
answer(const char *s, size_t len)
{
	static struct http_head head;
	struct http_parser_state st;
	char schemes[64];
	int status;

	http_begin(&st, 1);
	if (http_parse(&st, s, len, &head, &status, err, sizeof err) <= 0)
		return;
	if (http_offers(&head, "Proxy-Authenticate", "Basic", schemes,
	    sizeof schemes))
		CHECK(schemes[0] != '\0');
	one_line(schemes);
}

static void
override(const char *s)
{
	struct override d;
	struct addr at, before;

	CHECK(addr_target(&at, "h.example:443", err, sizeof err) == 0);
	if (override_resolve(&d, s, err, sizeof err) == 0)
		CHECK(d.addresses[0] != '\0' && d.port != 0);
	else
		one_line(err);
	if (override_connect(&d, s, err, sizeof err) == -1) {
		one_line(err);
		return;
	}
	before = at;
	override_apply(&d, &at);
	CHECK(at.port != 0 && at.host[0] != '\0');
	one_line(at.host);
	if (d.to.len == 0)
		CHECK(strcmp(at.host, before.host) == 0);
}

static void
field(const char *s)
{
	char lines[600] = "A: b\r\n";
	size_t before = strlen(lines), len;

	if (header_add(lines, sizeof lines, s, HEADER_SERVER, err,
	    sizeof err) == -1) {
		CHECK(strlen(lines) == before);
		one_line(err);
		return;
	}
	len = strlen(lines);
	CHECK(strcmp(lines + len - 2, "\r\n") == 0);
	CHECK(strcspn(lines + before, "\r\n") == len - before - 2);
	CHECK(!header_has(lines + before, "Host") &&
	    !header_has(lines + before, "sec-websocket-key") &&
	    !header_has(lines + before, "connection"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	char text[2048];

	if (size == 0 || size > sizeof text)
		return 0;
	memcpy(text, in + 1, size - 1);
	text[size - 1] = '\0';
	switch (in[0] & 7) {
	case 0:
		word(text);
		break;
	case 1:
		exception(text);
		break;
	case 2:
		answer(text, size - 1);
		break;
	case 3:
		override(text);
		break;
	default:
		field(text);
	}
	return 0;
}
