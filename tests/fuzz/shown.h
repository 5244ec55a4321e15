/* SPDX-License-Identifier: ISC */
/*
 * What is made for other programs to read, looked at as they would: JSON (RFC
 * 8259), HTML, the formats of metrics, lines of the log.
 */
#ifndef SHOWN_H
#define SHOWN_H

#include "fuzz.h"

static const char *shown_json(const char *, int depth);

/* Behind a string of JSON, of which nothing is beyond printable ASCII. */
static inline const char *
shown_string(const char *p)
{
	CHECK(*p++ == '"');
	for (; *p != '"'; p++) {
		CHECK(*p >= ' ' && *p <= '~');
		if (*p != '\\')
			continue;
		p++;
		CHECK(*p != '\0' && strchr("\"\\u", *p) != NULL);
		if (*p == 'u') {
			CHECK(strspn(p + 1, "0123456789abcdef") >= 4);
			p += 4;
		}
	}
	return p + 1;
}

/* Behind a list: of values, or of members of an object. */
static inline const char *
shown_list(const char *p, char end, int depth)
{
	if (*p == end)
		return p + 1;
	for (;; p++) {
		if (end == '}') {
			p = shown_string(p);
			CHECK(*p++ == ':');
		}
		p = shown_json(p, depth + 1);
		if (*p == end)
			return p + 1;
		CHECK(*p == ',');
	}
}

/* Behind a value, written without blanks. */
static const char *
shown_json(const char *p, int depth)
{
	size_t n;

	CHECK(depth < 10);
	if (*p == '{' || *p == '[')
		return shown_list(p + 1, *p == '{' ? '}' : ']', depth);
	if (*p == '"')
		return shown_string(p);
	n = strspn(p, "-.0123456789truefalsn");
	CHECK(n > 0);
	if (*p == '-' || (*p >= '0' && *p <= '9'))
		CHECK(n == strspn(p, "-.0123456789"));
	else
		CHECK((n == 4 && (memcmp(p, "true", n) == 0 ||
		    memcmp(p, "null", n) == 0)) ||
		    (n == 5 && memcmp(p, "false", n) == 0));
	return p + n;
}

/*
 * Elements with attributes in double quotes; no '<', '>' or quote of a value
 * is taken for one of them, and an '&' begins one of four references.
 */
static inline void
shown_html(const char *p)
{
	int in_tag = 0, quoted = 0;

	for (; *p != '\0'; p++) {
		CHECK(*p == '\n' || (*p >= ' ' && *p <= '~'));
		if (*p == '<') {
			CHECK(!in_tag);
			in_tag = 1;
		} else if (*p == '>') {
			CHECK(in_tag && !quoted);
			in_tag = 0;
		} else if (*p == '"') {
			CHECK(in_tag);
			quoted = !quoted;
		} else if (*p == '&')
			CHECK(strncmp(p, "&amp;", 5) == 0 ||
			    strncmp(p, "&lt;", 4) == 0 ||
			    strncmp(p, "&gt;", 4) == 0 ||
			    strncmp(p, "&quot;", 6) == 0);
	}
	CHECK(!in_tag);
}

/* "name{label="value",...} number", or a comment. */
static inline void
shown_metrics(const char *p)
{
	while (*p != '\0') {
		if (*p == '#')
			p += strcspn(p, "\n");
		else {
			p += strspn(p, "abcdefghijklmnopqrstuvwxyz_");
			for (; *p != ' '; p++) {
				CHECK(*p == '{' || *p == ',');
				p += 1 + strcspn(p + 1, "=\n") + 1;
				CHECK(*p == '"');
				for (p++; *p != '"'; p++) {
					CHECK(*p >= ' ' && *p <= '~');
					p += *p == '\\';
				}
				p += p[1] == '}';
			}
			p++;
			CHECK(strcspn(p, "\n") == strspn(p, "-.0123456789"));
			p += strcspn(p, "\n");
		}
		CHECK(*p++ == '\n');
	}
}

#endif
