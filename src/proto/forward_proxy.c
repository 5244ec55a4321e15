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
	{ "socks5", PROXY_SOCKS5, 0, 0, PROXY_PORT },
	{ "socks5h", PROXY_SOCKS5, 0, 1, PROXY_PORT },
	{ "socks4", PROXY_SOCKS4, 0, 0, PROXY_PORT },
	{ "socks4a", PROXY_SOCKS4, 0, 1, PROXY_PORT },
	/* The settings of desktops write this into all_proxy for SOCKS 5. */
	{ "socks", PROXY_SOCKS5, 0, 1, PROXY_PORT }
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

/* In "user:password@x://" the part before "://" must not be shown. */
static int
unknown_scheme(struct slice name, char *err, size_t errlen)
{
	char shown[SHOWN];

	if (slice_find(name, ':') != NULL ||
	    slice_find(name, '@') != NULL)
		name = slice_of("...");
	snprintf(err, errlen, "'%s://' is no kind of proxy: expected "
	    "[http://|https://|socks5h://|socks5://|socks4a://|socks4://]"
	    "HOST:PORT",
	    str_escape(shown, sizeof(shown), name.p, name.len));
	return -1;
}

int
proxy_parse(struct proxy *p, const char *word, char *err, size_t errlen)
{
	const char *slashes = strstr(word, "://");
	const struct scheme *s = &schemes[0];
	struct slice rest, given = slice_of(word);
	struct url u;

	memset(p, 0, sizeof(*p));
	if (word[0] == '\0')
		return 0;
	if (slashes != NULL) {
		rest = slice_between(word, slashes);
		if ((s = find_scheme(rest)) == NULL)
			return unknown_scheme(rest, err, errlen);
		word = slashes + 3;
	}
	rest = slice_of(word);
	if (rest.len > 0 && rest.p[rest.len - 1] == '/')
		rest.len--;
	if (slice_find(rest, '/') != NULL) {
		snprintf(err, errlen, "a proxy has no path (in a password, / "
		    "is written %%2F)");
		return -1;
	}
	u.tls = s->tls;
	if (url_no_host(rest, "[http://|https://|socks5h://|...]HOST:PORT",
	    given, err, errlen) == -1 ||
	    url_authority(&u, rest, s->port, err, errlen) == -1)
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
	char at[ADDR_TEXT_MAX];
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

/* A name without the final dot, which makes it absolute. */
static struct slice
no_final_dot(struct slice s)
{
	if (s.len > 1 && s.p[s.len - 1] == '.')
		s.len--;
	return s;
}

/* Is a name the one of the list's word, or below it? */
static int
is_below(struct slice name, struct slice word)
{
	if (word.p[0] == '.') {
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

/*
 * Takes ":PORT" off a word of the list: "name:80", "192.0.2.1:80", "[::1]:80".
 * The port, or 0 if there is none: an IPv6 address without brackets has no
 * port.
 */
static unsigned int
take_port(struct slice *word)
{
	const char *colon = memrchr(word->p, ':', word->len);
	size_t len;
	uint64_t port;

	if (colon == NULL || colon == word->p)
		return 0;
	len = (size_t)(colon - word->p);
	if (memchr(word->p, ':', len) != NULL && colon[-1] != ']')
		return 0;
	if (slice_number((struct slice){ colon + 1, word->len - len - 1 }, 1,
	    65535, &port) == -1)
		return 0;
	word->len = len;
	return (unsigned int)port;
}

/* Does a word of the list mean this host, whose address is ip, NULL: a name? */
static int
is_meant(struct slice word, struct slice name, const struct ip *ip)
{
	struct cidr net;

	if (slice_is(word, "*"))
		return 1;
	if (ip == NULL)
		return is_below(name, word);
	return cidr_parse(&net, no_final_dot(word)) == 0 && cidr_has(&net, ip);
}

int
proxy_is_excepted(const char *list, const struct addr *at)
{
	struct slice name = no_final_dot(slice_of(at->host)), word;
	struct ip ip;
	int is_address = ip_parse(&ip, name) == 0;
	unsigned int port;

	for (;;) {
		list += strspn(list, ", \t");
		if (*list == '\0')
			return 0;
		word = (struct slice){ list, strcspn(list, ", \t") };
		list += word.len;
		port = take_port(&word);
		if ((port == 0 || port == at->port) &&
		    is_meant(word, name, is_address ? &ip : NULL))
			return 1;
	}
}

/* HOST:PORT without a scope, which has no meaning elsewhere (RFC 6874 4). */
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
	char at[ADDR_TEXT_MAX], basic[HEADER_BASIC_MAX] = "";
	int n;

	print_authority(at, sizeof(at), to);
	if (user[0] != '\0' && !header_has(extra, "Proxy-Authorization"))
		header_basic(basic, "Proxy-Authorization", user);
	n = snprintf(dst, size, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n"
	    "User-Agent: %s\r\n%s%s\r\n", at, at, user_agent != NULL ?
	    user_agent : "inetws/" INETWS_VERSION, basic, extra);
	explicit_bzero(basic, sizeof(basic));
	return (size_t)n < size ? n : -1;
}
