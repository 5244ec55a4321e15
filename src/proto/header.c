/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "proto/header.h"
#include "proto/http.h"

#define WEBSOCKET	"Sec-WebSocket-"

/* The name of the field on a line; empty if the line has no colon. */
static struct slice
name_of(const char *line)
{
	size_t len = strcspn(line, ":\r\n");

	return (struct slice){ line, line[len] == ':' ? len : 0 };
}

/* Why a field may not be set, or NULL if it may. */
static const char *
reserved(struct slice name, enum header_for receiver)
{
	static const struct { const char *name, *why; } t[] = {
		{ "Host", "it is taken from the URL" },
		{ "Connection", "it belongs to the handshake" },
		{ "Upgrade", "it belongs to the handshake" },
		{ "Transfer-Encoding", "the request has no body" },
		{ "Content-Length", "the request has no body" },
		{ "TE", "it is hop-by-hop" },
		{ "Trailer", "it is hop-by-hop" },
		{ "Keep-Alive", "it is hop-by-hop" },
		{ "Proxy-Connection", "it is hop-by-hop" },
		{ "User-Agent", "use --user-agent" },
		{ "Sec-WebSocket-Protocol", "use --subprotocol" }
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (slice_is_nocase(name, t[i].name))
			return t[i].why;
	if (receiver == HEADER_SERVER &&
	    slice_is_nocase(name, "Proxy-Authorization"))
		return "the server would see it; use --proxy-user or "
		    "--proxy-header";
	if (name.len >= strlen(WEBSOCKET)) {
		name.len = strlen(WEBSOCKET);
		if (slice_is_nocase(name, WEBSOCKET))
			return "it belongs to the handshake";
	}
	return NULL;
}

int
header_check(const char *field, enum header_for receiver, char *err,
    size_t errlen)
{
	struct slice name = { field, strcspn(field, ":") };
	int len = name.len < 64 ? (int)name.len : 64;
	const char *why;

	if (field[name.len] != ':' || !http_is_token(name)) {
		snprintf(err, errlen, "expected 'Name: value'%s",
		    field[name.len] == ':' ? " with a name without blanks" :
		    ", there is no colon");
		return -1;
	}
	why = reserved(name, receiver);
	if (why != NULL) {
		snprintf(err, errlen, "%.*s must not be set: %s", len, field,
		    why);
		return -1;
	}
	if (slice_is_field_value(slice_of(field + name.len)))
		return 0;
	snprintf(err, errlen, "%.*s holds a line break or another control "
	    "character", len, field);
	return -1;
}

int
header_add(char *lines, size_t size, const char *field,
    enum header_for receiver, char *err, size_t errlen)
{
	size_t before = strlen(lines), len = strcspn(field, ":");
	const char *value;
	int n;

	if (header_check(field, receiver, err, errlen) == -1)
		return -1;
	value = field + len + 1;
	value += strspn(value, " \t");
	n = snprintf(lines + before, size - before, "%.*s: %s\r\n", (int)len,
	    field, value);
	if ((size_t)n < size - before)
		return 0;
	lines[before] = '\0';
	snprintf(err, errlen, "the fields have more than %zu bytes", size - 1);
	return -1;
}

int
header_has(const char *lines, const char *name)
{
	for (; *lines != '\0'; lines += strcspn(lines, "\n"),
	    lines += *lines == '\n')
		if (slice_is_nocase(name_of(lines), name))
			return 1;
	return 0;
}

int
header_is_private(const char *field)
{
	static const char *const names[] = {
		"Authorization", "Proxy-Authorization", "Cookie"
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_is_nocase(name_of(field), names[i]))
			return 1;
	return 0;
}

char *
header_basic(char dst[HEADER_BASIC_MAX], const char *name, const char *user)
{
	char plain[URL_USER_MAX + 2], encoded[BASE64_LEN(URL_USER_MAX + 1) + 1];

	snprintf(plain, sizeof(plain), "%s%s", user,
	    strchr(user, ':') == NULL ? ":" : "");
	snprintf(dst, HEADER_BASIC_MAX, "%s: Basic %s\r\n", name,
	    base64_encode(encoded, plain, strlen(plain)));
	explicit_bzero(plain, sizeof(plain));
	return dst;
}
