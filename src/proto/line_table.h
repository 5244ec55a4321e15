/* SPDX-License-Identifier: ISC */
/*
 * The lines of a file that lists who is known (users, tokens, agents) as a
 * table: the text and, sorted by key, where each line's key and value are in
 * it.  A table is one piece of memory without pointers, which another process
 * may map anywhere, and which no one changes once it has been made.
 *
 * Of lines with the same key the order of the file is kept; which of them
 * count is for the reader to decide.
 */
#ifndef PROTO_LINE_TABLE_H
#define PROTO_LINE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/lines.h"
#include "base/str.h"

/* A line, taken apart. */
struct line {
	unsigned int sort;	/* 0 or 1: keys of one are not the other's */
	struct slice key, value;	/* at most 65535 bytes each */
	struct slice hex;	/* which of them has to become lower case */
};

/* What the lines of a kind of file are. */
struct line_kind {
	/*
	 * Reads the next line.  1; 0 at the end; -1 and what is wrong with
	 * it.
	 */
	int (*next)(struct lines *, struct line *, const char **why);
	const char *none;	/* what is said of a file without any, or
				 * NULL: it may be empty */
};

struct line_table {
	uint32_t text, text_len;	/* bytes from here; bytes */
	uint32_t at, n;			/* of the entries; how many */
	uint32_t first, first_len;	/* value of the first line of sort 0 */
	uint32_t lines, malformed;	/* lines of the file */
};

/* Bytes of memory for a text of this length with so many lines. */
size_t line_table_size(size_t text_len, size_t lines);

/* Where in the memory for a table its text has to be put. */
char *line_table_text(void *memory);

/*
 * Makes the table of a text, which is there already, in memory of this size
 * (aligned for uint64_t, zeroed).  only: just the lines with this key and sort,
 * which takes one pass and no sorting; NULL: all.  Each malformed line is told
 * by bad, which may be NULL.  0, or -1 if there is too little memory.
 */
struct line_key {
	unsigned int sort;
	struct slice key;
};
int line_table_make(void *memory, size_t size, size_t text_len,
    const struct line_kind *, const struct line_key *only,
    void (*bad)(void *arg, unsigned int number, const char *why), void *arg);

/* Is it one, as far as it can be told at once, in so many bytes? */
int line_table_is_valid(const struct line_table *, size_t size);

/*
 * The lines with this key: how many, *from is the first one's number.  The time
 * depends on how many lines and how long keys are, and on nothing else.
 */
unsigned int line_table_find(const struct line_table *,
    const struct line_key *, unsigned int *from);

/* Of a line by its number; those of one sort follow each other. */
struct slice line_table_key(const struct line_table *, unsigned int i);
struct slice line_table_value(const struct line_table *, unsigned int i);
unsigned int line_table_sort(const struct line_table *, unsigned int i);

/* The value of the file's first line of sort 0; p is NULL without one. */
struct slice line_table_first(const struct line_table *);

#endif
