/* SPDX-License-Identifier: ISC */
/* The table that goes on, in place on a terminal. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "modes/status/status.h"
#include "os/memory.h"
#include "os/signals.h"
#include "os/term.h"

#define EVERY_MS	1000
#define FILE_EVERY_MS	10000	/* with --textfile */
#define SCREEN_MAX	(256 * 1024)

static int key = 'a', backwards;	/* what rows are sorted by */
static unsigned int top, page;		/* first line shown, lines shown */

/* What is drawn: some lines of all there are. */
struct view {
	struct out screen, line;
	unsigned int columns, lines;	/* of the terminal, one for the keys */
	unsigned int total;		/* lines so far, shown or not */
};

/* Lines, cut to the width; what was there is overwritten, not cleared. */
static void
put_line(struct view *v)
{
	const char *p;
	size_t n;

	for (p = v->line.p; *p != '\0'; p += n + (p[n] == '\n')) {
		n = strcspn(p, "\n");
		if (v->total >= top && v->total - top < v->lines)
			out_add(&v->screen, "%.*s\033[K\r\n",
			    (int)(n < v->columns ? n : v->columns), p);
		v->total++;
	}
	out_begin(&v->line, v->line.p, v->line.size);
}

static void
put_instance(struct view *v, const struct status_instance *in)
{
	unsigned int i;

	report_table_head(&v->line, &in->report, v->columns);
	put_line(v);
	if (in->names.n > 0) {
		report_table_name_columns(&v->line);
		put_line(v);
	}
	for (i = 0; i < in->names.n; i++) {
		report_table_name(&v->line, &in->names.of[i]);
		put_line(v);
	}
	report_table_columns(&v->line, v->columns);
	put_line(v);
	for (i = 0; i < in->nrows; i++) {
		report_table_row(&v->line, &in->row[i], v->columns);
		put_line(v);
	}
}

static void
put_all(struct view *v, const struct status *st)
{
	unsigned int i;

	v->total = 0;
	out_begin(&v->screen, v->screen.p, v->screen.size);
	out_add(&v->screen, "\033[H");
	for (i = 0; i < st->n; i++)
		put_instance(v, &st->instance[i]);
	if (st->n == 0) {
		out_add(&v->line, "no instance found");
		put_line(v);
	}
}

/* As print(). */
static int
draw(const struct status *st)
{
	char buf[2048];
	struct view v;
	int r;

	term_size(&v.columns, &v.lines);
	v.lines--;
	out_begin(&v.screen, memory_take(SCREEN_MAX), SCREEN_MAX);
	out_begin(&v.line, buf, sizeof(buf));
	put_all(&v, st);
	if (top > 0 && top + v.lines > v.total) {	/* beyond the end */
		top = v.total > v.lines ? v.total - v.lines : 0;
		put_all(&v, st);
	}
	page = v.lines;
	out_add(&v.line, "sort: peer target state age idle up down, r reverse; "
	    "j k space b scroll; q quit");
	out_add(&v.screen, "%.*s\033[K\033[J", (int)v.columns, v.line.p);
	r = signals_write(STDOUT_FILENO, v.screen.p, v.screen.len);
	memory_return();
	return r;
}

/* What was put together so far. */
static int
put(struct out *o)
{
	int r = signals_write(STDOUT_FILENO, o->p, o->len);

	out_begin(o, o->p, o->size);
	return r;
}

static int
print_instance(const struct status_instance *in, struct out *o)
{
	unsigned int i;
	int r;

	report_table_head(o, &in->report, 0);
	if (in->names.n > 0)
		report_table_name_columns(o);
	r = put(o);
	for (i = 0; r == 0 && i < in->names.n; i++) {
		report_table_name(o, &in->names.of[i]);
		r = put(o);
	}
	report_table_columns(o, 0);
	for (i = 0; r == 0 && i < in->nrows; i++) {
		report_table_row(o, &in->row[i], 0);
		r = put(o);
	}
	return r == 0 ? put(o) : r;
}

/* 0, or -1: nobody reads it, or a signal has come meanwhile. */
static int
print(const struct status *st)
{
	char buf[4096];
	struct out o;
	unsigned int i;

	out_begin(&o, buf, sizeof(buf));
	for (i = 0; i < st->n; i++)
		if (print_instance(&st->instance[i], &o) == -1)
			return -1;
	out_add(&o, "\n");
	return put(&o);
}

static void
scroll(unsigned int lines, int up)
{
	if (!up)
		top += lines;
	else
		top = top > lines ? top - lines : 0;
}

/* An arrow is ESC [ A or B, and Page Up ESC [ 5 ~.  0 to quit. */
static int
take_key(const char *c, ssize_t n, ssize_t *i)
{
	int k = (unsigned char)c[*i];

	if (k == '\033' && *i + 2 < n && c[*i + 1] == '[') {
		*i += 2;
		k = c[*i] == 'A' ? 'k' : c[*i] == 'B' ? 'j' : c[*i] == '5' ?
		    'b' : c[*i] == '6' ? ' ' : 0;
		if (k == 'b' || k == ' ')
			++*i;
	}
	if (k == 'j' || k == 'k')
		scroll(1, k == 'k');
	else if (k == ' ' || k == 'b')
		scroll(page, k == 'b');
	else if (k == 'r')
		backwards = !backwards;
	else if (k != '\0' && strchr(STATUS_KEYS, k) != NULL)
		key = k;
	return k != 'q';
}

/* Until it is time to look again; 0 to quit. */
static int
wait_for_key(int terminal, int ms)
{
	struct pollfd p = { .fd = terminal ? STDIN_FILENO : -1,
	    .events = POLLIN };
	char c[16];
	ssize_t n, i;

	if (signals_poll(&p, 1, ms) > 0) {
		n = read(STDIN_FILENO, c, sizeof(c));
		if (n <= 0)
			return 0;
		for (i = 0; i < n; i++)
			if (!take_key(c, n, &i))
				return 0;
	}
	return !signal_terminated();
}

int
status_watch(const struct options *o)
{
	struct status now, before;
	struct error why = { .status = EXIT_ENDED };
	int terminal = o->status.textfile == NULL && term_is(), shown;

	memset(&before, 0, sizeof(before));
	signals_single();
	if (terminal && term_begin() == -1)
		terminal = 0;
	do {
		if (status_look(&now, o, &why) == -1)
			break;
		status_rates(&now, &before);
		status_free(&before);
		status_sort(&now, key, backwards);
		if (o->status.textfile != NULL && now.n > 0 &&
		    status_textfile(&now, &why) == -1) {
			status_free(&now);
			break;
		}
		shown = o->status.textfile != NULL ? 0 : terminal ?
		    draw(&now) : print(&now);
		before = now;
		if (shown == -1 && errno != EPIPE && errno != EINTR)
			error_set(&why, EXIT_SYSTEM, "standard output: %s",
			    strerror(errno));
	} while (shown == 0 && wait_for_key(terminal,
	    o->status.textfile != NULL ? FILE_EVERY_MS : EVERY_MS));
	status_free(&before);
	if (terminal)
		term_end();
	if (why.status != EXIT_ENDED) {
		options_blame(o, &why);
		fprintf(stderr, "inetws: %s\n", why.text);
	}
	return why.status;
}
