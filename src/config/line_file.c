/* SPDX-License-Identifier: ISC */
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/line_file.h"
#include "os/fd.h"
#include "os/log.h"
#include "os/memory.h"

#define SHOWN_MAX	8	/* malformed lines that are logged each */

/* What the process that makes a table writes to its memory. */
struct line_image {
	enum { IMAGE_BEGUN, IMAGE_UNREADABLE, IMAGE_DONE } state;
	int is_stable;			/* as in struct line_file */
	struct file_stamp stamp;	/* of the file */
	struct line_table table;	/* text and entries follow */
};

#define TABLE_AT	offsetof(struct line_image, table)

static const char *
path_of(const struct line_file *f)
{
	return *f->path;
}

/*
 * Opens a regular file only: opening a device may have side effects.  -1 with
 * errno; EISDIR: it is no regular file.
 */
static int
open_file(const struct line_file *f, struct stat *st)
{
	int fd;

	if (stat(path_of(f), st) == -1)
		return -1;
	if (!S_ISREG(st->st_mode)) {
		errno = EISDIR;
		return -1;
	}
	fd = open(path_of(f), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd != -1 && (fstat(fd, st) == -1 || !S_ISREG(st->st_mode) ||
	    st->st_size > LINE_FILE_MAX)) {
		close(fd);
		errno = EFBIG;
		return -1;
	}
	return fd;
}

static const char *
reason(void)
{
	return errno == EFBIG ? "larger than 16 MiB" :
	    errno == EISDIR ? "not a regular file" : strerror(errno);
}

static int
fail(const struct line_file *f, struct error *why)
{
	return error_set(why, EXIT_BADUSAGE, "%s %s: %s", f->option,
	    path_of(f), reason());
}

/* Reads at most size bytes from the beginning.  How many, or -1 with errno. */
static ssize_t
read_text(int fd, char *dst, size_t size)
{
	size_t len = 0;
	ssize_t n = 0;

	while (len < size && ((n = pread(fd, dst + len, size - len,
	    (off_t)len)) > 0 || (n == -1 && errno == EINTR)))
		len += n > 0 ? (size_t)n : 0;
	return n == -1 ? -1 : (ssize_t)len;
}

/*
 * Reads the file and makes its table in memory_take()'s memory; NULL with
 * errno.
 */
static struct line_table *
read_table(const struct line_file *f, const struct line_key *only,
    void (*bad)(void *, unsigned int, const char *), void *arg)
{
	struct stat st;
	void *memory;
	ssize_t n;
	int e, fd = open_file(f, &st);

	if (fd == -1)
		return NULL;
	memory = memory_take(MEMORY_MAX);
	n = read_text(fd, line_table_text(memory), LINE_FILE_MAX + 1);
	e = errno;
	close(fd);
	if (n != -1 && n <= LINE_FILE_MAX && line_table_make(memory,
	    MEMORY_MAX, (size_t)n, f->kind, only, bad, arg) == 0)
		return memory;
	if (n != -1)
		e = EFBIG;
	memory_return();
	errno = e;
	return NULL;
}

/* --- at the start --- */

/* The first malformed line. */
struct fault {
	unsigned int number;		/* of the line, 0: none */
	const char *why;
};

static void
keep_first(void *arg, unsigned int number, const char *why)
{
	struct fault *fault = arg;

	if (fault->number == 0)
		*fault = (struct fault){ number, why };
}

/* A table without entries is made, only to find malformed lines. */
int
line_file_check(const struct line_file *f, struct error *why)
{
	struct line_key none = { 0, { "", 0 } };
	struct fault fault = { 0, NULL };
	struct line_table *t;
	int is_empty;

	if (path_of(f) == NULL)
		return 0;
	if ((t = read_table(f, &none, keep_first, &fault)) == NULL)
		return fail(f, why);
	is_empty = t->lines == 0;
	memory_return();
	if (fault.number != 0)
		return error_set(why, EXIT_BADUSAGE, "%s %s:%u: %s", f->option,
		    path_of(f), fault.number, fault.why);
	if (is_empty && f->kind->none != NULL)
		return error_set(why, EXIT_BADUSAGE, "%s %s: %s", f->option,
		    path_of(f), f->kind->none);
	return 0;
}

