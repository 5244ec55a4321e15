/* SPDX-License-Identifier: ISC */
/*
 * Writing the opening handshake (RFC 6455 section 4), and showing it.
 */
#include <string.h>
#include <strings.h>

#include "base/out.h"
#include "proto/date.h"
#include "proto/header.h"
#include "ws/upgrade.h"

static void
put_extension(struct out *out, const struct extension *ext)
{
	char element[256];

	if (ext == NULL)
		return;
	extension_write(element, sizeof element, ext);
	out_add(out, "Sec-WebSocket-Extensions: %s\r\n", element);
	if (ext->instance[0] != '\0')
		out_add(out, "Inetws-Instance: %s\r\n", ext->instance);
}

/* The part of a field line before its colon; no colon: no name. */
static struct slice
name_of(struct slice line)
{
	const char *colon = slice_find(line, ':');

	line.len = colon == NULL ? 0 : (size_t)(colon - line.p);
	return line;
}

static int
is_one_of(struct slice name, const char *const *list)
{
	for (; *list != NULL; list++)
		if (slice_is_nocase(name, *list))
			return 1;
	return 0;
}

int
upgrade_write_answer(char *dst, size_t size,
    const struct upgrade_request *r, const struct extension *answer)
{
	struct out out;
	char accept[UPGRADE_ACCEPT_LEN + 1];

	out_begin(&out, dst, size);
	upgrade_accept(accept, r->key);
	out_add(&out, "HTTP/1.1 101 Switching Protocols\r\n"
	    "Upgrade: websocket\r\n"
	    "Connection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: %s\r\n", accept);
	if (r->subprotocol.p != NULL)
		out_add(&out, "Sec-WebSocket-Protocol: %.*s\r\n",
		    (int)r->subprotocol.len, r->subprotocol.p);
	put_extension(&out, answer);
	out_add(&out, "\r\n");
	return out_length(&out);
}

int
upgrade_write_refusal(char *dst, size_t size, int status, int64_t now,
    const char *extra, const char *text)
{
	struct out out;
	char date[DATE_MAX];
	size_t i, body;

	out_begin(&out, dst, size);
	out_add(&out, "HTTP/1.1 %d %s\r\n"
	    "Content-Type: text/plain\r\n"
	    "Content-Length: %zu\r\n"
	    "Connection: %s\r\n", status, http_reason(status),
	    strlen(text) + 1, status == 426 ? "close, Upgrade" : "close");
	if (now != 0)
		out_add(&out, "Date: %s\r\n", date_write(date, now));
	if (status == 426)
		out_add(&out, "Upgrade: websocket\r\n"
		    "Sec-WebSocket-Version: 13\r\n");
	if (status == 405 && strstr(extra, "Allow:") == NULL)
		out_add(&out, "Allow: GET\r\n");
	if (status == 503 && strstr(extra, "Retry-After:") == NULL)
		out_add(&out, "Retry-After: %d\r\n", HTTP_RETRY_AFTER);
	out_add(&out, "%s\r\n", extra);
	body = out.len;
	out_add(&out, "%s\n", text);
	for (i = body; i + 1 < out.len; i++)
		if (str_is_control(dst[i]))
			dst[i] = '?';
	return out_length(&out);
}

/* No blanks, controls, fragments or bytes beyond ASCII (RFC 9112 3.2). */
static int
path_is_clean(const char *path)
{
	if (*path != '/')
		return 0;
	for (; *path != '\0'; path++)
		if (*path < 0x21 || *path > 0x7e || *path == '#')
			return 0;
	return 1;
}

int
upgrade_write_request(char *dst, size_t size, const struct url *url,
    const struct upgrade_offer *o)
{
	struct out out;
	char host[ADDR_TEXT_MAX], basic[HEADER_BASIC_MAX];

	if (!path_is_clean(url->path))
		return -1;
	out_begin(&out, dst, size);
	out_add(&out, "GET %s HTTP/1.1\r\n"
	    "Host: %s\r\n", url->path, url_host(host, sizeof host, url));
	if (o->is_none)
		out_add(&out, "Connection: close\r\n");
	else
		out_add(&out, "Upgrade: websocket\r\n"
		    "Connection: Upgrade\r\n"
		    "Sec-WebSocket-Key: %s\r\n"
		    "Sec-WebSocket-Version: 13\r\n", o->key);
	if (o->subprotocol != NULL && !o->is_none)
		out_add(&out, "Sec-WebSocket-Protocol: %s\r\n", o->subprotocol);
	put_extension(&out, o->offer);
	out_add(&out, "User-Agent: %s\r\n", o->user_agent != NULL ?
	    o->user_agent : "inetws/" INETWS_VERSION);
	if (o->origin != NULL && !header_has(o->extra, "Origin"))
		out_add(&out, "Origin: %s\r\n", o->origin);
	if (o->user != NULL && o->user[0] != '\0' &&
	    !header_has(o->extra, "Authorization")) {
		out_add(&out, "%s", header_basic(basic, "Authorization",
		    o->user));
		explicit_bzero(basic, sizeof basic);
	}
	out_add(&out, "%s\r\n", o->extra);
	return out_length(&out);
}

/* The value of a parameter "resume", however it is spelt. */
static size_t
session_at(struct slice line)
{
	size_t i, k;

	for (i = 0; i + 6 < line.len; i++) {
		if (strncasecmp(line.p + i, "resume", 6) != 0)
			continue;
		for (k = i + 6; k < line.len && strchr(" \t", line.p[k]); k++)
			;
		if (k < line.len && line.p[k] == '=')
			return k + 1;
	}
	return line.len;
}

/*
 * Where in a line a secret begins: a query, userinfo (which may hold a '?'), a
 * session's id; the line's length if it holds none.
 */
static size_t
secret_at(struct slice line)
{
	static const char *const secret[] = {
		"Authorization", "Proxy-Authorization", "Cookie",
		"Set-Cookie", NULL
	};
	struct slice name = name_of(line);
	const char *p;

	if (is_one_of(name, secret))
		return name.len + 1;
	if (slice_is_nocase(name, "Sec-WebSocket-Extensions"))
		return session_at(line);
	if (slice_is_nocase(name, "Location") &&
	    slice_find(line, '@') != NULL) {
		p = memmem(line.p, line.len, "//", 2);
		return p != NULL ? (size_t)(p + 2 - line.p) : name.len + 1;
	}
	if (slice_is_nocase(name, "Location") || (line.len > 4 &&
	    memcmp(line.p, "GET ", 4) == 0)) {
		p = slice_find(line, '?');
		return p != NULL ? (size_t)(p + 1 - line.p) : line.len;
	}
	return line.len;
}

char *
upgrade_show_line(char *dst, size_t size, struct slice line)
{
	size_t n = secret_at(line);

	str_escape(dst, n < line.len ? size - 3 : size, line.p, n);
	if (n < line.len)
		strlcat(dst, "...", size);
	return dst;
}
