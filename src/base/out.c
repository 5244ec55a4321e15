/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/out.h"
#include "base/str.h"
#include "base/utf8.h"

#define REPLACEMENT	0xfffd	/* U+FFFD, in place of malformed UTF-8 */

void
out_begin(struct out *o, char *buf, size_t size)
{
	o->p = buf;
	o->size = size;
	o->len = 0;
	o->cut = 0;
	buf[0] = '\0';
}

/* An error of vsnprintf(3), -1, is a large number here, so it does not fit. */
void
out_add(struct out *o, const char *fmt, ...)
{
	size_t room = o->size - o->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(o->p + o->len, room, fmt, ap);
	va_end(ap);
	if ((size_t)n >= room) {
		o->cut = 1;
		o->p[o->len] = '\0';
	} else
		o->len += (size_t)n;
}

int
out_length(const struct out *o)
{
	return o->cut ? -1 : (int)o->len;
}

static void
add_bytes(struct out *o, const char *p, size_t n)
{
	if (n >= o->size - o->len) {
		o->cut = 1;
		return;
	}
	memcpy(o->p + o->len, p, n);
	o->len += n;
	o->p[o->len] = '\0';
}

static void
add_char(struct out *o, char c)
{
	add_bytes(o, &c, 1);
}

/*
 * Adds the escape of a character (RFC 8259 7): beyond 16 bits as two
 * surrogates.  Characters beyond ASCII are escaped so that no terminal
 * interprets them.
 */
static void
json_unicode(struct out *o, uint32_t c)
{
	if (c > 0xffff) {
		out_add(o, "\\u%04x", 0xd800 + ((c - 0x10000) >> 10));
		c = 0xdc00 + (c & 0x3ff);
	}
	out_add(o, "\\u%04x", c);
}

void
out_json(struct out *o, const char *s)
{
	uint32_t c;
	size_t n;

	out_add(o, "\"");
	for (; *s != '\0'; s += n) {
		if ((n = utf8_first(s, &c)) == 0) {
			n = 1;
			c = REPLACEMENT;
		}
		if (c == '"' || c == '\\')
			out_add(o, "\\%c", (char)c);
		else if (c < 0x20 || c >= 0x7f)
			json_unicode(o, c);
		else
			add_char(o, (char)c);
	}
	out_add(o, "\"");
}

void
out_member(struct out *o, const char *name, const char *value)
{
	out_add(o, "\"%s\":", name);
	if (value[0] == '\0')
		out_add(o, "null");
	else
		out_json(o, value);
}

void
out_html(struct out *o, const char *s)
{
	for (; *s != '\0'; s++)
		switch (*s) {
		case '&':
			out_add(o, "&amp;");
			break;
		case '<':
			out_add(o, "&lt;");
			break;
		case '>':
			out_add(o, "&gt;");
			break;
		case '"':
			out_add(o, "&quot;");
			break;
		default:
			add_char(o, str_shown(*s));
		}
}

void
out_label(struct out *o, const char *s)
{
	for (; *s != '\0'; s++)
		if (*s == '"' || *s == '\\')
			out_add(o, "\\%c", *s);
		else
			add_char(o, str_shown(*s));
}