int
line_file_check_open(const struct line_file *f, struct error *why)
{
	struct stat st;
	int fd;

	if (path_of(f) == NULL)
		return 0;
	if ((fd = open_file(f, &st)) == -1)
		return fail(f, why);
	close(fd);
	return 0;
}

/* --- looking a key up --- */

static int
is_current(const struct line_file *f)
{
	struct file_stamp now;
	struct stat st;

	if (f->image == NULL || !f->is_stable ||
	    stat(path_of(f), &st) == -1)
		return 0;
	file_stamp_of(&now, &st);
	return file_stamp_is(&now, &f->seen);
}

int
line_file_open(const struct line_file *f, const struct line_key *key,
    struct line_lookup *l, struct error *why)
{
	l->borrows = !is_current(f);
	l->table = l->borrows ? read_table(f, key, NULL, NULL) :
	    &f->image->table;
	return l->table == NULL ? error_set(why, EXIT_SYSTEM, "%s", reason()) :
	    0;
}

void
line_file_close(struct line_lookup *l)
{
	if (l->borrows)
		memory_return();
	l->table = NULL;
}

void
line_file_forget(struct line_file *f)
{
	if (f->image == NULL)
		return;
	munmap((void *)(uintptr_t)f->image, f->size);
	f->image = NULL;
}

/* --- in a supervisor --- */

/* There is no table of this state of the file (all 0: of no file). */
static void
drop_table(struct line_file *f, const struct file_stamp *seen)
{
	if (f->image != NULL || !file_stamp_is(seen, &f->seen))
		f->generation++;
	line_file_forget(f);
	f->seen = *seen;
	f->is_stable = 1;
}

int
line_file_refresh(struct line_file *f)
{
	struct file_stamp now;
	struct stat st;

	memset(&now, 0, sizeof(now));
	if (path_of(f) == NULL || stat(path_of(f), &st) == -1 ||
	    !S_ISREG(st.st_mode)) {
		drop_table(f, &now);
		return 0;
	}
	file_stamp_of(&now, &st);
	return !f->is_stable || !file_stamp_is(&now, &f->seen);
}

int
line_file_due(const struct line_file *f)
{
	return f->image == NULL || f->is_stable ? -1 :
	    file_stamp_unstable(&f->seen);
}

void
line_file_give_up(struct line_file *f)
{
	struct file_stamp now;
	struct stat st;

	if (path_of(f) == NULL || stat(path_of(f), &st) == -1)
		return;
	file_stamp_of(&now, &st);
	drop_table(f, &now);
}

static void
log_line_fault(const struct line_file *f, unsigned int number, const char *why)
{
	struct log_line l;

	log_begin(&l, LOG_L_ERROR, f->event);
	log_str(&l, "file", path_of(f));
	if (number != 0)
		log_num(&l, "line", number);
	log_str(&l, "why", why);
	log_end(&l);
}

struct malformed {
	const struct line_file *file;
	unsigned int n;
};

static void
log_malformed(void *arg, unsigned int number, const char *why)
{
	struct malformed *m = arg;

	if (m->n++ < SHOWN_MAX)
		log_line_fault(m->file, number, why);
}

