/* SPDX-License-Identifier: ISC */
/*
 * A file of lines as a table: sorting, finding, and which lines count.
 *
 * If it fails: a user who is known is refused, or one who is not is let in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/agent_name.h"
#include "proto/line_table.h"
#include "tap.h"

#define HASH	"0123456789abcdef0123456789ABCDEF" \
		"0123456789abcdef0123456789abcdef"
#define MANY	50000

/* "KEY VALUE", "!KEY VALUE": of the other sort; all else is malformed. */
static int
next(struct lines *lines, struct line *l, const char **why)
{
	struct slice line;
	const char *blank;

	if (!lines_next(lines, &line))
		return 0;
	*why = "no blank";
	l->sort = line.p[0] == '!';
	line.p += l->sort;
	line.len -= l->sort;
	blank = memchr(line.p, ' ', line.len);
	if (blank == NULL)
		return -1;
	l->key = (struct slice){ line.p, (size_t)(blank - line.p) };
	l->value = (struct slice){ blank + 1,
	    line.len - l->key.len - 1 };
	return 1;
}

static const struct line_kind kind = { next, NULL };

static char bad_lines[200];

static void
bad(void *arg, unsigned int number, const char *why)
{
	char one[60];

	snprintf(one, sizeof(one), "%u:%s ", number, why);
	strncat(bad_lines, one, sizeof(bad_lines) - strlen(bad_lines) - 1);
}

static struct line_table *
make(const char *text, size_t len, const struct line_kind *k,
    const struct line_key *only)
{
	size_t i, n = 0, size;
	struct line_table *t;

	for (i = 0; i < len; i++)
		n += text[i] == '\n';
	size = line_table_size(len, n);
	t = calloc(1, size);
	memcpy(line_table_text(t), text, len);
	bad_lines[0] = '\0';
	if (line_table_make(t, size, len, k, only, bad, NULL) == -1 ||
	    !line_table_is_valid(t, size)) {
		free(t);
		return NULL;
	}
	return t;
}

/* Values of a key, "a,b". */
static const char *
values(const struct line_table *t, unsigned int sort, const char *key)
{
	static char text[200];
	struct line_key k = { sort, slice_of(key) };
	unsigned int from, n = line_table_find(t, &k, &from), i;
	struct slice v;
	size_t len = 0;

	text[0] = '\0';
	for (i = from; i < from + n; i++) {
		v = line_table_value(t, i);
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s%.*s", i > from ? "," : "", (int)v.len, v.p);
	}
	return text;
}

static void
test_small(void)
{
	static const char text[] = "\xef\xbb\xbf# people\r\n\r\nbob 1\r\n"
	    "ann 2\n!ann 3\nwrong\n  carl 4 \nann 5\n\nbo 6\nalso\nann 7";
	struct line_key only = { 0, { "ann", 3 } };
	struct line_table *t = make(text, sizeof(text) - 1, &kind, NULL);
	struct slice first;

	ok(t != NULL, "a table");
	is_str(values(t, 0, "ann"), "2,5,7", "lines of one key keep their order");
	is_str(values(t, 1, "ann"), "3", "those of the other sort are others");
	is_str(values(t, 0, "bo"), "6", "a key that another one begins with");
	is_str(values(t, 0, "bob"), "1", "which is there, too");
	is_str(values(t, 0, "carl"), "4", "blanks around a line");
	is_str(values(t, 0, ""), "", "no key");
	is_str(values(t, 0, "zoe"), "", "behind the last one");
	is_str(values(t, 1, "bob"), "", "of the wrong sort");
	first = line_table_first(t);
	ok(slice_is(first, "1"), "the first line of the file");
	is_str(bad_lines, "6:no blank 11:no blank ", "what is wrong, and where");
	is(t->lines, 7, "the others hold");
	free(t);
	t = make(text, sizeof(text) - 1, &kind, &only);
	is_str(values(t, 0, "ann"), "2,5,7", "one pass for one key: the same");
	is_str(values(t, 0, "bob"), "", "and no others");
	ok(slice_is(line_table_first(t), "1"), "the first line is known");
	is(t->lines, 7, "and their number");
	free(t);
	t = make("", 0, &kind, NULL);
	is_str(values(t, 0, "ann"), "", "an empty file");
	ok(line_table_first(t).p == NULL, "has no first line");
	free(t);
}

/* Against a search through all of them. */
static void
test_random(void)
{
	static char text[4096], want[200];
	size_t len = 0, wlen;
	struct { char key[4]; unsigned int sort, value; } all[200];
	struct line_table *t;
	unsigned int i, j, wrong = 0;

	srand(7);
	for (i = 0; i < 200; i++) {
		snprintf(all[i].key, sizeof(all[i].key), "%.*s", rand() % 3 +
		    1, (const char *[]){ "aab", "aba", "bab", "abb", "a\xff"
		    "b" }[rand() % 5]);
		all[i].sort = (unsigned int)rand() % 2;
		all[i].value = i;
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s%s %u\n", all[i].sort ? "!" : "", all[i].key, i);
	}
	t = make(text, len, &kind, NULL);
	for (i = 0; i < 200; i++) {
		want[0] = '\0';
		for (wlen = 0, j = 0; j < 200; j++)
			if (all[j].sort == all[i].sort &&
			    strcmp(all[j].key, all[i].key) == 0 &&
			    wlen < 180)
				wlen += (size_t)snprintf(want + wlen,
				    sizeof(want) - wlen, "%s%u",
				    wlen > 0 ? "," : "", j);
		wrong += strncmp(values(t, all[i].sort, all[i].key), want,
		    180) != 0;
	}
	is(wrong, 0, "what a search through all lines finds");
	free(t);
}

