/* SPDX-License-Identifier: ISC */
/*
 * A file that an option names and that lists, a line each, who is known; and
 * its table.
 *
 * The table is a cache: it counts as long as the file is the one that it was
 * made from.  Whoever asks looks at the file with stat(2), and reads it if
 * there is no table, or an outdated one.  A supervisor has tables made, which
 * its children inherit; a process without one reads.
 *
 * A table is made in a process of its own, which reads the file, gives up its
 * rights, and puts the table into an unnamed file in memory.  That process is
 * the only one that ever may write there: once it has ended, the memory is
 * sealed, and mapped for reading, each process's copy being private.
 */
#ifndef CONFIG_LINE_FILE_H
#define CONFIG_LINE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "os/readfile.h"
#include "proto/line_table.h"

#define LINE_FILE_MAX	(16 * 1024 * 1024)	/* bytes */

struct line_file {
	const char *const *path;	/* the option's value, NULL: not set */
	const char *option;		/* its name, */
	const char *event;		/* and that of the log's lines about it */
	const struct line_kind *kind;
	struct file_stamp seen;		/* of the table, or of what has none */
	int is_stable;			/* as file_stamp_unstable() */
	const struct line_image *image;	/* NULL: there is no table */
	size_t size;
	unsigned int generation;	/* rises with every other table */
};

/*
 * For the start and an inetd's process: every line is as it should be.  0, or
 * -1 and why (64), which names file and line.
 */
int line_file_check(const struct line_file *, struct error *);

/* The same without reading it: can it be opened? */
int line_file_check_open(const struct line_file *, struct error *);

/*
 * The lines with a key: a table that has them, until line_file_close().  0, or
 * -1 and why, without the file's name.  Borrows memory_take()'s if it has to read the file.
 */
struct line_lookup {
	const struct line_table *table;
	int borrows;
};
int line_file_open(const struct line_file *, const struct line_key *,
    struct line_lookup *, struct error *);
void line_file_close(struct line_lookup *);

/* This process asks no more: its copy of the table goes. */
void line_file_forget(struct line_file *);

/* --- in a supervisor --- */

/*
 * Looks at the file.  1: it is another one than that of the table; 0: it is the
 * same.  One that cannot have a table (it is gone, or no file) has none, and
 * that is all.
 */
int line_file_look(struct line_file *);

/*
 * Milliseconds until its table has to be made again, although it is the same:
 * it may have been written once more in the moment in which it was read, and
 * its times do not tell.  Until then it is read by each who asks.  -1: never.
 */
int line_file_due(const struct line_file *);

/* It is left without a table, as there is no way to make one. */
void line_file_leave(struct line_file *);

/*
 * In a process of its own: reads the file, then makes its table in fd, an empty
 * file in memory.  Malformed lines are logged.  -1: that failed.
 */
struct line_build {
	struct line_image *image;
	size_t size, len;
};
int line_build_read(struct line_build *, const struct line_file *, int fd);
int line_build_finish(struct line_build *, const struct line_file *);

/*
 * When that process has ended: its table is the file's now; or, if the file
 * cannot be read, it has none.  -1: the process has not come to an end.  fd
 * stays the caller's.
 */
int line_file_take(struct line_file *, int fd);

/* Its table, or NULL. */
const struct line_table *line_file_table(const struct line_file *);

#endif
