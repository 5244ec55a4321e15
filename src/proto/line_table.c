/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "proto/line_table.h"

#define PART_MAX	65535
#define ALIGNED(n)	(((n) + 7) & ~(size_t)7)

struct entry {
	uint32_t key, value;		/* offsets in the text */
	uint16_t key_len, value_len;
	uint32_t line;			/* 2 * number of the line + sort */
};

/*
 * Sorting needs a second array of entries.  One more line than there are line
 * ends, as the last line may lack it.
 */
size_t
line_table_size(size_t text_len, size_t lines)
{
	return ALIGNED(sizeof(struct line_table) + text_len) +
	    2 * (lines + 1) * sizeof(struct entry);
}

char *
line_table_text(void *memory)
{
	return (char *)memory + sizeof(struct line_table);
}

static const struct entry *
entries(const struct line_table *t)
{
	return (const struct entry *)(const void *)((const char *)t + t->at);
}

static struct slice
part(const struct line_table *t, uint32_t at, uint32_t len)
{
	if (at > t->text_len || len > t->text_len - at)
		return (struct slice){ NULL, 0 };
	return (struct slice){ (const char *)t + t->text + at, len };
}

static struct slice
key_of(const struct line_table *t, const struct entry *e)
{
	return part(t, e->key, e->key_len);
}

/*
 * Negative, 0 or positive, as memcmp(3).  Its time does not depend on the
 * bytes: a key may be the hash of a token.
 */
static int
compare_keys(struct slice a, struct slice b)
{
	size_t i, n = a.len < b.len ? a.len : b.len;
	int r = 0, differ;

	for (i = 0; i < n; i++) {
		differ = (unsigned char)a.p[i] - (unsigned char)b.p[i];
		r |= differ & -(r == 0);
	}
	return r != 0 ? r : (a.len > b.len) - (a.len < b.len);
}

/*
 * The order of two entries, for sorting, whose time tells nothing of a request.
 */
static int
compare(const struct line_table *t, const struct entry *a,
    const struct entry *b)
{
	struct slice x = key_of(t, a), y = key_of(t, b);
	size_t n = x.len < y.len ? x.len : y.len;
	int r = (int)(a->line & 1) - (int)(b->line & 1);

	if (r == 0)
		r = memcmp(x.p, y.p, n);
	if (r == 0)
		r = (x.len > y.len) - (x.len < y.len);
	return r != 0 ? r : (a->line > b->line) - (a->line < b->line);
}

/* Merges two sorted runs, from..middle and middle..to. */
static void
merge(const struct line_table *t, const struct entry *in, struct entry *out,
    size_t from, size_t middle, size_t to)
{
	size_t a = from, b = middle, i;

	for (i = from; i < to; i++)
		if (b == to || (a < middle && compare(t, &in[a], &in[b]) < 0))
			out[i] = in[a++];
		else
			out[i] = in[b++];
}

static int
is_sorted(const struct line_table *t, const struct entry *e)
{
	size_t i;

	for (i = 1; i < t->n; i++)
		if (compare(t, &e[i - 1], &e[i]) > 0)
			return 0;
	return 1;
}

/* Merge sort, bottom up: qsort(3) may allocate memory. */
static void
sort(const struct line_table *t, struct entry *e)
{
	struct entry *in = e, *out = e + t->n, *other;
	size_t run, i, middle, to;

	if (is_sorted(t, e))
		return;
	for (run = 1; run < t->n; run *= 2) {
		for (i = 0; i < t->n; i = to) {
			middle = i + run < t->n ? i + run : t->n;
			to = middle + run < t->n ? middle + run : t->n;
			merge(t, in, out, i, middle, to);
		}
		other = in;
		in = out;
		out = other;
	}
	if (in != e)
		memcpy(e, in, t->n * sizeof(e[0]));
}

/* Makes a part of the text lower case. */
static void
lower(char *text, struct slice hex)
{
	size_t i, at = hex.p == NULL ? 0 : (size_t)(hex.p - text);

	for (i = at; i < at + hex.len; i++)
		if (text[i] >= 'A' && text[i] <= 'Z')
			text[i] += 'a' - 'A';
}

