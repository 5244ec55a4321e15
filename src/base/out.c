/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/out.h"
#include "base/str.h"

void
out_begin(struct out *o, char *buf, size_t size)
{
	o->p = buf;
	o->size = size;
	o->len = 0;
	o->cut = 0;
	buf[0] = '\0';
}

/* A whole piece or nothing of it. */
void
out_add(struct out *o, const char *fmt, ...)
{
	size_t room = o->size - o->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(o->p + o->len, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room) {
		o->cut = 1;
		o->p[o->len] = '\0';
	} else
		o->len += n;
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

/* RFC 8259 7. */
void
out_json(struct out *o, const char *s)
{
	out_add(o, "\"");
	for (; *s != '\0'; s++) {
		unsigned char c = *s;

		if (c == '"' || c == '\\')
			out_add(o, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			out_add(o, "\\u%04x", c);
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
