/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "proto/agent_name.h"

/* A character of a path that needs no escape (RFC 3986 3.3, pchar), but ':'. */
static int
is_name_char(char c)
{
	return str_is_alpha(c) || str_is_digit(c) ||
	    (c != '\0' && strchr("._~!$&'()*+,;=@-", c) != NULL);
}

int
agent_name_is_valid(struct slice s)
{
	size_t i;

	if (s.len == 0 || s.len >= AGENT_NAME_MAX || s.p[0] == '.')
		return 0;
	for (i = 0; i < s.len; i++)
		if (!is_name_char(s.p[i]))
			return 0;
	return 1;
}

int
agent_name_of_path(char name[AGENT_NAME_MAX], struct slice path)
{
	size_t i;

	for (i = path.len; i > 0 && path.p[i - 1] != '/'; i--)
		;
	path = slice_skip(path, i);
	if (!agent_name_is_valid(path))
		return -1;
	return slice_copy(name, AGENT_NAME_MAX, path);
}

int
agent_name_path(char *dst, size_t size, const char *dir, const char *name)
{
	int n = snprintf(dst, size, "%s/%s" AGENT_NAME_SUFFIX, dir, name);

	return (size_t)n < size ? 0 : -1;
}

char *
agent_name_mask(char dst[AGENT_NAME_MAX], const char *name)
{
	snprintf(dst, AGENT_NAME_MAX, "%.6s...", name);
	return dst;
}

void
agent_name_mask_url(char *url)
{
	char *last = strrchr(url, '/');

	if (last != NULL && strlen(last + 1) >= AGENT_NAME_SECRET)
		memcpy(last + 7, "...", sizeof("..."));
}

/* Takes the first word off a line without blanks around it. */
static struct slice
word(struct slice *line)
{
	struct slice w = { line->p, 0 };

	while (w.len < line->len && w.p[w.len] != ' ' && w.p[w.len] != '\t')
		w.len++;
	*line = slice_trim(slice_skip(*line, w.len));
	return w;
}

int
agents_file_next(struct lines *lines, struct agents_file_line *l)
{
	struct slice line;

	if (!lines_next(lines, &line))
		return 0;
	l->name = word(&line);
	l->hash = word(&line);
	return agent_name_is_valid(l->name) && line.len == 0 &&
	    slice_is_hex(l->hash, AGENT_HASH_MAX - 1) ? 1 : -1;
}

static int
next_line(struct lines *lines, struct line *line, const char **why)
{
	struct agents_file_line l;
	int r = agents_file_next(lines, &l);

	*why = "expected NAME SHA256-OF-SECRET";
	*line = (struct line){ .key = l.name, .value = l.hash, .hex = l.hash };
	return r;
}

const struct line_kind agents_file_lines = { .next = next_line };
