/* SPDX-License-Identifier: ISC */
/*
 * A file of lines that an option names, and its table.
 *
 * If it fails: a user who was removed still gets in, a new one does not, or
 * every request reads the whole file.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apart.h"
#include "config/line_file.h"
#include "os/log.h"
#include "os/memory.h"
#include "descriptors.h"
#include "seen.h"
#include "tap.h"

static char dir[] = "/tmp/inetws-lines.XXXXXX", path[64];
static const char *option = path;
static struct error why;

/* "KEY VALUE"; a line "bad" is malformed. */
static int
next_line(struct lines *in, struct line *l, const char **text)
{
	struct slice s;
	const char *blank;

	if (!lines_next(in, &s))
		return 0;
	memset(l, 0, sizeof(*l));
	if ((blank = slice_find(s, ' ')) == NULL) {
		*text = "no blank";
		return -1;
	}
	l->key = (struct slice){ s.p, (size_t)(blank - s.p) };
	l->value = slice_skip(s, (size_t)(blank + 1 - s.p));
	return 1;
}

static const struct line_kind some = { next_line, "nobody is listed" };
static const struct line_kind any = { next_line, NULL };

static struct line_file
file_of(const struct line_kind *kind)
{
	return (struct line_file){ .path = &option, .option = "--list",
	    .event = "list-fault", .kind = kind };
}

static void
put(const char *text)
{
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
}

/* Until a change would be seen by its times. */
static void
until_stable(void)
{
	struct file_stamp s;
	struct stat st;

	do {
		usleep(10000);
		stat(path, &st);
		file_stamp_of(&s, &st);
	} while (file_stamp_unstable(&s) != 0);
}

/* How many lines of the log have this text. */
static int
was_logged(const char *want)
{
	const char *at = seen();
	int n = 0;

	for (; (at = strstr(at, want)) != NULL; at++)
		n++;
	return n;
}

static int
make_table(struct line_file *f)
{
	struct line_build b;
	int fd = memory_file("test"), copy = dup(fd), r;

	if (line_build_read(&b, f, copy) == -1)
		return -1;
	if (line_build_finish(&b, f) == -1)
		return -2;
	r = line_file_take(f, fd);
	close(fd);
	return r;
}

/* The value of this key: in the table, or in the file; -1 that fails. */
static int
value_of(const struct line_file *f, const char *key, char *value, int *borrows)
{
	struct line_key k = { 0, slice_of(key) };
	struct line_lookup l;
	struct slice v;
	unsigned int from;

	value[0] = '\0';
	if (line_file_open(f, &k, &l, &why) == -1)
		return -1;
	if (line_table_find(l.table, &k, &from) > 0) {
		v = line_table_value(l.table, from);
		snprintf(value, 20, "%.*s", (int)v.len, v.p);
	}
	*borrows = l.borrows;
	line_file_close(&l);
	return l.table == NULL ? 0 : -2;
}

