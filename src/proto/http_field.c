/* SPDX-License-Identifier: ISC */
/*
 * Reading from a parsed head.
 */
#include <stdio.h>
#include <string.h>

#include "proto/date.h"
#include "proto/http.h"

int
http_next_field(const struct http_head *head, struct http_list *l,
    struct slice *value)
{
	const struct http_field *f;

	while (l->next < head->nfields) {
		f = &head->field[l->next++];
		if (slice_is_nocase(f->name, l->name)) {
			*value = f->value;
			return 1;
		}
	}
	return 0;
}

int
http_next_element(const struct http_head *head, struct http_list *l,
    struct slice *element)
{
	while (!slice_next(&l->rest, element))
		if (!http_next_field(head, l, &l->rest))
			return 0;
	return 1;
}

int
http_field(const struct http_head *head, const char *name,
    struct slice *value)
{
	struct http_list all = HTTP_LIST(name);
	struct slice another;

	if (!http_next_field(head, &all, value))
		return 0;
	return http_next_field(head, &all, &another) ? -1 : 1;
}

int
http_has_token(const struct http_head *head, const char *name,
    const char *token)
{
	struct http_list all = HTTP_LIST(name);
	struct slice value;

	while (http_next_field(head, &all, &value))
		if (slice_has_token(value, token))
			return 1;
	return 0;
}

int
http_target(struct slice sent, struct slice *host, struct slice *target)
{
	const char *end = sent.p + sent.len, *p, *start;
	struct slice scheme;

	if (sent.len == 0)
		return -1;
	*target = sent;
	if (sent.p[0] == '/')
		return 0;
	p = memmem(sent.p, sent.len, "://", 3);
	if (p == NULL)
		return -1;
	scheme = slice_between(sent.p, p);
	if (!slice_is_nocase(scheme, "http") &&
	    !slice_is_nocase(scheme, "https") &&
	    !slice_is_nocase(scheme, "ws") && !slice_is_nocase(scheme, "wss"))
		return -1;
	start = p + 3;
	for (p = start; p < end && *p != '/'; p++)
		if (*p == '?')
			return -1;
	*host = slice_between(start, p);
	*target = p == end ? slice_of("/") : slice_between(p, end);
	return host->len > 0 && http_is_host(*host) ? 0 : -1;
}

int
http_is_method(struct slice came, const char *method)
{
	size_t len = strlen(method);

	if (came.len > 2 && memcmp(came.p, "\r\n", 2) == 0)
		came = slice_skip(came, 2);
	return came.len > len && memcmp(came.p, method, len) == 0 &&
	    came.p[len] == ' ';
}

struct slice
http_path(struct slice sent)
{
	struct slice host, path;
	const char *query;

	if (http_target(sent, &host, &path) == -1)
		path = sent;
	query = slice_find(path, '?');
	if (query != NULL)
		path.len = (size_t)(query - path.p);
	return path;
}

uint32_t
http_retry_after(const struct http_head *head, int64_t now)
{
	struct slice value, date;
	uint64_t seconds;
	int64_t when, from;
	size_t n;

	if (http_field(head, "Retry-After", &value) != 1 || value.len == 0)
		return 0;
	for (n = 0; n < value.len && str_is_digit(value.p[n]); n++)
		;
	if (n == value.len)
		return slice_digits(value, UINT32_MAX, &seconds) == n ?
		    (uint32_t)seconds : UINT32_MAX;
	if (n > 0 || date_parse(value, &when) == -1)
		return 0;
	if (http_field(head, "Date", &date) != 1 ||
	    date_parse(date, &from) == -1)
		from = now;
	if (when <= from)
		return 0;
	return when - from > UINT32_MAX ? UINT32_MAX :
	    (uint32_t)(when - from);
}

const char *
http_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} table[] = {
		{ 101, "Switching Protocols" },
		{ 200, "OK" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 410, "Gone" },
		{ 414, "URI Too Long" },
		{ 426, "Upgrade Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++)
		if (table[i].status == status)
			return table[i].reason;
	return "";
}

/* Is it no percent sign, or one with two hexadecimal digits (RFC 3986 2.1)? */
static int
is_encoded(const char *p, const char *end)
{
	return *p != '%' || (end - p > 2 &&
	    slice_is_hex((struct slice){ p + 1, 2 }, 2));
}

/* The end of a name, or of an address in brackets; NULL: it is malformed. */
static const char *
host_end(const char *p, const char *end)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+,;=";
	static const char address[] = "0123456789abcdefABCDEF:.";
	const char *first = p + 1;

	if (p == end || *p != '[') {
		while (p < end && *p != '\0' && strchr(name, *p) != NULL &&
		    is_encoded(p, end))
			p++;
		return p;
	}
	p = first;
	while (p < end && *p != '\0' && strchr(address, *p) != NULL)
		p++;
	return p > first && p < end && *p == ']' ? p + 1 : NULL;
}

int
http_is_host(struct slice s)
{
	const char *end = s.p + s.len, *p;
	unsigned int port = 0;

	if (s.len == 0)
		return 1;
	if ((p = host_end(s.p, end)) == NULL || (p < end && *p++ != ':'))
		return 0;
	for (; p < end; p++)
		if (!str_is_digit(*p) ||
		    (port = port * 10 + (unsigned int)(*p - '0')) > UINT16_MAX)
			return 0;
	return 1;
}

/*
 * The scheme that an element begins with; absent if the element is a parameter
 * of the scheme before it (RFC 9110 11.6.1).
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
http_offers(const struct http_head *head, const char *field,
    const char *scheme, char *list, size_t size)
{
	struct http_list all = HTTP_LIST(field);
	struct slice element, one;
	size_t len;
	int found = 0;

	list[0] = '\0';
	while (http_next_element(head, &all, &element)) {
		one = scheme_of(element);
		if (one.p == NULL)
			continue;
		found |= slice_is_nocase(one, scheme);
		len = strlen(list);
		snprintf(list + len, size - len, "%s%.*s",
		    len == 0 ? "" : ", ", (int)one.len, one.p);
	}
	return found;
}

int
http_page_title(struct slice page, struct slice *title)
{
	const char *end = page.p + page.len, *p = slice_find_nocase(page, "<title");

	if (p == NULL || (p = memchr(p, '>', (size_t)(end - p))) == NULL)
		return 0;
	page = slice_between(p + 1, end);
	if ((end = slice_find_nocase(page, "</title")) == NULL)
		return 0;
	*title = slice_between(page.p, end);
	while (title->len > 0 && strchr("\r\n\t ", title->p[0]) != NULL) {
		title->p++;
		title->len--;
	}
	while (title->len > 0 &&
	    strchr("\r\n\t ", title->p[title->len - 1]) != NULL)
		title->len--;
	return title->len > 0;
}
