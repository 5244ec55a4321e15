/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "proto/forwarded.h"

/*
 * The length of a quoted-string with its quotes (RFC 9110 5.6.4); 0: it is
 * none.
 */
static size_t
quoted_length(struct slice s)
{
	size_t i;

	if (s.len == 0 || s.p[0] != '"')
		return 0;
	for (i = 1; i < s.len && s.p[i] != '"'; i++)
		if (s.p[i] == '\\')
			i++;
	return i < s.len ? i + 1 : 0;
}

/*
 * Takes a forwarded-pair off s: token "=" ( token / quoted-string ), RFC 7239
 * 4.  The value is without its quotes.  0, or -1 if it is malformed.
 */
static int
take_pair(struct slice *s, struct slice *name, struct slice *value)
{
	size_t n = 0;

	while (n < s->len && s->p[n] != '=')
		n++;
	*name = (struct slice){ s->p, n };
	if (n == s->len || !http_is_token(*name))
		return -1;
	*s = slice_skip(*s, n + 1);
	if ((n = quoted_length(*s)) > 0) {
		*value = (struct slice){ s->p + 1, n - 2 };
		*s = slice_skip(*s, n);
		return 0;
	}
	while (n < s->len && strchr(";, \t", s->p[n]) == NULL)
		n++;
	*value = (struct slice){ s->p, n };
	*s = slice_skip(*s, n);
	return http_is_token(*value) ? 0 : -1;
}

/* Is a parameter of RFC 7239 there a second time?  seen has those before it. */
static int
is_twice(struct slice name, unsigned int *seen)
{
	static const char *const known[] = { "for", "by", "host", "proto" };
	unsigned int i, bit;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		bit = slice_is_nocase(name, known[i]) ? 1u << i : 0;
		if (*seen & bit)
			return 1;
		*seen |= bit;
	}
	return 0;
}

/*
 * Takes the next element of Forwarded: pairs, which may be empty, with ';'
 * between them.  node is the value of for=; absent without one.  1; 0 at the
 * end; or -1 if the element is malformed.
 */
static int
next_rfc(struct slice *list, struct slice *node)
{
	struct slice name, value = { NULL, 0 };
	unsigned int seen = 0;

	*node = (struct slice){ NULL, 0 };
	*list = slice_trim(*list);
	while (list->len > 0 && list->p[0] == ',')
		*list = slice_trim(slice_skip(*list, 1));
	if (list->len == 0)
		return 0;
	for (;;) {
		name = (struct slice){ NULL, 0 };
		if (list->len > 0 && strchr(";,", list->p[0]) == NULL &&
		    take_pair(list, &name, &value) == -1)
			return -1;
		if (is_twice(name, &seen))
			return -1;
		if (slice_is_nocase(name, "for"))
			*node = value;
		if (list->len == 0 || list->p[0] != ';')
			break;
		*list = slice_skip(*list, 1);
	}
	*list = slice_trim(*list);
	return list->len == 0 || list->p[0] == ',' ? 1 : -1;
}

/*
 * Takes the next element of another field.  Quotes mean nothing here, as only
 * Forwarded has them: one of a client must not hide what a proxy appended.
 */
static int
next_plain(struct slice *list, struct slice *element)
{
	const char *comma;

	while (list->len > 0) {
		comma = slice_find(*list, ',');
		*element = *list;
		if (comma != NULL)
			element->len = (size_t)(comma - list->p);
		*list = slice_skip(*list, element->len + (comma != NULL));
		*element = slice_trim(*element);
		if (element->len > 0)
			return 1;
	}
	return 0;
}

/*
 * Reads the list from the left in one pass, since it may be long.  After each
 * element *from is what reading from the right would find if the list ended
 * there.
 */
int
forwarded_from(const struct http_head *head, const char *name,
    int (*trusts)(const void *, const struct ip *), const void *arg,
    struct ip *from, uint16_t *port)
{
	int is_rfc = strcasecmp(name, "Forwarded") == 0, found = 0;
	struct http_list all = HTTP_LIST(name);
	struct slice list, element;
	struct ip ip;
	uint16_t p;
	int r;

	while (http_next_field(head, &all, &list)) {
		while ((r = is_rfc ? next_rfc(&list, &element) :
		    next_plain(&list, &element)) == 1) {
			if (element.p == NULL ||
			    ip_parse_port(&ip, &p, element) == -1) {
				found = 0;
				continue;
			}
			if (found && trusts(arg, &ip))
				continue;
			*from = ip;
			*port = p;
			found = 1;
		}
		if (r == -1)
			return -1;
	}
	return found;
}

/*
 * RFC 7239 6: an IPv6 address is in brackets; a value with a colon is quoted.
 */
char *
forwarded_write(char dst[FORWARDED_FIELD_MAX], const struct ip *ip,
    uint16_t port)
{
	char text[IP_TEXT_MAX];
	int v4 = ip_is_v4(ip);

	ip_print(text, ip, port);
	if (v4 && port == 0)
		snprintf(dst, FORWARDED_FIELD_MAX, "Forwarded: for=%s", text);
	else if (port == 0)
		snprintf(dst, FORWARDED_FIELD_MAX, "Forwarded: for=\"[%s]\"",
		    text);
	else
		snprintf(dst, FORWARDED_FIELD_MAX, "Forwarded: for=\"%s\"",
		    text);
	return dst;
}
