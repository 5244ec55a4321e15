/* SPDX-License-Identifier: ISC */
/* --watch: the table, again and again; on a terminal in place. */
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
static unsigned int top, page;		/* first line that is shown, how many */

/* The screen that is drawn, and the lines that are to be drawn next. */
struct view {
	struct out screen, line;
	unsigned int columns, lines;	/* of the terminal; lines without the
					 * last one, which shows the keys */
	unsigned int total;		/* lines so far, shown or not */
};

/*
 * Draws the lines in v->line that the screen shows, cut to its width.  A line
 * that was there is overwritten and not cleared before, so that nothing
 * flickers.
 */
static int
put_lines(void *arg)
{
	struct view *v = arg;
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
	return 0;
}

static void
put_all(struct view *v, const struct status *st)
{
	unsigned int i;

	v->total = 0;
	out_begin(&v->screen, v->screen.p, v->screen.size);
	out_add(&v->screen, "\033[H");
	for (i = 0; i < st->n; i++)
		status_table(&st->instance[i], &v->line, v->columns, 1,
		    put_lines, v);
	if (st->n == 0 || st->denied > 0) {
		out_add(&v->line, "%s", st->n == 0 ? "no instance found" :
		    st->why.text);
		put_lines(v);
	}
}

/* Draws the screen.  Returns the same as print(). */
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

/* Writes what o has, and empties it.  0, or -1 with errno. */
static int
put(void *arg)
{
	struct out *o = arg;
	int r = signals_write(STDOUT_FILENO, o->p, o->len);

	out_begin(o, o->p, o->size);
	return r;
}

/*
 * Prints the tables one below the other.  0, or -1: the reader ended, or a
 * signal came.
 */
static int
print(const struct status *st)
{
	char buf[4096];
	struct out o;
	unsigned int i;

	out_begin(&o, buf, sizeof(buf));
	for (i = 0; i < st->n; i++)
		if (status_table(&st->instance[i], &o, 0, 1, put, &o) == -1)
			return -1;
	out_add(&o, "%s%s\n", st->denied > 0 ? st->why.text : "",
	    st->denied > 0 ? "\n" : "");
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

/*
 * Takes a key, which is at c[*i] of n bytes.  An arrow is ESC [ A or B, Page Up
 * is ESC [ 5 ~.  0 to quit.
 */
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

/* Waits for ms milliseconds or a key.  0 to quit. */
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
