/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "proto/cookie.h"
#include "proto/date.h"

/* The parts of a field Set-Cookie. */
struct set_cookie {
	struct slice name, value;
	struct slice domain, path;	/* of the attributes; len 0: none */
	struct slice max_age, expires;
	int secure;
};

/* The host of a URL in lower case; for a Unix socket its path. */
static void
host_of(char dst[ADDR_HOST_MAX + 1], const struct url *u)
{
	size_t i;

	if (u->at.kind == ADDR_UNIX)
		snprintf(dst, ADDR_HOST_MAX + 1, "unix:%s", u->at.path);
	else
		strlcpy(dst, u->at.host, ADDR_HOST_MAX + 1);
	for (i = 0; u->at.kind != ADDR_UNIX && dst[i] != '\0'; i++)
		if (dst[i] >= 'A' && dst[i] <= 'Z')
			dst[i] |= 32;
}

/* Takes off what comes before a character, and that character; or all. */
static struct slice
cut(struct slice *rest, char at)
{
	const char *end = slice_find(*rest, at);
	struct slice first = *rest;

	if (end != NULL)
		first.len = (size_t)(end - rest->p);
	rest->p += first.len + (end != NULL);
	rest->len -= first.len + (end != NULL);
	return first;
}

/* RFC 6265 5.2: of attributes with the same name the last one counts. */
static void
attribute(struct set_cookie *c, struct slice name, struct slice value)
{
	if (slice_is_nocase(name, "Expires"))
		c->expires = value;
	else if (slice_is_nocase(name, "Max-Age"))
		c->max_age = value;
	else if (slice_is_nocase(name, "Domain")) {
		if (value.len > 0 && value.p[0] == '.') {
			value.p++;
			value.len--;
		}
		c->domain = value;
	} else if (slice_is_nocase(name, "Path"))
		c->path = value;
	else if (slice_is_nocase(name, "Secure"))
		c->secure = 1;
}

/* Parses Set-Cookie (RFC 6265 5.2).  0, or -1 if it has no cookie. */
static int
parse(struct set_cookie *c, struct slice field)
{
	struct slice pair, name;

	memset(c, 0, sizeof(*c));
	if (!slice_is_field_value(field))
		return -1;
	pair = cut(&field, ';');
	if (slice_find(pair, '=') == NULL)
		return -1;
	c->name = slice_trim(cut(&pair, '='));
	c->value = slice_trim(pair);
	while (field.len > 0) {
		pair = cut(&field, ';');
		name = slice_trim(cut(&pair, '='));
		attribute(c, name, slice_trim(pair));
	}
	return c->name.len > 0 ? 0 : -1;
}

/* The path of a request, without its query. */
static struct slice
path_of(const struct url *u)
{
	return (struct slice){ u->path, strcspn(u->path, "?") };
}

/* RFC 6265 5.1.4: up to the last slash; a URL's path begins with one. */
static struct slice
default_path(const struct url *u)
{
	struct slice path = path_of(u);

	while (path.len > 1 && path.p[path.len - 1] != '/')
		path.len--;
	if (path.len > 1)
		path.len--;
	return path;
}

static const char *
path(const struct cookie *c)
{
	return c->text + c->pair_len + 1;
}

/* RFC 6265 5.1.4. */
static int
path_matches(const struct cookie *c, struct slice asked)
{
	size_t len = strlen(path(c));

	return asked.len >= len && memcmp(asked.p, path(c), len) == 0 &&
	    (asked.len == len || path(c)[len - 1] == '/' ||
	    asked.p[len] == '/');
}

