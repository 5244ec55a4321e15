/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "proto/forward_proxy.h"
#include "proto/header.h"
#include "proto/ip.h"

#define SHOWN	64	/* of an offending word in a message */

static const struct scheme {
	const char *name;
	enum proxy_kind kind;
	int tls, names;
	unsigned int port;
} schemes[] = {
	{ "http", PROXY_HTTP, 0, 1, PROXY_PORT },
	{ "https", PROXY_HTTP, 1, 1, 443 },
	{ "socks5", PROXY_SOCKS, 0, 0, PROXY_PORT },
	{ "socks5h", PROXY_SOCKS, 0, 1, PROXY_PORT }
};

static const struct scheme *
find_scheme(struct slice name)
{
	size_t i;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (slice_is_nocase(name, schemes[i].name))
			return &schemes[i];
	return NULL;
}

/* "user:password@x://" is no scheme, and not to be shown. */
static int
unknown_scheme(struct slice name, char *err, size_t errlen)
{
	char shown[SHOWN];

	if (memchr(name.p, ':', name.len) != NULL ||
	    memchr(name.p, '@', name.len) != NULL)
		name = slice_of("...");
	snprintf(err, errlen, "'%s://' is no kind of proxy: expected "
	    "[http://|https://|socks5h://|socks5://]HOST:PORT",
	    str_escape(shown, sizeof(shown), name.p, name.len));
	return -1;
}

int
proxy_parse(struct proxy *p, const char *word, char *err, size_t errlen)
{
	const char *slashes = strstr(word, "://");
	const struct scheme *s = &schemes[0];
	struct slice rest;
	struct url u;

	memset(p, 0, sizeof(*p));
	if (word[0] == '\0')
		return 0;
	if (slashes != NULL) {
		rest = (struct slice){ word, slashes - word };
		if ((s = find_scheme(rest)) == NULL)
			return unknown_scheme(rest, err, errlen);
		word = slashes + 3;
	}
	rest = slice_of(word);
	if (rest.len > 0 && rest.p[rest.len - 1] == '/')
		rest.len--;
	if (memchr(rest.p, '/', rest.len) != NULL) {
		snprintf(err, errlen, "a proxy has no path (in a password, / "
		    "is written %%2F)");
		return -1;
	}
	u.tls = s->tls;
	if (url_authority(&u, rest, s->port, err, errlen) == -1)
		return -1;
	p->kind = s->kind;
	p->tls = s->tls;
	p->names = s->names;
	p->at = u.at;
	memcpy(p->user, u.user, sizeof(p->user));
	return 0;
}

char *
proxy_print(char *dst, size_t size, const struct proxy *p)
{
	char at[ADDR_HOST_MAX + 16];
	size_t i;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (schemes[i].kind == p->kind && schemes[i].tls == p->tls &&
		    schemes[i].names == p->names)
			break;
	if (i == sizeof(schemes) / sizeof(schemes[0]))
		snprintf(dst, size, "none");
	else
		snprintf(dst, size, "%s://%s", schemes[i].name,
		    addr_print(at, sizeof(at), &p->at));
	return dst;
}

/* Without the dot that makes a name absolute. */
static struct slice
no_final_dot(struct slice s)
{
	if (s.len > 1 && s.p[s.len - 1] == '.')
		s.len--;
	return s;
}

static int
is_below(struct slice name, struct slice word)
{
	if (word.len > 0 && word.p[0] == '.') {
		word.p++;
		word.len--;
	}
	word = no_final_dot(word);
	if (word.len == 0 || word.len > name.len ||
	    strncasecmp(name.p + name.len - word.len, word.p, word.len) != 0)
		return 0;
	return word.len == name.len ||
	    name.p[name.len - word.len - 1] == '.';
}

int
proxy_is_excepted(const char *list, const char *host)
{
	struct slice name = no_final_dot(slice_of(host)), word;
	struct cidr net;
	struct ip ip;
	int is_address = ip_parse(&ip, name) == 0;

	if (strcmp(list, "*") == 0)
		return 1;
	for (;;) {
		list += strspn(list, ", \t");
		if (*list == '\0')
			return 0;
		word = (struct slice){ list, strcspn(list, ", \t") };
		list += word.len;
		if (is_address ? cidr_parse(&net, no_final_dot(word)) == 0 &&
		    cidr_has(&net, &ip) : is_below(name, word))
			return 1;
	}
}

/* No scope, which means nothing elsewhere (RFC 6874 4). */
static void
print_authority(char *dst, size_t size, const struct addr *to)
{
	struct addr at = *to;

	if (strchr(at.host, ':') != NULL)
		at.host[strcspn(at.host, "%")] = '\0';
	addr_print(dst, size, &at);
}

int
proxy_write_connect(char *dst, size_t size, const struct addr *to,
    const char *user, const char *user_agent, const char *extra)
{
	char at[ADDR_HOST_MAX + 16], basic[HEADER_BASIC_MAX] = "";
	int n;

	print_authority(at, sizeof(at), to);
	if (user[0] != '\0' && !header_has(extra, "Proxy-Authorization"))
		header_basic(basic, "Proxy-Authorization", user);
	n = snprintf(dst, size, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n"
	    "User-Agent: %s\r\n%s%s\r\n", at, at, user_agent != NULL ?
	    user_agent : "inetws/" INETWS_VERSION, basic, extra);
	explicit_bzero(basic, sizeof(basic));
	return n < 0 || (size_t)n >= size ? -1 : n;
}

/*
 * The first word of an element is a scheme unless it is a parameter of the
 * scheme before it (RFC 9110 11.6.1).
 */
static struct slice
scheme_of(struct slice element)
{
	size_t i;

	for (i = 0; i < element.len; i++)
		if (element.p[i] == ' ' || element.p[i] == '\t')
			break;
		else if (element.p[i] == '=')
			return (struct slice){ NULL, 0 };
	element.len = i;
	return http_is_token(element) ? element : (struct slice){ NULL, 0 };
}

int
proxy_offers_basic(const struct http_head *head, char *dst, size_t size)
{
	struct slice list, element, scheme;
	unsigned int i;
	size_t len;
	int basic = 0;

	dst[0] = '\0';
	for (i = 0; i < head->nfields; i++) {
		if (!slice_is_nocase(head->field[i].name,
		    "Proxy-Authenticate"))
			continue;
		list = head->field[i].value;
		while (slice_next(&list, &element)) {
			scheme = scheme_of(element);
			if (scheme.p == NULL)
				continue;
			basic |= slice_is_nocase(scheme, "Basic");
			len = strlen(dst);
			snprintf(dst + len, size - len, "%s%.*s",
			    len == 0 ? "" : ", ", (int)scheme.len, scheme.p);
		}
	}
	return basic;
}
