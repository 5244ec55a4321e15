/* SPDX-License-Identifier: ISC */
/*
 * A table of the lines of a file that lists users, tokens or agents
 * (--auth-file, --agents-file), to find those with a key by binary search.
 *
 * It is one block of memory: struct line_table, the text of the file, and an
 * array of entries, which say where key and value of each line are in the text,
 * sorted by key.  It has offsets and no pointers, so that other processes can
 * map it at any address; once made, it is not changed.
 *
 * Lines with the same key keep the order of the file; the caller decides which
 * of them count.
 */
#ifndef PROTO_LINE_TABLE_H
#define PROTO_LINE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/lines.h"
#include "base/str.h"

/* The parts of a line. */
struct line {
	unsigned int sort;	/* 0 or 1, the kind of key: users and tokens
				 * are looked up apart from each other */
	struct slice key, value;	/* at most 65535 bytes each */
	struct slice hex;	/* the one of them that is hexadecimal: it
				 * becomes lower case; absent: none */
};

/* How the lines of a kind of file are read. */
struct line_kind {
	/* Reads the next line.  1; 0 at the end; -1 if malformed, and *why. */
	int (*next)(struct lines *, struct line *, const char **why);

	/* The error of a file without lines; NULL: it may be empty. */
	const char *none;
};

/* The beginning of a table. */
struct line_table {
	uint32_t text, text_len;	/* the text: offset, length in bytes */
	uint32_t at, n;			/* the entries: offset, number */
	uint32_t first, first_len;	/* value of the first line of sort 0:
					 * offset in the text plus 1 (0: there
					 * is no such line), length */
	uint32_t lines, malformed;	/* number of lines in the file */
};

/*
 * Bytes of memory for the table of a text of this length and number of lines.
 */
size_t line_table_size(size_t text_len, size_t lines);

/* Where the text must be in the memory of a table. */
char *line_table_text(void *memory);

/*
 * Makes a table in memory of this size, which is aligned for uint64_t and
 * zeroed, but for the text, which the caller has put to line_table_text().
 * only: makes entries of the lines with this key, in one pass without sorting;
 * NULL: of all lines.  bad is called for each malformed line; it may be NULL.
 * 0, or -1 if the memory is too small.
 */
struct line_key {
	unsigned int sort;
	struct slice key;
};
int line_table_make(void *memory, size_t size, size_t text_len,
    const struct line_kind *, const struct line_key *only,
    void (*bad)(void *arg, unsigned int number, const char *why), void *arg);

/*
 * Are the offsets and lengths of a table within this size?  Takes constant
 * time.
 */
int line_table_is_valid(const struct line_table *, size_t size);

/*
 * Finds the lines with this key.  Returns how many they are; *from is the
 * number of the first one.  The time depends on the number of lines and the
 * length of keys, but not on their contents, as a key may be a secret.
 */
unsigned int line_table_find(const struct line_table *,
    const struct line_key *, unsigned int *from);

/* The parts of a line, by its number in the order of the table. */
struct slice line_table_key(const struct line_table *, unsigned int i);
struct slice line_table_value(const struct line_table *, unsigned int i);
unsigned int line_table_sort(const struct line_table *, unsigned int i);

/* The value of the first line of sort 0 in the file; absent without one. */
struct slice line_table_first(const struct line_table *);

#endif
