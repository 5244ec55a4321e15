/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "proto/cgi.h"
#include "proto/ip.h"

void
cgi_begin(struct cgi *c)
{
	c->n = 0;
	c->len = 0;
}

static int
put(struct cgi *c, const char *p, size_t len)
{
	if (len > sizeof(c->bytes) - c->len)
		return -1;
	memcpy(c->bytes + c->len, p, len);
	c->len += len;
	return 0;
}

void
cgi_set(struct cgi *c, const char *name, struct slice value)
{
	size_t start = c->len;

	if (c->n == CGI_VARS_MAX || put(c, name, strlen(name)) == -1 ||
	    put(c, "=", 1) == -1 || put(c, value.p, value.len) == -1 ||
	    put(c, "", 1) == -1) {
		c->len = start;
		return;
	}
	c->var[c->n++] = c->bytes + start;
}

void
cgi_peer(struct cgi *c, const char *peer)
{
	const char *port = strrchr(peer, ':'), *end;
	struct ip ip;
	uint16_t number;

	if (ip_parse_port(&ip, &number, slice_of(peer)) == -1)
		return;
	end = number != 0 ? port : peer + strlen(peer);
	if (peer[0] == '[' && end[-1] == ']') {
		peer++;
		end--;
	}
	cgi_set(c, "REMOTE_ADDR", slice_between(peer, end));
	if (number != 0)
		cgi_set(c, "REMOTE_PORT", slice_of(port + 1));
}

void
cgi_client(struct cgi *c, const char *subject)
{
	cgi_set(c, "SSL_CLIENT_VERIFY", slice_of("SUCCESS"));
	cgi_set(c, "SSL_CLIENT_S_DN", slice_of(subject));
}

static int
is_wanted(struct slice name)
{
	static const char *const unwanted[] = {
		"Authorization", "Proxy-Authorization", "Proxy",
		"Connection", "Upgrade", "Content-Length", "Content-Type",
		"Sec-WebSocket-Key", "Sec-WebSocket-Version",
		"Sec-WebSocket-Extensions"
	};
	size_t i;

	for (i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++)
		if (slice_is_nocase(name, unwanted[i]))
			return 0;
	for (i = 0; i < name.len; i++)
		if (!str_is_alpha(name.p[i]) && !str_is_digit(name.p[i]) &&
		    name.p[i] != '-')
			return 0;
	return 1;
}

/* "HTTP_NAME=", of a name that is_wanted(). */
static int
put_name(struct cgi *c, struct slice name)
{
	size_t i;
	char ch;

	if (put(c, "HTTP_", 5) == -1)
		return -1;
	for (i = 0; i < name.len; i++) {
		ch = name.p[i];
		if (ch >= 'a')
			ch -= 'a' - 'A';
		else if (ch == '-')
			ch = '_';
		if (put(c, &ch, 1) == -1)
			return -1;
	}
	return put(c, "=", 1);
}

/* Cookie is the one field whose values are not joined by commas. */
static int
put_values(struct cgi *c, const struct http_head *head, unsigned int first)
{
	struct slice name = head->field[first].name, value;
	const char *glue = slice_is_nocase(name, "Cookie") ? "; " : ", ";
	unsigned int i;

	for (i = first; i < head->nfields; i++) {
		if (!slice_same_nocase(head->field[i].name, name))
			continue;
		value = head->field[i].value;
		if ((i > first && put(c, glue, 2) == -1) ||
		    put(c, value.p, value.len) == -1)
			return -1;
	}
	return put(c, "", 1);
}

/* A field, together with those of its name that come later. */
static void
set_field(struct cgi *c, const struct http_head *head, unsigned int i)
{
	struct slice name = head->field[i].name;
	size_t start = c->len;
	unsigned int j;

	for (j = 0; j < i; j++)
		if (slice_same_nocase(head->field[j].name, name))
			return;
	if (!is_wanted(name) || c->n == CGI_VARS_MAX)
		return;
	if (put_name(c, name) == -1 || put_values(c, head, i) == -1) {
		c->len = start;
		return;
	}
	c->var[c->n++] = c->bytes + start;
}

void
cgi_request(struct cgi *c, const struct http_head *head)
{
	const char *query = slice_find(head->target, '?');
	unsigned int i;

	cgi_set(c, "REQUEST_METHOD", head->method);
	cgi_set(c, "REQUEST_URI", head->target);
	cgi_set(c, "QUERY_STRING", query == NULL ? slice_of("") :
	    slice_between(query + 1, head->target.p + head->target.len));
	cgi_set(c, "SERVER_PROTOCOL", slice_of("HTTP/1.1"));
	for (i = 0; i < head->nfields; i++)
		set_field(c, head, i);
}

int
cgi_is_reserved(const char *var)
{
	static const char *const names[] = {
		"AUTH_TYPE", "CONTENT_LENGTH", "CONTENT_TYPE",
		"GATEWAY_INTERFACE", "PATH_INFO", "PATH_TRANSLATED",
		"QUERY_STRING", "REMOTE_ADDR", "REMOTE_HOST", "REMOTE_IDENT",
		"REMOTE_PORT", "REMOTE_USER", "REQUEST_METHOD", "REQUEST_URI",
		"SCRIPT_NAME", "SERVER_NAME", "SERVER_PORT",
		"SERVER_PROTOCOL", "SERVER_SOFTWARE",
		"SSL_CLIENT_S_DN", "SSL_CLIENT_VERIFY"
	};
	struct slice name = { var, strcspn(var, "=") };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_is(name, names[i]))
			return 1;
	return strncmp(var, "HTTP_", 5) == 0 && !slice_is(name, "HTTP_PROXY");
}
