/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "proto/forwarded.h"

static struct slice
unquoted(struct slice s)
{
	if (s.len >= 2 && s.p[0] == '"' && s.p[s.len - 1] == '"') {
		s.p++;
		s.len -= 2;
	}
	return s;
}

/*
 * Length up to the stop, which does not count in double quotes: a proxy may
 * quote what the visitor wrote, as his Host.
 */
static size_t
length_to(struct slice s, char stop)
{
	size_t i;
	int quoted = 0;

	for (i = 0; i < s.len && (quoted || s.p[i] != stop); i++)
		if (quoted && s.p[i] == '\\' && i + 1 < s.len)
			i++;		/* quoted-pair, RFC 9110 5.6.4 */
		else if (s.p[i] == '"')
			quoted = !quoted;
	return i;
}

/* Does each quote end? */
static int
is_balanced(struct slice s)
{
	size_t i;
	int quoted = 0;

	for (i = 0; i < s.len; i++)
		if (quoted && s.p[i] == '\\' && i + 1 < s.len)
			i++;
		else if (s.p[i] == '"')
			quoted = !quoted;
	return !quoted;
}

/* The for= parameter of one element (RFC 7239 4); p is NULL without one. */
static struct slice
for_of(struct slice element)
{
	struct slice pair;
	size_t len;

	while (element.len > 0) {
		len = length_to(element, ';');
		pair = slice_trim((struct slice){ element.p, len });
		len += len < element.len;
		element.p += len;
		element.len -= len;
		if (pair.len > 4 && strncasecmp(pair.p, "for=", 4) == 0)
			return unquoted((struct slice){ pair.p + 4,
			    pair.len - 4 });
	}
	return (struct slice){ NULL, 0 };
}

/*
 * The next element.  Only Forwarded knows quotes: in the other fields one that
 * the visitor wrote must not swallow what a proxy appended.
 */
static int
next(struct slice *list, struct slice *element, int is_rfc)
{
	const char *comma;

	if (is_rfc)
		return slice_next(list, element);
	while (list->len > 0) {
		comma = memchr(list->p, ',', list->len);
		*element = *list;
		if (comma != NULL)
			element->len = comma - list->p;
		list->p += element->len + (comma != NULL);
		list->len -= element->len + (comma != NULL);
		*element = slice_trim(*element);
		if (element->len > 0)
			return 1;
	}
	return 0;
}

/*
 * One pass from the left, for a list may be long: *from is what a reader from
 * the right would have come to if the list ended here.
 */
int
forwarded_from(const struct http_head *head, const char *name,
    int (*trusts)(const void *, const struct ip *), const void *arg,
    struct ip *from, uint16_t *port)
{
	int is_rfc = strcasecmp(name, "Forwarded") == 0, found = 0;
	struct slice list, element;
	unsigned int i;
	struct ip ip;
	uint16_t p;

	for (i = 0; i < head->nfields; i++) {
		if (!slice_is_nocase(head->field[i].name, name))
			continue;
		list = head->field[i].value;
		if (is_rfc && !is_balanced(list))
			return -1;
		while (next(&list, &element, is_rfc)) {
			if (is_rfc)
				element = for_of(element);
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
	}
	return found;
}

/* RFC 7239 6: IPv6 in brackets, and quoted if there is a colon. */
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
