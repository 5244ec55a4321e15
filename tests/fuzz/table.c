/* SPDX-License-Identifier: ISC */
/*
 * Input: how, then a file of users or agents; or a table itself, as a process
 * that was taken over might have made it.  Asserted: a key finds the lines that
 * have it, in their order, whether the table is of all lines or of that key; of
 * a table that passes for one nothing beyond it is read.
 */
#include "proto/agent_name.h"
#include "proto/credentials.h"
#include "proto/line_table.h"
#include "fuzz.h"

#define LINES_MAX	200

static int
next_user(struct lines *lines, struct line *line, const char **why)
{
	struct credentials_line l;
	int r = credentials_next(lines, &l);

	*why = "no user";
	if (r != 1)
		return r;
	line->sort = l.kind;
	line->key = l.kind == CREDENTIALS_BEARER ? l.hash : l.name;
	line->value = l.kind == CREDENTIALS_BEARER ? l.name : l.hash;
	if (l.kind == CREDENTIALS_BEARER)
		line->hex = l.hash;
	return 1;
}

static const struct line_kind users = { next_user, NULL };

static int
same(struct slice a, struct slice b)
{
	return a.len == b.len &&
	    (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static const struct line_table *
make(const char *text, size_t len, const struct line_kind *kind,
    const struct line_key *only, size_t *size)
{
	size_t lines = 1, i;
	void *memory;

	for (i = 0; i < len; i++)
		lines += text[i] == '\n';
	*size = line_table_size(len, lines);
	CHECK((memory = calloc(1, *size)) != NULL);
	if (len > 0)
		memcpy(line_table_text(memory), text, len);
	CHECK(line_table_make(memory, *size, len, kind, only, NULL, NULL) ==
	    0);
	CHECK(line_table_is_valid(memory, *size));
	return memory;
}

/* What a key finds is what a table of that key alone has. */
static void
find(const struct line_table *t, const char *text, size_t len,
    const struct line_kind *kind, unsigned int i)
{
	struct line_key k = { line_table_sort(t, i), line_table_key(t, i) };
	unsigned int from, n = line_table_find(t, &k, &from), j, first;
	const struct line_table *few;
	size_t size;

	CHECK(n > 0 && from <= i && i < from + n && from + n <= t->n);
	few = make(text, len, kind, &k, &size);
	CHECK(line_table_find(few, &k, &first) == n && first == 0 &&
	    few->n == n);
	for (j = 0; j < n; j++) {
		CHECK(same(line_table_key(few, j), k.key) &&
		    same(line_table_key(t, from + j), k.key));
		CHECK(same(line_table_value(few, j),
		    line_table_value(t, from + j)));
	}
	CHECK(same(line_table_first(few), line_table_first(t)));
	free((void *)(uintptr_t)few);
}

static void
file(const char *text, size_t len, const struct line_kind *kind)
{
	const struct line_table *t;
	struct line_key none = { 1, slice_of("\x01 in no file") };
	unsigned int i, from;
	size_t size;

	t = make(text, len, kind, NULL, &size);
	CHECK(t->n == t->lines);
	for (i = 0; i < t->n && i < LINES_MAX; i++)
		find(t, text, len, kind, i);
	CHECK(line_table_find(t, &none, &from) == 0);
	free((void *)(uintptr_t)t);
}

static void
rubbish(const uint8_t *p, size_t len)
{
	struct line_key k = { 0, slice_of("a key") };
	const struct line_table *t;
	unsigned int from, n, i;
	void *memory;

	if (len == 0)
		return;
	CHECK((memory = malloc(len)) != NULL);
	memcpy(memory, p, len);
	t = memory;
	if (line_table_is_valid(t, len)) {
		n = line_table_find(t, &k, &from);
		CHECK(n == 0 || from + n <= t->n);
		for (i = 0; i < t->n; i++) {
			k.key = line_table_key(t, i);
			k.sort = line_table_sort(t, i);
			line_table_find(t, &k, &from);
			line_table_value(t, i);
		}
		line_table_first(t);
	}
	free(memory);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] % 4 == 3)
		rubbish(data + 1, size - 1);
	else
		file((const char *)data + 1, size - 1, data[0] % 2 == 0 ?
		    &users : &agents_file_lines);
	return 0;
}