/* Adds the entry of a line, if only wants it.  0, or -1: there is no room. */
static int
add(struct line_table *t, size_t room, const struct line *l,
    const struct line_key *only, unsigned int number)
{
	char *text = (char *)t + t->text;
	struct entry *e = (struct entry *)(void *)((char *)t + t->at) + t->n;

	lower(text, l->hex);
	if (l->sort == 0 && t->first == 0) {
		t->first = (uint32_t)(l->value.p - text) + 1;
		t->first_len = (uint32_t)l->value.len;
	}
	if (only != NULL && (only->sort != l->sort ||
	    compare_keys(only->key, l->key) != 0))
		return 0;
	if (t->n == room)
		return -1;
	*e = (struct entry){ (uint32_t)(l->key.p - text),
	    (uint32_t)(l->value.p - text), (uint16_t)l->key.len,
	    (uint16_t)l->value.len, number << 1 | l->sort };
	t->n++;
	return 0;
}

int
line_table_make(void *memory, size_t size, size_t text_len,
    const struct line_kind *kind, const struct line_key *only,
    void (*bad)(void *arg, unsigned int number, const char *why), void *arg)
{
	struct line_table *t = memory;
	const char *text = line_table_text(memory), *why;
	struct lines lines;
	struct line l;
	size_t room;
	int r;

	t->text = sizeof(*t);
	t->text_len = (uint32_t)text_len;
	t->at = (uint32_t)ALIGNED(t->text + text_len);
	if (size < t->at || size > UINT32_MAX)
		return -1;
	room = (size - t->at) / sizeof(struct entry) / (only == NULL ? 2 : 1);
	lines_begin(&lines, (struct slice){ text, text_len });
	for (; memset(&l, 0, sizeof(l)), why = "", (r = kind->next(&lines, &l,
	    &why)) != 0; ) {
		if (r == 1 && (l.key.len > PART_MAX || l.value.len > PART_MAX)) {
			why = "a part of more than 65535 bytes";
			r = -1;
		}
		t->lines += r == 1;
		if (r == 1 && add(t, room, &l, only, lines.number) == -1)
			return -1;
		t->malformed += r == -1;
		if (r == -1 && bad != NULL)
			bad(arg, lines.number, why);
	}
	if (only == NULL)
		sort(t, (struct entry *)(void *)((char *)t + t->at));
	return 0;
}

int
line_table_is_valid(const struct line_table *t, size_t size)
{
	return size >= sizeof(*t) && t->text == sizeof(*t) &&
	    t->text_len <= size - t->text && t->at % 8 == 0 &&
	    t->at >= t->text + t->text_len && t->at <= size &&
	    t->n <= (size - t->at) / sizeof(struct entry);
}

/* Compares entry i with a key, as compare_keys(). */
static int
compare_with(const struct line_table *t, unsigned int i,
    const struct line_key *k)
{
	const struct entry *e = &entries(t)[i];
	int sorts = (int)(e->line & 1) - (int)k->sort;
	int keys = compare_keys(key_of(t, e), k->key);

	return sorts != 0 ? sorts : keys;
}

/*
 * The number of entries before the key; with or_same those with the key too.
 * The number of steps depends on t->n alone.
 */
static unsigned int
count_below(const struct line_table *t, const struct line_key *k, int or_same)
{
	unsigned int from = 0, n = t->n, half;

	while (n > 1) {
		half = n / 2;
		from += half * (compare_with(t, from + half - 1, k) < or_same);
		n -= half;
	}
	return from + (n == 1 && compare_with(t, from, k) < or_same);
}

unsigned int
line_table_find(const struct line_table *t, const struct line_key *k,
    unsigned int *from)
{
	*from = count_below(t, k, 0);
	return count_below(t, k, 1) - *from;
}

struct slice
line_table_key(const struct line_table *t, unsigned int i)
{
	return key_of(t, &entries(t)[i]);
}

struct slice
line_table_value(const struct line_table *t, unsigned int i)
{
	return part(t, entries(t)[i].value, entries(t)[i].value_len);
}

unsigned int
line_table_sort(const struct line_table *t, unsigned int i)
{
	return entries(t)[i].line & 1;
}

struct slice
line_table_first(const struct line_table *t)
{
	return t->first == 0 ? (struct slice){ NULL, 0 } :
	    part(t, t->first - 1, t->first_len);
}
