/* SPDX-License-Identifier: ISC */
/*
 * A file that an option names (--auth-file, --agents-file) and that lists users
 * or agents, one on a line; and its table (proto/line_table.h).
 *
 * The table is a cache.  It is valid as long as the file is unchanged, by its
 * times and size.  Each request looks at the file with stat(2), and reads the
 * file itself if there is no valid table.  A supervisor has tables made, which
 * its children inherit; a process without a supervisor has none.
 *
 * A table is made in a process of its own, since the file may be malicious: it
 * reads the file, enters the sandbox, and writes the table to an unnamed file
 * in memory.  When it has ended, the supervisor seals that memory against
 * writing, and maps it for reading.
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
	const char *const *path;	/* the option's value; NULL: not set */
	const char *option;		/* name for errors: "--auth-file" */
	const char *event;		/* name of the events about it */
	const struct line_kind *kind;	/* how its lines are read */
	struct file_stamp seen;		/* of the file that was read last */
	int is_stable;			/* seen would differ after any change */
	const struct line_image *image;	/* the table, NULL: there is none */
	size_t size;			/* bytes of image */
	unsigned int generation;	/* one more for each new table */
};

/*
 * At the start: reads the file and checks every line.  0, also if the option is
 * not set; or -1 and why (64), which names the file and the line.
 */
int line_file_check(const struct line_file *, struct error *);

/* Checks only whether the file can be opened, at a reload. */
int line_file_check_open(const struct line_file *, struct error *);

/*
 * Looks up a key: l->table has the lines with this key until line_file_close()
 * (use line_table_find()).  0, or -1 and why (71), without the file's name.  If
 * it has to read the file, it uses the memory of memory_take() until then.
 */
struct line_lookup {
	const struct line_table *table;
	int borrows;
};
int line_file_open(const struct line_file *, const struct line_key *,
    struct line_lookup *, struct error *);
void line_file_close(struct line_lookup *);

/* Unmaps the table, in a process that looks up nothing more. */
void line_file_forget(struct line_file *);

/* --- in a supervisor --- */

/*
 * Compares the file with the one that was read last.  1: it has changed, or may
 * have (see line_file_due()), and a table has to be made; 0: it has not.  Of a
 * file that does not exist, or is not a regular one, the table is dropped: 0.
 */
int line_file_refresh(struct line_file *);

/*
 * Times of files advance in steps.  A file that was read within such a step may
 * be written once more without a change of its times, so its table is not valid
 * and each request reads the file.  Milliseconds until the table can be made
 * again and be valid; -1: this is not the case.
 */
int line_file_due(const struct line_file *);

/* A table cannot be made: requests read the file until it changes. */
void line_file_give_up(struct line_file *);

/*
 * In the process that makes the table: line_build_read() reads the file, and
 * line_build_finish(), in the sandbox, makes the table in fd, an empty file in
 * memory, and logs malformed lines.  0, or -1: that failed.
 */
struct line_build {
	struct line_image *image;	/* fd, mapped */
	size_t size, len;		/* bytes of image; of the file */
};
int line_build_read(struct line_build *, const struct line_file *, int fd);
int line_build_finish(struct line_build *, const struct line_file *);

/*
 * In the supervisor, when that process has ended: takes the table that is in
 * fd, or, if the file could not be read, drops the old one.  0, or -1 if the
 * process did not finish.  The caller closes fd.
 */
int line_file_take(struct line_file *, int fd);

/* The table, valid or not; NULL: there is none. */
const struct line_table *line_file_table(const struct line_file *);

#endif
