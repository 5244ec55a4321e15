/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "proto/ip.h"
#include "ws/control.h"

enum argument { NOTHING, NUMBER, NUMBERS, TEXT, ADDR };

static const struct {
	const char *word;
	enum argument argument;
} lines[] = {
	[CONTROL_OPEN] = { "open", ADDR },
	[CONTROL_OK] = { "ok", NOTHING },
	[CONTROL_FAIL] = { "fail", TEXT },
	[CONTROL_EOF] = { "eof", NUMBER },
	[CONTROL_RST] = { "rst", NOTHING },
	[CONTROL_ACK] = { "ack", NUMBERS },
};

#define NLINES (sizeof(lines) / sizeof(lines[0]))

static int
number(uint64_t *n, const char *p, size_t len)
{
	return slice_number((struct slice){ p, len }, 0, INT64_MAX, n);
}

/* One, or two if the line may have them. */
static int
numbers(struct control *c, const char *p, size_t len, enum argument argument)
{
	const char *blank = NULL;
	size_t first = len;

	if (argument == NUMBERS)
		blank = memchr(p, ' ', len);
	c->numbers = 1;
	if (blank != NULL) {
		first = (size_t)(blank - p);
		c->numbers = 2;
		if (number(&c->credit, blank + 1, len - first - 1) == -1)
			return -1;
	}
	return number(&c->number, p, first);
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

/* "ip:port" without a zone, or "-". */
static int
addr(struct slice *s, const char *p, size_t len)
{
	struct ip ip;
	uint16_t port;

	if (text(s, p, len) == -1 || len >= CONTROL_ADDR_MAX)
		return -1;
	if (slice_is(*s, "-"))
		return 0;
	if (memchr(p, '%', len) != NULL || ip_parse(&ip, *s) == 0)
		return -1;
	return ip_parse_port(&ip, &port, *s);
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
		if (lines[i].argument == NUMBER ||
		    lines[i].argument == NUMBERS)
			return numbers(c, p, len, lines[i].argument);
		return lines[i].argument == ADDR ? addr(&c->text, p, len) :
		    text(&c->text, p, len);
	}
	return -1;
}

/* A blank and the number. */
static size_t
put_number(char *dst, uint64_t n)
{
	char digits[20];
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	dst[0] = ' ';
	memcpy(dst + 1, digits + i, sizeof(digits) - i);
	return 1 + sizeof(digits) - i;
}

size_t
control_write(char *dst, enum control_kind kind, uint64_t n)
{
	size_t len = strlen(lines[kind].word);

	memcpy(dst, lines[kind].word, len);
	if (lines[kind].argument == NOTHING)
		return len;
	return len + put_number(dst + len, n);
}

size_t
control_write_ack(char *dst, uint64_t n, uint64_t credit)
{
	size_t len = control_write(dst, CONTROL_ACK, n);

	return len + put_number(dst + len, credit);
}

size_t
control_write_text(char *dst, enum control_kind kind, const char *words)
{
	size_t len = strlen(lines[kind].word), n = strlen(words);

	memcpy(dst, lines[kind].word, len);
	dst[len++] = ' ';
	if (n > CONTROL_LINE_MAX - len)
		n = CONTROL_LINE_MAX - len;
	memcpy(dst + len, words, n);
	return len + n;
}
