/* SPDX-License-Identifier: ISC */
/*
 * A head is parsed in two steps.  While its bytes arrive, look() checks each of
 * them once, by rules of RFC 9112 2.2, 3, 4 and 5 that the library does not
 * enforce, and finds the empty line.  Then the library (http_split) parses the
 * complete head once.
 */
#include <sys/types.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "proto/http.h"
#include "proto/http_split.h"

/* Where in the head the next byte belongs. */
enum { IN_START_LINE, AT_LINE, IN_NAME, IN_VALUE };

/* Where the reason of a refusal goes. */
struct fault {
	int *status;
	char *err;
	size_t errlen;
};

__attribute__((format(printf, 3, 4)))
static int
refuse(const struct fault *f, int status, const char *fmt, ...)
{
	va_list ap;

	*f->status = status;
	va_start(ap, fmt);
	vsnprintf(f->err, f->errlen, fmt, ap);
	va_end(ap);
	return -1;
}

/* RFC 9110 5.6.2. */
static int
is_tchar(char c)
{
	return str_is_digit(c) || str_is_alpha(c) ||
	    (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

int
http_is_token(struct slice s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (!is_tchar(s.p[i]))
			return 0;
	return s.len > 0;
}

void
http_begin(struct http_parser_state *st, int is_answer)
{
	memset(st, 0, sizeof *st);
	st->is_answer = is_answer;
	st->part = IN_START_LINE;
}

/* Is it HTTP/1.1, or with old_too HTTP/1.0 (RFC 9112 2.3)? */
static int
check_version(const char *p, size_t len, int old_too, const struct fault *f)
{
	if (len != 8 || memcmp(p, "HTTP/", 5) != 0 || !str_is_digit(p[5]) ||
	    p[6] != '.' || !str_is_digit(p[7]))
		return refuse(f, 400, "no HTTP version in the first line");
	if (p[5] != '1' || (p[7] != '1' && (!old_too || p[7] != '0')))
		return refuse(f, 505, "%.8s instead of HTTP/1.1%s", p,
		    p[5] != '1' || p[7] != '0' ? "" :
		    ": nginx needs \"proxy_http_version 1.1;\"");
	return 0;
}

/* Is it another method than GET that RFC 9110 9.1 or RFC 5789 define? */
static int
is_known(struct slice method)
{
	static const char *const names[] = { "HEAD", "POST", "PUT", "DELETE",
		"CONNECT", "OPTIONS", "TRACE", "PATCH" };
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if (slice_is(method, names[i]))
			return 1;
	return 0;
}

/* METHOD SP TARGET SP VERSION (RFC 9112 3). */
static int
check_request_line(const char *p, size_t len, int plain,
    const struct fault *f)
{
	const char *end = p + len, *target, *version;
	struct slice method;
	char show[48];
	size_t i;

	target = memchr(p, ' ', len);
	version = target == NULL ? NULL :
	    memchr(target + 1, ' ', (size_t)(end - target - 1));
	if (version == NULL)
		return refuse(f, 400, "no HTTP request: \"%s\"",
		    str_escape(show, sizeof show, p, len));
	method = slice_between(p, target++);
	len = (size_t)(version++ - target);
	if (!http_is_token(method))
		return refuse(f, 400, "malformed method");
	if (len == 0)
		return refuse(f, 400, "no request target");
	for (i = 0; i < len; i++)
		if ((unsigned char)target[i] < 0x21 ||
		    (unsigned char)target[i] > 0x7e || target[i] == '#')
			return refuse(f, 400, "character \"%s\" in the "
			    "request target",
			    str_escape(show, sizeof show, target + i, 1));
	if (check_version(version, (size_t)(end - version), plain, f) == -1)
		return -1;
	if (!slice_is(method, "GET") && !(plain &&
	    (slice_is(method, "HEAD") || slice_is(method, "OPTIONS"))))
		return refuse(f, is_known(method) ? 405 : 501,
		    "method %s instead of GET",
		    str_escape(show, sizeof show, method.p, method.len));
	return 0;
}

/*
 * VERSION SP STATUS SP [REASON] (RFC 9112 4); without a reason some servers
 * leave out the second blank too.
 */
static int
check_status_line(const char *p, size_t len, const struct fault *f)
{
	char show[48];

	if (len < 5 || memcmp(p, "HTTP/", 5) != 0)
		return refuse(f, 400, "no HTTP answer: \"%s\"",
		    str_escape(show, sizeof show, p, len));
	if (check_version(p, len < 8 ? len : 8, 1, f) == -1)
		return -1;
	if (len < 12 || p[8] != ' ' || p[9] < '1' || p[9] > '9' ||
	    !str_is_digit(p[10]) || !str_is_digit(p[11]) ||
	    (len > 12 && p[12] != ' '))
		return refuse(f, 400, "malformed status in the first line");
	return 0;
}

/*
 * A line has ended: buf[i] is its LF.  1: the head has ended too; 0: go on; -1:
 * refused.
 */
static int
end_line(struct http_parser_state *st, const char *buf, size_t i,
    const struct fault *f)
{
	const char *line;
	size_t len;

	if (st->part == AT_LINE)
		return 1;
	if (st->part == IN_START_LINE) {
		line = buf + st->skipped;
		len = i - 1 - st->skipped;
		if (len == 0 && !st->is_answer && st->skipped == 0) {
			st->skipped = 2;
			return 0;
		}
		if (len == 0)
			return refuse(f, 400, "the first line is empty");
		if ((st->is_answer ? check_status_line(line, len, f) :
		    check_request_line(line, len, st->plain, f)) == -1)
			return -1;
	}
	st->part = AT_LINE;
	return 0;
}

/*
 * Checks a byte of a line that is not its CR LF: field-line = field-name ":"
 * OWS field-value OWS (RFC 9112 5), without blanks before the colon (5.1) and
 * without line folding (5.2).
 */
static int
look_in_line(struct http_parser_state *st, const char *buf, size_t i,
    const struct fault *f)
{
	unsigned char c = (unsigned char)buf[i];
	char show[8];

	if (st->part == AT_LINE) {
		if (c == ' ' || c == '\t')
			return refuse(f, 400, "a folded field");
		if (++st->nfields > HTTP_FIELDS_MAX)
			return refuse(f, 431, "more than %d fields",
			    HTTP_FIELDS_MAX);
		if (c == ':')
			return refuse(f, 400, "a field without a name");
		st->part = IN_NAME;
	}
	if (st->part != IN_NAME)
		return 0;
	if (c == ':')
		st->part = IN_VALUE;
	else if (c == ' ' || c == '\t')
		return refuse(f, 400, "a blank before the colon");
	else if (!is_tchar((char)c))
		return refuse(f, 400, "character \"%s\" in a field name",
		    str_escape(show, sizeof show, &buf[i], 1));
	return 0;
}

/* Checks buf[i].  1: the head ends with it; 0: go on; -1: refused. */
static int
look(struct http_parser_state *st, const char *buf, size_t i,
    const struct fault *f)
{
	unsigned char c = (unsigned char)buf[i];

	if (st->prev_cr) {
		if (c != '\n')
			return refuse(f, 400, "a CR without LF");
		st->prev_cr = 0;
		return end_line(st, buf, i, f);
	}
	if (c == '\r') {
		if (st->part == IN_NAME)
			return refuse(f, 400, "a field without a colon");
		st->prev_cr = 1;
		return 0;
	}
	if (c == '\n')
		return refuse(f, 400, "a bare LF");
	if (c == '\0')
		return refuse(f, 400, "a NUL byte");
	if (c != '\t' && str_is_control((char)c))
		return refuse(f, 400, "control character \\x%02x", c);
	return look_in_line(st, buf, i, f);
}

/* Parses a complete head. */
static int
parse(const struct http_parser_state *st, const char *buf, size_t len,
    struct http_head *head, const struct fault *f)
{
	const char *why;
	unsigned int i;

	memset(head, 0, sizeof *head);
	if (http_split(buf, len, st->is_answer, head, &why) == -1)
		return refuse(f, 400, "%s", why);
	if (head->nfields != st->nfields)
		return refuse(f, 400, "malformed head");
	for (i = 0; i < head->nfields; i++)
		head->field[i].value = slice_trim(head->field[i].value);
	if (!st->is_answer)
		head->method = slice_between(buf, memchr(buf, ' ', len));
	return 0;
}

static void
move(struct slice *s, const char *from, const char *to)
{
	if (s->p != NULL)
		s->p = to + (s->p - from);
}

/*
 * Parses an answer that has no body, whatever its fields say.  The library
 * would refuse lengths that contradict each other, so it gets a copy of the
 * head in which the names of these fields are changed.
 */
static int
parse_without_body(const struct http_parser_state *st, const char *buf,
    size_t len, struct http_head *head, const struct fault *f)
{
	static const char *const hidden[] = { "Content-Length:",
	    "Transfer-Encoding:" };
	char copy[HTTP_HEAD_MAX], *line;
	unsigned int i;

	memcpy(copy, buf, len);
	for (line = copy; line < copy + len;
	    line = (char *)memchr(line, '\n', (size_t)(copy + len - line)) + 1)
		for (i = 0; i < 2; i++)
			if (strncasecmp(line, hidden[i],
			    strlen(hidden[i])) == 0)
				*line = 'X';
	if (parse(st, copy, len, head, f) == -1)
		return -1;
	move(&head->reason, copy, buf);
	for (i = 0; i < head->nfields; i++) {
		move(&head->field[i].name, copy, buf);
		move(&head->field[i].value, copy, buf);
	}
	return 0;
}

static int
take_apart(const struct http_parser_state *st, const char *buf, size_t len,
    struct http_head *head, const struct fault *f)
{
	return st->no_body ? parse_without_body(st, buf, len, head, f) :
	    parse(st, buf, len, head, f);
}

/*
 * Names the protocol of bytes that are not HTTP, if it is known.  Looks only at
 * those up to the one that was refused, because how many have arrived behind it
 * is chance.
 */
static int
refuse_other(const struct http_parser_state *st, const char *buf,
    const struct fault *f)
{
	static const char v2[] = "\r\n\r\n\0\r\nQUIT\n";
	size_t len = st->seen < 12 ? st->seen : 12;
	int alert = buf[0] == 0x15, hello = buf[0] == 0x16;

	if (st->is_answer && (alert || hello))
		refuse(f, 400, "this is TLS: use wss:// or https://");
	else if (!st->is_answer && hello)
		refuse(f, 400, "the client speaks TLS, this port does not: "
		    "use ws://");
	else if (!st->is_answer && len > 6 && memcmp(buf, "PROXY ", 6) == 0)
		refuse(f, 400, "a PROXY header, which this port does not "
		    "expect (--accept-proxy)");
	else if (!st->is_answer && len > 1 && memcmp(buf, v2, len) == 0)
		refuse(f, 400, "an empty line, as a PROXY header begins, "
		    "which this port does not expect (--accept-proxy)");
	return -1;
}

ssize_t
http_parse(struct http_parser_state *st, const char *buf, size_t len,
    struct http_head *head, int *status, char *err, size_t errlen)
{
	const struct fault f = { status, err, errlen };
	int r;

	while (st->seen < len && st->seen < HTTP_HEAD_MAX) {
		r = look(st, buf, st->seen++, &f);
		if (r == -1)
			return refuse_other(st, buf, &f);
		if (r == 1) {
			if (take_apart(st, buf + st->skipped, st->seen -
			    st->skipped, head, &f) == -1)
				return -1;
			return (ssize_t)st->seen;
		}
	}
	if (st->seen == HTTP_HEAD_MAX && st->part == IN_START_LINE &&
	    !st->is_answer)
		return refuse(&f, 414, "a request line of more than %d bytes",
		    HTTP_HEAD_MAX);
	if (st->seen == HTTP_HEAD_MAX)
		return refuse(&f, 431, "a head of more than %d bytes",
		    HTTP_HEAD_MAX);
	return 0;
}
