/* SPDX-License-Identifier: ISC */
/* The functions url_*() of addr.h: RFC 3986 as far as a websocket needs it. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "proto/addr.h"

/* Its first n bytes. */
static struct slice
slice_head(struct slice s, size_t n)
{
	s.len = n;
	return s;
}

/* How many bytes come before the first one that is in stop. */
static size_t
span_to(struct slice s, const char *stop)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.p[i] != '\0' && strchr(stop, s.p[i]) != NULL)
			break;
	return i;
}

/* Length of "scheme:" (RFC 3986 3.1) with its colon, 0 if there is none. */
static size_t
scheme_length(struct slice s)
{
	size_t i;
	char c;

	for (i = 0; i < s.len; i++) {
		c = s.p[i];
		if (str_is_alpha(c))
			continue;
		if (i > 0 && c == ':')
			return i + 1;
		if (i == 0 || !(str_is_digit(c) || c == '+' || c == '-' ||
		    c == '.'))
			return 0;
	}
	return 0;
}

/* The value of a hexadecimal digit, or -1. */
static int
hex(char c)
{
	if (str_is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/*
 * Decodes userinfo.  RFC 7617 2 forbids control characters, and a colon in the
 * user name: so an encoded colon is refused before the one that ends the name.
 */
static int
decode_user(struct url *u, struct slice s, char *err, size_t errlen)
{
	size_t i, n = 0;
	int c, colon = 0, encoded;

	for (i = 0; i < s.len; i++) {
		c = (unsigned char)s.p[i];
		encoded = c == '%';
		if (encoded) {
			if (i + 2 >= s.len || hex(s.p[i + 1]) == -1 ||
			    hex(s.p[i + 2]) == -1)
				goto bad;
			c = hex(s.p[i + 1]) << 4 | hex(s.p[i + 2]);
			i += 2;
		}
		if (str_is_control((char)c) || (c == ':' && encoded && !colon) ||
		    n == sizeof(u->user) - 1)
			goto bad;
		colon |= c == ':';
		u->user[n++] = (char)c;
	}
	u->user[n] = '\0';
	return 0;
bad:
	u->user[0] = '\0';
	snprintf(err, errlen, "the user and password in the URL are "
	    "malformed or too long");
	return -1;
}

/*
 * Path and query, as they will stand in the request line: what would break
 * the line, or is no ASCII, must come percent-encoded.
 */
static int
parse_path(struct url *u, struct slice s, char *err, size_t errlen)
{
	size_t i, slash = s.len == 0 || s.p[0] != '/';
	unsigned int byte;

	for (i = 0; i < s.len; i++) {
		byte = (unsigned char)s.p[i];
		if (byte <= ' ' || byte >= 0x7f) {
			snprintf(err, errlen, "the URL holds the byte 0x%02x, "
			    "which is written %%%02X there", byte, byte);
			return -1;
		}
	}
	if (span_to(s, "#") != s.len) {
		snprintf(err, errlen, "the URL has a fragment, which is never "
		    "sent: leave it out, or write # as %%23");
		return -1;
	}
	if (s.len + slash > URL_PATH_MAX) {
		snprintf(err, errlen, "the URL's path is longer than %d bytes",
		    URL_PATH_MAX);
		return -1;
	}
	u->path[0] = '/';
	memcpy(u->path + slash, s.p, s.len);
	u->path[s.len + slash] = '\0';
	return 0;
}

/*
 * If the word has an '@' anywhere, it is not shown: what seems to be a path may
 * be the rest of a password with an unencoded '/'.
 */
int
url_no_host(struct slice s, const char *expected, struct slice word, char *err,
    size_t errlen)
{
	char what[100];
	size_t i = s.len;

	while (i > 0 && s.p[i - 1] != '@')
		i--;
	if (i < s.len && (s.p[i] != ':' || memchr(s.p + i + 1, ':',
	    s.len - i - 1) != NULL))
		return 0;
	snprintf(what, sizeof(what), "has no host: expected %s", expected);
	return str_bad(err, errlen, what, span_to(word, "@") == word.len ?
	    slice_between(word.p, s.p + s.len) : slice_of("...@..."));
}

/*
 * Userinfo ends at the last '@': a password may have unencoded ones, and no
 * part of it may be taken for the host.
 */
int
url_authority(struct url *u, struct slice s, unsigned int port, char *err,
    size_t errlen)
{
	size_t i;

	u->user[0] = '\0';
	for (i = s.len; i > 0; i--) {
		if (s.p[i - 1] != '@')
			continue;
		if (decode_user(u, slice_head(s, i - 1), err, errlen) == -1)
			return -1;
		s = slice_skip(s, i);
		break;
	}
	return addr_of_url(&u->at, s, port, err, errlen);
}

/*
 * Parses everything behind "//".  If an '@' follows the first '/', that slash
 * may be an unencoded one of a password: then the message shows nothing of the
 * word.
 */
static int
parse_authority(struct url *u, struct slice s, struct slice word, char *err,
    size_t errlen)
{
	size_t end = span_to(s, "/?#");

	if (url_no_host(slice_head(s, end), u->tls ? "wss://HOST[:PORT]/PATH" :
	    "ws://HOST[:PORT]/PATH", word, err, errlen) == -1 ||
	    url_authority(u, slice_head(s, end), u->tls ? 443 : 80, err,
	    errlen) == -1) {
		if (end + span_to(slice_skip(s, end), "@") < s.len)
			snprintf(err, errlen, "the URL's host is malformed; "
			    "in a password, / ? and # are written %%2F %%3F "
			    "and %%23");
		return -1;
	}
	return parse_path(u, slice_skip(s, end), err, errlen);
}

/* Parses what follows "ws+unix:": /SOCKET[:/PATH]. */
static int
parse_unix(struct url *u, struct slice s, char *err, size_t errlen)
{
	char word[sizeof("unix:") + ADDR_PATH_MAX];
	size_t colon = span_to(s, ":");
	struct slice path = slice_skip(s, colon);

	if (colon == 0 || s.p[0] != '/') {
		snprintf(err, errlen, "a ws+unix: URL reads "
		    "ws+unix:/PATH/OF/SOCKET:/PATH");
		return -1;
	}
	if (colon > ADDR_PATH_MAX)
		return str_bad(err, errlen, "is longer than a Unix socket's "
		    "name may be (107)", slice_head(s, colon));
	snprintf(word, sizeof(word), "unix:%.*s", (int)colon, s.p);
	if (addr_target(&u->at, word, err, errlen) == -1)
		return -1;
	if (path.len > 0)
		path = slice_skip(path, 1);
	return parse_path(u, path, err, errlen);
}

static int
parse(struct url *u, struct slice s, char *err, size_t errlen)
{
	size_t n = scheme_length(s);
	struct slice scheme = slice_head(s, n), rest = slice_skip(s, n);

	memset(u, 0, sizeof(*u));
	if (slice_is_nocase(scheme, "ws+unix:"))
		return parse_unix(u, rest, err, errlen);
	u->tls = slice_is_nocase(scheme, "wss:") ||
	    slice_is_nocase(scheme, "https:");
	if ((!u->tls && !slice_is_nocase(scheme, "ws:") &&
	    !slice_is_nocase(scheme, "http:")) ||
	    rest.len < 2 || memcmp(rest.p, "//", 2) != 0) {
		/* "user:password@host" looks as if it had a scheme. */
		if (span_to(s, "@") != s.len)
			s = slice_of("...@...");
		return str_bad(err, errlen, "is no websocket URL: expected "
		    "ws://, wss://, http://, https:// or ws+unix:/", s);
	}
	return parse_authority(u, slice_skip(rest, 2), s, err, errlen);
}

int
url_parse(struct url *u, const char *word, char *err, size_t errlen)
{
	return parse(u, slice_of(word), err, errlen);
}

/*
 * Removes the segments "." and ".." of a path in place (RFC 3986 5.2.4); a
 * query behind it stays.  The path begins with '/', and still does so
 * afterwards.
 */
static void
remove_dots(char *path)
{
	size_t len = strcspn(path, "?"), in = 0, out = 0, n;
	char *tail = path + len;

	while (in < len) {
		n = 1;
		while (in + n < len && path[in + n] != '/')
			n++;
		if (n == 2 && path[in + 1] == '.') {
			if (in + n == len)
				path[out++] = '/';
		} else if (n == 3 && memcmp(path + in, "/..", 3) == 0) {
			while (out > 0 && path[--out] != '/')
				;
			if (in + n == len)
				path[out++] = '/';
		} else {
			memmove(path + out, path + in, n);
			out += n;
		}
		in += n;
	}
	memmove(path + out, tail, strlen(tail) + 1);
}

/*
 * Resolves a reference without an authority against the path of u (RFC 3986
 * 5.2.2, 5.2.3).
 */
static int
join_path(struct url *u, struct slice ref, char *err, size_t errlen)
{
	char joined[URL_PATH_MAX + 1];
	size_t keep;

	if (ref.len == 0)
		return 0;
	keep = strcspn(u->path, "?");
	if (ref.p[0] == '/')
		keep = 0;
	else if (ref.p[0] != '?')
		while (u->path[keep - 1] != '/')
			keep--;
	if (keep + ref.len > URL_PATH_MAX) {
		snprintf(err, errlen, "the URL's path is longer than %d bytes",
		    URL_PATH_MAX);
		return -1;
	}
	memcpy(joined, u->path, keep);
	memcpy(joined + keep, ref.p, ref.len);
	return parse_path(u, (struct slice){ joined, keep + ref.len }, err,
	    errlen);
}

/*
 * A Location may have a fragment (RFC 9110 10.2.2), which is ignored.  It must
 * not name a Unix socket, or a server could choose which local service is
 * dialled.
 */
int
url_join(struct url *result, const struct url *base, const char *text,
    char *err, size_t errlen)
{
	struct slice ref = slice_of(text);
	int status;

	ref.len = span_to(ref, "#");
	if (slice_is_nocase(slice_head(ref, scheme_length(ref)), "ws+unix:")) {
		snprintf(err, errlen, "a redirect may not name a Unix socket");
		return -1;
	}
	if (scheme_length(ref) > 0)
		status = parse(result, ref, err, errlen);
	else if (ref.len >= 2 && memcmp(ref.p, "//", 2) == 0) {
		memset(result, 0, sizeof(*result));
		result->tls = base->tls;
		status = parse_authority(result, slice_skip(ref, 2), ref, err,
		    errlen);
	} else {
		*result = *base;
		memset(result->user, 0, sizeof(result->user));
		status = join_path(result, ref, err, errlen);
	}
	if (status == 0)
		remove_dots(result->path);
	return status;
}

int
addr_same(const struct addr *a, const struct addr *b)
{
	if (a->kind != b->kind)
		return 0;
	if (a->kind == ADDR_UNIX)
		return strcmp(a->path, b->path) == 0;
	return a->port == b->port &&
	    slice_is_nocase(slice_of(a->host), b->host);
}

int
url_same_origin(const struct url *a, const struct url *b)
{
	return a->tls == b->tls && addr_same(&a->at, &b->at);
}

/*
 * Writes host[:port], with or without the scope of an IPv6 address, which has
 * no meaning on other hosts; its "%" becomes "%25" (RFC 6874 2).  A default
 * port is left out.
 */
static char *
print_host(char *dst, size_t size, const struct url *u, int scope)
{
	struct addr at = u->at;
	size_t len;
	char *mark;

	if (!scope)
		at.host[strcspn(at.host, "%")] = '\0';
	addr_print(dst, size, &at);
	len = strlen(dst);
	if ((mark = strchr(dst, '%')) != NULL && len + 2 < size) {
		memmove(mark + 3, mark + 1, (size_t)(dst + len - mark));
		memcpy(mark, "%25", 3);
		len += 2;
	}
	if (at.port == (u->tls ? 443 : 80) && len + 1 < size)
		dst[len - (u->tls ? strlen(":443") : strlen(":80"))] = '\0';
	return dst;
}

char *
url_host(char *dst, size_t size, const struct url *u)
{
	if (u->at.kind == ADDR_TCP)
		return print_host(dst, size, u, 0);
	snprintf(dst, size, "localhost");
	return dst;
}

char *
url_print(char *dst, size_t size, const struct url *u)
{
	char host[ADDR_TEXT_MAX];

	if (u->at.kind == ADDR_UNIX)
		snprintf(dst, size, "ws+unix:%s:%.*s", u->at.path,
		    (int)strcspn(u->path, "?"), u->path);
	else
		snprintf(dst, size, "%s://%s%.*s", u->tls ? "wss" : "ws",
		    print_host(host, sizeof(host), u, 1),
		    (int)strcspn(u->path, "?"), u->path);
	return dst;
}