/* At the start: what is wrong, and in which line. */
static int
checks(void)
{
	struct line_file f = file_of(&some), g = file_of(&any);
	int before = count_open(), i;
	char want[200], *large;
	FILE *file;

	for (i = 0; i < 2; i++) {
		put("a 1\nb 2\n");
		if (line_file_check(&f, &why) != 0)
			return 1;
		put("a 1\nbad\nb 2\nworse\n");
		snprintf(want, sizeof(want), "--list %s:2: no blank", path);
		if (line_file_check(&f, &why) != -1 ||
		    strcmp(why.text, want) != 0 || why.status != EXIT_BADUSAGE)
			return 2;
		put("");
		snprintf(want, sizeof(want), "--list %s: nobody is listed",
		    path);
		if (line_file_check(&f, &why) != -1 ||
		    strcmp(why.text, want) != 0 || why.status != EXIT_BADUSAGE)
			return 3;
		if (line_file_check(&g, &why) != 0)
			return 4;
		unlink(path);
		snprintf(want, sizeof(want), "--list %s: No such file or "
		    "directory", path);
		if (line_file_check(&f, &why) != -1 ||
		    strcmp(why.text, want) != 0 ||
		    line_file_check_open(&f, &why) != -1 ||
		    strcmp(why.text, want) != 0)
			return 5;
		mkdir(path, 0755);
		snprintf(want, sizeof(want), "--list %s: not a regular file",
		    path);
		if (line_file_check(&f, &why) != -1 ||
		    strcmp(why.text, want) != 0 ||
		    line_file_check_open(&f, &why) != -1 ||
		    strcmp(why.text, want) != 0)
			return 6;
		rmdir(path);
	}
	put("a 1\n");
	if (truncate(path, LINE_FILE_MAX + 1) == -1)
		return 7;
	snprintf(want, sizeof(want), "--list %s: larger than 16 MiB", path);
	if (line_file_check(&f, &why) != -1 || strcmp(why.text, want) != 0)
		return 8;
	file = fopen(path, "w");
	large = malloc(LINE_FILE_MAX);
	memset(large, 'x', LINE_FILE_MAX);
	large[1] = ' ';
	memcpy(large + 60000, "\n", 1);
	for (i = 120000; i < LINE_FILE_MAX; i += 60000)
		memcpy(large + i, "\nk ", 3);
	memcpy(large + 60001, "k ", 2);
	fwrite(large, 1, LINE_FILE_MAX, file);
	fclose(file);
	free(large);
	if (line_file_check(&f, &why) != 0 ||
	    line_file_check_open(&f, &why) != 0)
		return 9;	/* as large as it may be */
	option = NULL;
	if (line_file_check(&f, &why) != 0 ||
	    line_file_check_open(&f, &why) != 0)
		return 10;
	return count_open() == before ? 0 : 11;
}

/* Without a supervisor each request reads the file. */
static int
reads(void)
{
	struct line_file f = file_of(&some);
	int before = count_open(), borrows, i;
	char value[20];

	for (i = 0; i < 3; i++) {
		put("a 1\nb 2\n");
		if (value_of(&f, "b", value, &borrows) != 0 || !borrows ||
		    strcmp(value, "2") != 0)
			return 1;
		put("b 3\n");
		if (value_of(&f, "b", value, &borrows) != 0 ||
		    strcmp(value, "3") != 0 ||
		    value_of(&f, "a", value, &borrows) != 0 ||
		    value[0] != '\0')
			return 2;
		unlink(path);
		if (value_of(&f, "b", value, &borrows) != -1 ||
		    why.status != EXIT_SYSTEM ||
		    strcmp(why.text, "No such file or directory") != 0)
			return 3;
	}
	memory_take(1);		/* which nothing has kept */
	return count_open() == before ? 0 : 4;
}

/* A table, and the changes of its file. */
static int
table(void)
{
	struct line_file f = file_of(&some);
	int before, borrows;
	char value[20];

	seen_begin();
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	before = count_open();
	put("b 2\na 1\n");
	until_stable();
	if (line_file_refresh(&f) != 1 || line_file_table(&f) != NULL ||
	    line_file_due(&f) != -1)
		return 1;
	if (make_table(&f) != 0 || f.generation != 1 ||
	    line_file_table(&f)->n != 2 || was_logged("level=") != 0)
		return 2;
	if (line_file_refresh(&f) != 0 || line_file_due(&f) != -1)
		return 3;
	if (value_of(&f, "a", value, &borrows) != 0 || borrows ||
	    strcmp(value, "1") != 0)
		return 4;
	put("a 9\n");
	if (value_of(&f, "a", value, &borrows) != 0 || !borrows ||
	    strcmp(value, "9") != 0)
		return 5;		/* the file decides */
	if (line_file_refresh(&f) != 1)
		return 6;
	until_stable();
	if (make_table(&f) != 0 || f.generation != 2)
		return 7;
	unlink(path);
	if (line_file_refresh(&f) != 0 || line_file_table(&f) != NULL ||
	    f.generation != 3 || line_file_refresh(&f) != 0 ||
	    f.generation != 3)
		return 8;
	put("a 5\n");
	until_stable();
	if (make_table(&f) != 0 || f.generation != 4)
		return 9;
	line_file_give_up(&f);
	if (line_file_table(&f) != NULL || f.generation != 5 ||
	    line_file_refresh(&f) != 0 || line_file_due(&f) != -1)
		return 10;
	line_file_give_up(&f);
	if (f.generation != 5)
		return 11;
	put("a 6\n");
	if (line_file_refresh(&f) != 1)
		return 12;
	line_file_forget(&f);
	line_file_forget(&f);
	return count_open() == before ? 0 : 13;
}

