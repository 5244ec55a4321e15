/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "modes/status/status.h"
#include "os/clock.h"
#include "stats/page.h"
#include "stats/rundir.h"

/* Reads the rows of a page.  0, or -1 without memory. */
static int
read_rows(struct status_instance *in, struct stats_view *v)
{
	unsigned int i, slots = stats_slots(v);

	in->row = calloc(slots + 1, sizeof(in->row[0]));
	if (in->row == NULL)
		return -1;
	for (i = 0; i < slots; i++)
		in->nrows += stats_row(v, i, &in->row[in->nrows]);
	return 0;
}

/* Reads the names of a gate.  0, or -1 without memory. */
static int
read_names(struct status_instance *in, struct stats_view *v)
{
	if (!report_is_gate(in->report.mode))
		return 0;
	in->names.of = calloc(REPORT_NAMES_MAX, sizeof(in->names.of[0]));
	if (in->names.of == NULL)
		return -1;
	in->names.max = REPORT_NAMES_MAX;
	stats_names(v, &in->names);
	return 0;
}

static int
add(struct status *st, const char *path)
{
	struct status_instance *more, *in;
	struct stats_view v;

	more = realloc(st->instance, (st->n + 1) * sizeof(*more));
	if (more == NULL)
		return error_set(&st->why, EXIT_SYSTEM, "out of memory");
	st->instance = more;
	in = &more[st->n];
	memset(in, 0, sizeof(*in));
	if (stats_view_open(&v, path, &st->why) == -1)
		return -1;
	strlcpy(in->file, path, sizeof(in->file));
	stats_read(&v, &in->report);
	if (read_rows(in, &v) == -1 || read_names(in, &v) == -1) {
		free(in->row);
		stats_view_close(&v);
		return error_set(&st->why, EXIT_SYSTEM, "out of memory");
	}
	stats_view_close(&v);
	st->n++;
	return 0;
}

static void
add_found(void *arg, const char *path)
{
	struct status *st = arg;

	if (add(st, path) == 0)
		return;
	st->denied++;
	/*
	 * Other users choose the names of these files: no control characters.
	 */
	str_copy_shown(st->why.text, st->why.text, sizeof(st->why.text));
}

void
status_free(struct status *st)
{
	unsigned int i;

	for (i = 0; i < st->n; i++) {
		free(st->instance[i].row);
		free(st->instance[i].names.of);
	}
	free(st->instance);
	st->instance = NULL;
	st->n = 0;
}

int
status_look(struct status *st, const struct options *o, struct error *why)
{
	char dir[RUNDIR_MAX];
	unsigned int i;

	memset(st, 0, sizeof(*st));
	st->o = o;
	st->at = clock_ms();
	if (o->status.page != NULL) {
		if (add(st, o->status.page) == 0)
			return 0;
	} else {
		for (i = 0; rundir_name(i, dir, sizeof(dir)) == 0; i++)
			if (rundir_each(dir, add_found, st) == -1 &&
			    errno != ENOENT) {
				error_set(&st->why, EXIT_SYSTEM, "%s: %s", dir,
				    strerror(errno));
				st->denied++;
			}
		if (st->n > 0 || st->denied == 0)
			return 0;
	}
	*why = st->why;
	status_free(st);
	return -1;
}

static int
by_pid(const void *a, const void *b)
{
	const struct report_row *x = *(const struct report_row *const *)a,
	    *y = *(const struct report_row *const *)b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* All rows, sorted by process number, and *n how many; NULL without memory. */
static const struct report_row **
sort_rows(const struct status *st, size_t *n)
{
	const struct report_row **all;
	unsigned int i, k;

	for (*n = 0, i = 0; i < st->n; i++)
		*n += st->instance[i].nrows;
	if ((all = calloc(*n + 1, sizeof(*all))) == NULL)
		return NULL;
	for (*n = 0, i = 0; i < st->n; i++)
		for (k = 0; k < st->instance[i].nrows; k++)
			all[(*n)++] = &st->instance[i].row[k];
	qsort(all, *n, sizeof(*all), by_pid);
	return all;
}

/* A process serves one connection only, so its number identifies a row. */
static void
set_rates(struct report_row *row, const struct report_row *const *found,
    int64_t ms)
{
	const struct report_row *old = found != NULL ? *found : NULL;

	if (old == NULL || old->up > row->up || old->down > row->down)
		return;
	row->up_rate = (row->up - old->up) * 1000 / ms;
	row->down_rate = (row->down - old->down) * 1000 / ms;
}

void
status_rates(struct status *st, const struct status *before)
{
	const struct report_row **all, *row;
	int64_t ms = st->at - before->at;
	unsigned int i, k;
	size_t n;

	if (ms <= 0 || (all = sort_rows(before, &n)) == NULL)
		return;
	for (i = 0; i < st->n; i++)
		for (k = 0; k < st->instance[i].nrows; k++) {
			row = &st->instance[i].row[k];
			set_rates(&st->instance[i].row[k], bsearch(&row, all,
			    n, sizeof(*all), by_pid), ms);
		}
	free(all);
}
