/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "proto/control.h"

enum argument { NOTHING, NUMBER, TEXT };

static const struct {
	const char *word;
	enum argument argument;
} lines[] = {
	[CONTROL_OPEN] = { "open", TEXT },
	[CONTROL_OK] = { "ok", NOTHING },
	[CONTROL_FAIL] = { "fail", TEXT },
	[CONTROL_EOF] = { "eof", NUMBER },
	[CONTROL_RST] = { "rst", NOTHING },
	[CONTROL_ACK] = { "ack", NUMBER },
};

#define NLINES (sizeof(lines) / sizeof(lines[0]))

static int
number(uint64_t *n, const char *p, size_t len)
{
	size_t i;

	if (len == 0 || len > 19 || (p[0] == '0' && len > 1))
		return -1;
	*n = 0;
	for (i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		*n = *n * 10 + (p[i] - '0');
	}
	return *n >> 63 ? -1 : 0;
}

static int
text(struct slice *s, const char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] < ' ' || p[i] > '~')
			return -1;
	s->p = p;
	s->len = len;
	return len > 0 ? 0 : -1;
}

int
control_parse(struct control *c, const void *line, size_t len)
{
	const char *p = line;
	size_t i, n;

	memset(c, 0, sizeof(*c));
	for (i = 0; i < NLINES; i++) {
		n = strlen(lines[i].word);
		if (len < n || memcmp(p, lines[i].word, n) != 0)
			continue;
		c->kind = (enum control_kind)i;
		if (lines[i].argument == NOTHING)
			return len == n ? 0 : -1;
		if (len == n || p[n] != ' ')
			return -1;
		p += n + 1;
		len -= n + 1;
		return lines[i].argument == NUMBER ?
		    number(&c->number, p, len) : text(&c->text, p, len);
	}
	return -1;
}

size_t
control_write(char *dst, enum control_kind kind, uint64_t n)
{
	char digits[20];
	size_t len = strlen(lines[kind].word), i = sizeof(digits);

	memcpy(dst, lines[kind].word, len);
	if (lines[kind].argument != NUMBER)
		return len;
	do
		digits[--i] = '0' + n % 10;
	while ((n /= 10) > 0);
	dst[len++] = ' ';
	memcpy(dst + len, digits + i, sizeof(digits) - i);
	return len + sizeof(digits) - i;
}
