/* SPDX-License-Identifier: ISC */
/* The table that goes on, in place on a terminal. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
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

static int
order(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* The largest numbers first, the newest, and names in their order. */
static int
compare(const void *pa, const void *pb)
{
	const struct report_row *a = pa, *b = pb;
	int r;

	switch (key) {
	case 'p':
		r = strcmp(a->peer, b->peer);
		break;
	case 't':
		r = strcmp(a->target, b->target);
		break;
	case 's':
		r = order(a->state, b->state);
		break;
	case 'i':
		r = order(a->idle, b->idle);
		break;
	case 'u':
		r = order(b->up_rate, a->up_rate);
		if (r == 0)
			r = order(b->up, a->up);
		break;
	case 'd':
		r = order(b->down_rate, a->down_rate);
		if (r == 0)
			r = order(b->down, a->down);
		break;
	default:
		r = order(a->age, b->age);
	}
	if (r == 0)
		r = order(a->pid, b->pid);
	return backwards ? -r : r;
}

/* A line, cut to the width; what was there is overwritten, not cleared. */
static void
put_line(struct out *screen, struct out *line, unsigned int columns,
    unsigned int *left)
{
	size_t n = strcspn(line->p, "\n");

	if (n > columns)
		n = columns;
	if (*left > 0) {
		out_add(screen, "%.*s\033[K%s", (int)n, line->p,
		    *left > 1 ? "\r\n" : "");
		(*left)--;
	}
	out_begin(line, line->p, line->size);
}

/* At most on half of what is left: the tunnels are wanted too. */
static void
draw_names(const struct report_names *names, struct out *screen,
    struct out *line, unsigned int columns, unsigned int *left)
{
	unsigned int i, most = *left / 2;

	if (names->n == 0)
		return;
	report_table_name_columns(line);
	put_line(screen, line, columns, left);
	for (i = 0; i < names->n && i < most; i++) {
		report_table_name(line, &names->of[i]);
		put_line(screen, line, columns, left);
	}
	if (i < names->n) {
		out_add(line, "and %u more names", names->n - i);
		put_line(screen, line, columns, left);
	}
}

static void
draw(const struct status *st)
{
	char buf[2048];
	struct out screen, line;
	unsigned int columns, left, i, k;
	ssize_t ignored;

	term_size(&columns, &left);
	out_begin(&screen, memory_take(SCREEN_MAX), SCREEN_MAX);
	out_begin(&line, buf, sizeof(buf));
	out_add(&screen, "\033[H");
	for (i = 0; i < st->n; i++) {
		report_table_head(&line, &st->instance[i].report);
		put_line(&screen, &line, columns, &left);
		draw_names(&st->instance[i].names, &screen, &line, columns,
		    &left);
		report_table_columns(&line);
		put_line(&screen, &line, columns, &left);
		for (k = 0; k < st->instance[i].nrows && left > 1; k++) {
			report_table_row(&line, &st->instance[i].row[k]);
			put_line(&screen, &line, columns, &left);
		}
	}
	if (st->n == 0) {
		out_add(&line, "no instance found");
		put_line(&screen, &line, columns, &left);
	}
	out_add(&line, "sort by: peer target state age idle up down; "
	    "r turns it round, q quits");
	put_line(&screen, &line, columns, &left);
	out_add(&screen, "\033[J");
	ignored = write(STDOUT_FILENO, screen.p, screen.len);
	(void)ignored;
	memory_return();
}

static void
print_names(const struct report_names *names, struct out *o)
{
	unsigned int i;

	if (names->n > 0)
		report_table_name_columns(o);
	for (i = 0; i < names->n; i++) {
		report_table_name(o, &names->of[i]);
		fwrite(o->p, 1, o->len, stdout);
		out_begin(o, o->p, o->size);
	}
}

static void
print(const struct status *st)
{
	char buf[4096];
	struct out o;
	unsigned int i, k;

	for (i = 0; i < st->n; i++) {
		out_begin(&o, buf, sizeof(buf));
		report_table_head(&o, &st->instance[i].report);
		print_names(&st->instance[i].names, &o);
		report_table_columns(&o);
		fwrite(o.p, 1, o.len, stdout);
		for (k = 0; k < st->instance[i].nrows; k++) {
			out_begin(&o, buf, sizeof(buf));
			report_table_row(&o, &st->instance[i].row[k]);
			fwrite(o.p, 1, o.len, stdout);
		}
	}
	putchar('\n');
	fflush(stdout);
}

/* Until it is time to look again; 0 to quit. */
static int
wait_for_key(int terminal, int ms)
{
	struct pollfd p = { .fd = terminal ? STDIN_FILENO : -1,
	    .events = POLLIN };
	char c;

	if (signals_poll(&p, 1, ms) > 0) {
		if (read(STDIN_FILENO, &c, 1) != 1 || c == 'q')
			return 0;
		if (c == 'r')
			backwards = !backwards;
		else if (strchr("ptsaiud", c) != NULL)
			key = c;
	}
	return !signal_terminated();
}

int
status_watch(const struct options *o)
{
	struct status now, before;
	struct error why = { .status = EXIT_ENDED };
	int terminal = o->status.textfile == NULL && term_is(), go_on;
	unsigned int i;

	memset(&before, 0, sizeof(before));
	signals_single();
	if (terminal && term_begin() == -1)
		terminal = 0;
	do {
		if (status_look(&now, o, &why) == -1)
			break;
		status_rates(&now, &before);
		status_free(&before);
		for (i = 0; i < now.n; i++)
			qsort(now.instance[i].row, now.instance[i].nrows,
			    sizeof(now.instance[i].row[0]), compare);
		if (o->status.textfile != NULL && now.n > 0 &&
		    status_textfile(&now, &why) == -1) {
			status_free(&now);
			break;
		}
		if (terminal)
			draw(&now);
		else if (o->status.textfile == NULL)
			print(&now);
		before = now;
		go_on = wait_for_key(terminal, o->status.textfile != NULL ?
		    FILE_EVERY_MS : EVERY_MS) && !ferror(stdout);
	} while (go_on);
	status_free(&before);
	if (terminal)
		term_end();
	if (why.status != EXIT_ENDED)
		fprintf(stderr, "inetws: %s\n", why.text);
	return why.status;
}
