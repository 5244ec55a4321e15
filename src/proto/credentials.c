/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "proto/credentials.h"

#define SHA256_HEX	64

/* What follows "SCHEME " in a value; absent if it is another scheme. */
static struct slice
behind(struct slice value, const char *scheme)
{
	size_t n = strlen(scheme);

	if (value.len <= n || strncasecmp(value.p, scheme, n) != 0 ||
	    value.p[n] != ' ')
		return (struct slice){ NULL, 0 };
	return slice_trim(slice_skip(value, n));
}

static int
decode(char *dst, size_t size, struct slice text)
{
	char raw[CREDENTIALS_MAX];
	ssize_t n = base64_decode(raw, sizeof(raw), text);

	return n == -1 ? -1 :
	    slice_copy(dst, size, (struct slice){ raw, (size_t)n });
}

int
credentials_parse(struct credentials *c, struct slice value)
{
	char plain[CREDENTIALS_MAX], *colon;
	struct slice text;
	size_t i;

	memset(c, 0, sizeof(*c));
	if ((text = behind(value, "Bearer")).p != NULL) {
		c->kind = CREDENTIALS_BEARER;
		for (i = 0; i < text.len; i++)
			if (text.p[i] <= ' ' || text.p[i] >= 0x7f)
				return -1;
		return text.len == 0 ? -1 :
		    slice_copy(c->secret, sizeof(c->secret), text);
	}
	if ((text = behind(value, "Basic")).p == NULL ||
	    decode(plain, sizeof(plain), text) == -1 ||
	    (colon = strchr(plain, ':')) == NULL)
		return -1;
	*colon = '\0';
	c->kind = CREDENTIALS_BASIC;
	slice_copy(c->user, sizeof(c->user), slice_of(plain));
	slice_copy(c->secret, sizeof(c->secret), slice_of(colon + 1));
	return 0;
}

/* Splits at the first colon.  0, or -1 if there is none, or left is empty. */
static int
part(struct slice line, struct slice *left, struct slice *right)
{
	const char *colon = slice_find(line, ':');

	if (colon == NULL || colon == line.p)
		return -1;
	*left = slice_between(line.p, colon);
	*right = slice_between(colon + 1, line.p + line.len);
	return 0;
}

static int
parse_line(struct credentials_line *l, struct slice line)
{
	l->kind = CREDENTIALS_BASIC;
	if (slice_find(line, '\0') != NULL ||
	    part(line, &l->name, &l->hash) == -1)
		return -1;
	if (slice_is(l->name, "token")) {
		l->kind = CREDENTIALS_BEARER;
		return part(l->hash, &l->name, &l->hash) == 0 &&
		    slice_is_hex(l->hash, SHA256_HEX) ? 1 : -1;
	}
	return l->hash.len > 0 &&
	    slice_find(l->hash, ':') == NULL ? 1 : -1;
}

int
credentials_next(struct lines *lines, struct credentials_line *l)
{
	struct slice line;

	return lines_next(lines, &line) ? parse_line(l, line) : 0;
}