/* Read within a step of its times: one more change would not be seen. */
static int
unstable(void)
{
	struct line_file f = file_of(&some);
	int borrows, ms;
	char value[20];

	for (ms = 0; ms < 100; ms++) {
		put("a 1\n");
		if (make_table(&f) != 0)
			return 1;
		if (!f.is_stable)
			break;
	}
	if (f.is_stable)
		return 0;	/* too busy a machine */
	if (line_file_refresh(&f) != 1 || line_file_due(&f) < 0)
		return 2;
	if (value_of(&f, "a", value, &borrows) != 0 || !borrows)
		return 3;
	until_stable();
	if (line_file_due(&f) != 0)
		return 4;
	return make_table(&f) == 0 && f.is_stable ? 0 : 5;
}

static int
malformed(void)
{
	struct line_file f = file_of(&some);
	char text[600] = "", want[200];
	int i;

	seen_begin();
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	for (i = 0; i < 8; i++)
		strlcat(text, "bad\n", sizeof(text));
	put(text);
	until_stable();
	if (make_table(&f) != 0 || was_logged("why=\"no blank\"\n") != 8)
		return 1;
	put(text);
	until_stable();
	make_table(&f);
	snprintf(want, sizeof(want), "level=error event=list-fault file=%s "
	    "line=8 why=\"no blank\"\n", path);
	if (was_logged(want) != 1)
		return 2;
	line_file_forget(&f);
	if (make_table(&f) != 0 || was_logged("why=") != 0)
		return 3;		/* told already */
	strlcat(text, "bad\nbad\na 1\n", sizeof(text));
	put(text);
	until_stable();
	make_table(&f);
	if (was_logged("line=") != 8)
		return 4;
	put(text);
	until_stable();
	make_table(&f);
	snprintf(want, sizeof(want), "file=%s why=\"2 more lines like these\"\n",
	    path);
	if (was_logged(want) != 1)
		return 5;
	put("");
	until_stable();
	make_table(&f);
	snprintf(want, sizeof(want), "file=%s why=\"nobody is listed\"\n", path);
	return was_logged(want) == 1 ? 0 : 6;
}

/* The table is the end of the image, before text and entries. */
static struct line_table *
table_of(const struct line_build *b)
{
	return (struct line_table *)(void *)((char *)b->image + b->size -
	    line_table_size(b->len, 1));
}

/* What the process that makes the table does not finish is no table. */
static int
unfinished(void)
{
	struct line_file f = file_of(&some);
	struct line_build b;
	int fd = memory_file("test");

	put("a 1\n");
	if (line_file_take(&f, fd) != -1)
		return 1;
	close(fd);
	fd = memory_file("test");
	if (line_build_read(&b, &f, dup(fd)) == -1 ||
	    line_file_take(&f, fd) != -1 || line_file_table(&f) != NULL)
		return 2;
	close(fd);
	fd = memory_file("test");
	line_build_read(&b, &f, dup(fd));
	line_build_finish(&b, &f);
	/* a compromised one writes what it likes */
	table_of(&b)->n = UINT32_MAX;
	if (line_file_take(&f, fd) != -1 || line_file_table(&f) != NULL)
		return 3;
	close(fd);
	make_table(&f);
	if (line_file_table(&f) == NULL)
		return 4;
	unlink(path);
	if (make_table(&f) != 0 || line_file_table(&f) != NULL)
		return 5;		/* it could not be read */
	return 0;
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/list", dir);
	alarm(scaled(60));
	is(run(checks), 0, "faults are told at the start");
	is(run(reads), 0, "a lookup reads the file");
	is(run(table), 0, "or its table, as long as it is unchanged");
	is(run(unstable), 0, "a table of a file that may yet change");
	is(run(malformed), 0, "malformed lines are logged once");
	is(run(unfinished), 0, "a table that was not finished");
	unlink(path);
	rmdir(dir);
	return done_testing();
}