static unsigned int
count(const struct line_table *t, const char *key)
{
	struct line_key k = { 0, slice_of(key) };
	unsigned int from;

	return line_table_find(t, &k, &from);
}

/* Processor time of so many searches, in clock(3)'s ticks. */
static clock_t
searches(const struct line_table *t, unsigned int names)
{
	char name[40];
	unsigned int i;
	clock_t begin = clock();

	for (i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "name%u", i % names);
		count(t, name);
	}
	return clock() - begin;
}

/* 50,000 names in an order that is none. */
static void
test_many(void)
{
	char *text = malloc(MANY * 90), name[40];
	unsigned int i, found = 0;
	struct line_table *t, *few;
	size_t len = 0;
	clock_t ticks;

	for (i = 0; i < MANY; i++)
		len += (size_t)sprintf(text + len, "name%u " HASH "\n",
		    i * 48271U % MANY);
	t = make(text, len, &agents_file_lines, NULL);
	ok(t != NULL && t->n == MANY, "50,000 names");
	for (i = 0; i < MANY; i += 7) {
		snprintf(name, sizeof(name), "name%u", i);
		found += count(t, name);
	}
	is(found, (MANY + 6) / 7, "each is found");
	is(count(t, "name50000"), 0, "no other");
	few = make(text, 50 * 90, &agents_file_lines, NULL);
	ticks = searches(few, 50);
	ok(searches(t, MANY) < 10 * ticks, "in a time that hardly grows");
	free(few);
	for (i = 1; i < t->n; i++)
		if (line_table_sort(t, i) != 0)
			break;
	is(i, MANY, "all of one sort");
	ok(memcmp(line_table_value(t, 0).p, "0123456789abcdef0123456789abcdef",
	    32) == 0, "hashes are in lower case");
	free(t);
	free(text);
}

/* What no file of this program is, but another process may have made. */
static void
test_invalid(void)
{
	struct line_table *t = make("a 1\nb 2\n", 8, &kind, NULL), bad_one;
	size_t size = line_table_size(8, 2);
	uint32_t *entry = (uint32_t *)(void *)((char *)t + t->at);

	ok(!line_table_is_valid(t, sizeof(*t) - 1), "no room for a header");
	ok(!line_table_is_valid(t, t->at + 8), "nor for its entries");
	bad_one = *t;
	bad_one.text_len = (uint32_t)size;
	ok(!line_table_is_valid(&bad_one, size), "a text that is too long");
	bad_one = *t;
	bad_one.at += 4;
	ok(!line_table_is_valid(&bad_one, size), "entries that are askew");
	bad_one = *t;
	bad_one.text += 8;
	ok(!line_table_is_valid(&bad_one, size), "a text elsewhere");
	bad_one = *t;
	bad_one.at -= 8;
	ok(!line_table_is_valid(&bad_one, size), "entries within the text");
	bad_one = *t;
	bad_one.n = 1000;
	ok(!line_table_is_valid(&bad_one, size), "more entries than there is room");
	entry[0] = 7;
	((uint16_t *)entry)[4] = 2;
	ok(line_table_key(t, 0).p == NULL, "a key beyond the end is none");
	is_str(values(t, 0, "b"), "2", "others are found");
	free(t);
	t = calloc(1, 4096);
	memset(line_table_text(t), '\n', 100);
	is(line_table_make(t, 64, 100, &kind, NULL, NULL, NULL), -1,
	    "too little memory");
	is(line_table_make(t, (size_t)UINT32_MAX + 1, 100, &kind, NULL, NULL,
	    NULL), -1, "more than can be counted");
	memcpy(line_table_text(t), "a 1\nwrong\nb 2\n", 14);
	size = line_table_size(14, 1);
	is(line_table_make(t, size, 14, &kind, NULL, NULL, NULL), 0,
	    "two lines, and nobody who is told of a third");
	memset(t, 0, sizeof(*t));
	is(line_table_make(t, size - 2 * 16, 14, &kind, NULL, NULL, NULL), -1,
	    "no room for the second");
	free(t);
}

static void
test_long(void)
{
	static char text[70000 + 8];
	struct line_table *t;

	memset(text, 'x', 70000);
	memcpy(text + 70000, " 1\na 2\n", 7);
	t = make(text, 70007, &kind, NULL);
	is_str(bad_lines, "1:a part of more than 65535 bytes ", "a key of 70,000 bytes");
	is_str(values(t, 0, "a"), "2", "the next line holds");
	free(t);
	memset(text, 'y', 70000);
	memcpy(text, "a ", 2);
	memcpy(text + 70000, "\nb 2\n", 6);
	t = make(text, 70005, &kind, NULL);
	is_str(bad_lines, "1:a part of more than 65535 bytes ",
	    "a value of 69,998 bytes");
	is_str(values(t, 0, "b"), "2", "the next line holds");
	free(t);
}

int
main(void)
{
	test_small();
	test_random();
	test_many();
	test_invalid();
	test_long();
	return done_testing();
}