/* Reads Max-Age (RFC 6265 5.2.2).  0, or -1 if it is malformed: ignored. */
static int
read_max_age(struct slice s, int64_t now, int64_t *expires)
{
	uint64_t n;
	size_t i = s.len > 0 && s.p[0] == '-';

	if (i == s.len)
		return -1;
	for (; i < s.len; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
	if (s.p[0] == '-')
		*expires = now;
	else if (slice_digits(s, UINT32_MAX, &n) != s.len)
		*expires = COOKIE_SESSION;	/* more than a century */
	else
		*expires = now + (int64_t)n;
	return 0;
}

/*
 * When it expires, by our clock; theirs is the time of the peer's clock, now
 * that of ours.  Max-Age has precedence over Expires (RFC 6265 5.3, 3).
 */
static int64_t
expiry(const struct set_cookie *c, int64_t theirs, int64_t now)
{
	int64_t at;

	if (read_max_age(c->max_age, now, &at) == 0)
		return at;
	if (c->expires.len > 0 && date_parse(c->expires, &at) == 0)
		return at - theirs + now;
	return COOKIE_SESSION;
}

static int
is_same(const struct cookie *c, const char *host, struct slice name)
{
	return c->name_len == name.len &&
	    memcmp(c->text, name.p, name.len) == 0 && strcmp(c->host, host) == 0;
}

/*
 * The entry for a cookie: the one with the same name, host and path; else a
 * free one; else the oldest.
 */
static struct cookie *
place(struct cookies *jar, const char *host, struct slice name,
    struct slice where, int64_t now)
{
	struct cookie *c, *free = NULL, *oldest = jar->of;

	for (c = jar->of; c < jar->of + COOKIES_MAX; c++) {
		if (is_same(c, host, name) && slice_is(where, path(c)))
			return c;
		if (c->name_len == 0 || c->expires <= now)
			free = c;
		if (c->order < oldest->order)
			oldest = c;
	}
	return free != NULL ? free : oldest;
}

/*
 * An answer without TLS must not replace a cookie that is sent over TLS only.
 */
static int
is_protected(const struct cookies *jar, const char *host, struct slice name,
    int tls)
{
	const struct cookie *c;

	for (c = jar->of; !tls && c < jar->of + COOKIES_MAX; c++)
		if (c->secure && is_same(c, host, name))
			return 1;
	return 0;
}

static void
keep(struct cookies *jar, struct cookie *c, const char *host,
    const struct set_cookie *from, struct slice where, int64_t expires)
{
	/* A cookie that is replaced keeps its order (RFC 6265 5.3, 11.3). */
	if (!(is_same(c, host, from->name) && slice_is(where, path(c))))
		c->order = ++jar->order;
	strlcpy(c->host, host, sizeof(c->host));
	c->name_len = from->name.len;
	c->pair_len = from->name.len + 1 + from->value.len;
	memcpy(c->text, from->name.p, from->name.len);
	c->text[c->name_len] = '=';
	memcpy(c->text + c->name_len + 1, from->value.p, from->value.len);
	c->text[c->pair_len] = '\0';
	memcpy(c->text + c->pair_len + 1, where.p, where.len);
	c->text[c->pair_len + 1 + where.len] = '\0';
	c->secure = from->secure;
	c->expires = expires;
}

static void
take(struct cookies *jar, struct slice field, const struct url *u,
    int64_t theirs, int64_t now)
{
	struct set_cookie from;
	struct slice where;
	struct cookie *c;
	char host[ADDR_HOST_MAX + 1];
	int64_t expires;

	if (parse(&from, field) == -1)
		return;
	host_of(host, u);
	where = from.path.len > 0 && from.path.p[0] == '/' ? from.path :
	    default_path(u);
	if ((from.domain.len > 0 && !slice_is_nocase(from.domain, host)) ||
	    (from.secure && !u->tls) ||
	    is_protected(jar, host, from.name, u->tls) ||
	    from.name.len + 1 + from.value.len + where.len > COOKIE_MAX)
		return;
	expires = expiry(&from, theirs, now);
	c = place(jar, host, from.name, where, now);
	if (expires > now)
		keep(jar, c, host, &from, where, expires);
	else if (is_same(c, host, from.name) && slice_is(where, path(c)))
		c->name_len = 0;
}

void
cookies_take(struct cookies *jar, const struct http_head *head,
    const struct url *u, int64_t now)
{
	struct http_list all = HTTP_LIST("Set-Cookie");
	struct slice date, field;
	int64_t theirs;

	if (http_field(head, "Date", &date) != 1 ||
	    date_parse(date, &theirs) == -1)
		theirs = now;
	while (http_next_field(head, &all, &field))
		take(jar, field, u, theirs, now);
}

/*
 * Does a come before b?  Longer paths, then earlier cookies (RFC 6265 5.4, 2).
 */
static int
is_before(const struct cookie *a, const struct cookie *b)
{
	size_t an = strlen(path(a)), bn = strlen(path(b));

	return an != bn ? an > bn : a->order < b->order;
}

/* Lists the cookies for this request in their order; returns how many. */
static unsigned int
choose(const struct cookie *list[COOKIES_MAX], const struct cookies *jar,
    const struct url *u, int64_t now)
{
	char host[ADDR_HOST_MAX + 1];
	const struct cookie *c;
	unsigned int i, n = 0;

	host_of(host, u);
	for (c = jar->of; c < jar->of + COOKIES_MAX; c++) {
		if (c->name_len == 0 || c->expires <= now ||
		    (c->secure && !u->tls) || strcmp(c->host, host) != 0 ||
		    !path_matches(c, path_of(u)))
			continue;
		for (i = n++; i > 0 && is_before(c, list[i - 1]); i--)
			list[i] = list[i - 1];
		list[i] = c;
	}
	return n;
}

size_t
cookies_write(char *dst, size_t size, const struct cookies *jar,
    const struct url *u, int64_t now)
{
	const struct cookie *list[COOKIES_MAX] = { NULL };
	unsigned int i, n = choose(list, jar, u, now);
	size_t len = 0;

	dst[0] = '\0';
	for (i = 0; i < n; i++) {
		if (len + 2 + list[i]->pair_len >= size)
			continue;
		if (len > 0) {
			memcpy(dst + len, "; ", 2);
			len += 2;
		}
		memcpy(dst + len, list[i]->text, list[i]->pair_len + 1);
		len += list[i]->pair_len;
	}
	return len;
}