/* Reads the file.  1; 0: it changed meanwhile; -1 with errno. */
static int
read_once(const struct line_file *f, struct line_image *image, char *text,
    size_t *len)
{
	struct file_stamp after;
	struct stat st;
	ssize_t n;
	int e, fd;

	memset(&st, 0, sizeof(st));
	fd = open_file(f, &st);
	file_stamp_of(&image->stamp, &st);
	if (fd == -1)
		return -1;
	image->is_stable = file_stamp_unstable(&image->stamp) == 0;
	n = read_text(fd, text, LINE_FILE_MAX + 1);
	e = n > LINE_FILE_MAX ? EFBIG : errno;
	if (n != -1 && fstat(fd, &st) == -1)
		n = -1;
	close(fd);
	*len = n == -1 ? 0 : (size_t)n;
	errno = e;
	file_stamp_of(&after, &st);
	return n == -1 || n > LINE_FILE_MAX ? -1 :
	    file_stamp_is(&after, &image->stamp);
}

/*
 * Reads the file when nobody changes it, or else as it is at the third try;
 * then the table is not stable.
 */
static int
read_steady(const struct line_file *f, struct line_image *image, char *text,
    size_t *len)
{
	int i, r = 0;

	for (i = 0; i < 3 && r == 0; i++)
		r = read_once(f, image, text, len);
	if (r == 0)
		image->is_stable = 0;
	return r;
}

static size_t
count_lines(const char *text, size_t len)
{
	const char *p = text, *end = text + len;
	size_t n = 0;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		n++;
		p++;
	}
	return n;
}

/*
 * The size of the table depends on the number of lines: so they are counted
 * first.
 */
int
line_build_read(struct line_build *b, const struct line_file *f, int fd)
{
	struct line_image image;
	char *text = memory_take(LINE_FILE_MAX + 1);
	size_t len = 0;
	int r;

	memset(&image, 0, sizeof(image));
	r = read_steady(f, &image, text, &len);
	image.state = r == -1 ? IMAGE_UNREADABLE : IMAGE_BEGUN;
	b->len = len;
	b->size = TABLE_AT + line_table_size(len, count_lines(text, len));
	b->image = ftruncate(fd, (off_t)b->size) == -1 ? MAP_FAILED :
	    mmap(NULL, b->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (b->image != MAP_FAILED) {
		*b->image = image;
		memcpy(line_table_text(&b->image->table), text, len);
	}
	memory_return();
	return b->image == MAP_FAILED ? -1 : 0;
}

int
line_build_finish(struct line_build *b, const struct line_file *f)
{
	struct malformed m = { f, 0 };
	struct line_table *t = &b->image->table;
	int is_told = file_stamp_is(&b->image->stamp, &f->seen);
	char more[64];

	if (b->image->state == IMAGE_UNREADABLE)
		return 0;
	if (line_table_make(t, b->size - TABLE_AT, b->len, f->kind, NULL,
	    is_told ? NULL : log_malformed, &m) == -1)
		return -1;
	if (m.n > SHOWN_MAX) {
		snprintf(more, sizeof(more), "%u more lines like these",
		    m.n - SHOWN_MAX);
		log_line_fault(f, 0, more);
	}
	if (t->lines == 0 && f->kind->none != NULL && !is_told)
		log_line_fault(f, 0, f->kind->none);
	b->image->state = IMAGE_DONE;
	return 0;
}

int
line_file_take(struct line_file *f, int fd)
{
	const struct line_image *image;
	struct stat st;
	int unreadable;

	if (fstat(fd, &st) == -1 || st.st_size < (off_t)sizeof(*image))
		return -1;
	fd_seal(fd);
	image = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (image == MAP_FAILED)
		return -1;
	unreadable = image->state == IMAGE_UNREADABLE;
	if (unreadable)
		drop_table(f, &image->stamp);
	if (image->state != IMAGE_DONE || !line_table_is_valid(&image->table,
	    (size_t)st.st_size - TABLE_AT)) {
		munmap((void *)(uintptr_t)image, (size_t)st.st_size);
		return unreadable ? 0 : -1;
	}
	line_file_forget(f);
	f->image = image;
	f->size = (size_t)st.st_size;
	f->seen = image->stamp;
	f->is_stable = image->is_stable;
	f->generation++;
	return 0;
}

const struct line_table *
line_file_table(const struct line_file *f)
{
	return f->image == NULL ? NULL : &f->image->table;
}
