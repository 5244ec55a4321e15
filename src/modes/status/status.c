/* SPDX-License-Identifier: ISC */
/*
 * status: shows what the instances on this machine do.  It reads their
 * statistics pages; no instance is asked.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "modes/modes.h"
#include "modes/status/status.h"
#include "os/memory.h"
#include "os/term.h"
#include "os/writefile.h"
#include "stats/metrics.h"
#include "stats/rundir.h"

#define SAMPLE_MS	50	/* between two looks, to compute rates */

/* Prints what o has, and empties it. */
static void
flush(struct out *o)
{
	fwrite(o->p, 1, o->len, stdout);
	out_begin(o, o->p, o->size);
}

/* The members of an instance's object, but "file". */
static void
show_json_of(const struct status_instance *in, struct out *o)
{
	unsigned int i;

	report_json_head(o, &in->report);
	out_add(o, ",\"names\":[");
	for (i = 0; i < in->names.n; i++) {
		out_add(o, "%s", i > 0 ? "," : "");
		report_json_name(o, &in->names.of[i]);
		flush(o);
	}
	out_add(o, "],\"tunnels\":[");
	for (i = 0; i < in->nrows; i++) {
		out_add(o, "%s", i > 0 ? "," : "");
		report_json_row(o, &in->row[i]);
		flush(o);
	}
	out_add(o, "]}");
	flush(o);
}

static void
show_json(const struct status *st)
{
	char buf[8192];
	struct out o;
	unsigned int i;

	out_begin(&o, buf, sizeof(buf));
	out_add(&o, "{\"instances\":[");
	for (i = 0; i < st->n; i++) {
		out_add(&o, "%s{\"file\":", i > 0 ? "," : "");
		out_json(&o, st->instance[i].file);
		out_add(&o, ",");
		show_json_of(&st->instance[i], &o);
	}
	out_add(&o, "]}\n");
	flush(&o);
}

static int
put(void *arg)
{
	flush(arg);
	return 0;
}

static void
show_table(const struct status *st)
{
	char buf[4096];
	struct out o;
	unsigned int i, columns = 0, lines;

	if (isatty(STDOUT_FILENO))
		term_size(&columns, &lines);
	out_begin(&o, buf, sizeof(buf));
	for (i = 0; i < st->n; i++) {
		if (i > 0)
			out_add(&o, "\n");
		status_table(&st->instance[i], &o, columns, 0, put, &o);
	}
}

/*
 * Writes metrics to the memory of memory_take(), which the caller returns.  0;
 * or -1 and why, unless there is exactly one instance: the names of metrics do
 * not tell instances apart.
 */
static int
put_metrics(const struct status *st, struct out *o, int openmetrics,
    struct error *why)
{
	struct metrics_form form = { openmetrics,
	    st->o->observe.metrics_names == 1 };

	if (st->n != 1)
		return error_set(why, EXIT_BADUSAGE, "%u instances are "
		    "running: name the page of one", st->n);
	out_begin(o, memory_take(METRICS_MAX), METRICS_MAX);
	metrics_write(o, &form, &st->instance[0].report,
	    &st->instance[0].names, NULL);
	return 0;
}

static int
show_metrics(const struct status *st, struct error *why)
{
	struct out o = { 0 };

	if (put_metrics(st, &o, 1, why) == -1)
		return -1;
	flush(&o);
	memory_return();
	return 0;
}

/*
 * In Prometheus' text format, the only one that node-exporter reads;
 * atomically.
 */
int
status_textfile(const struct status *st, struct error *why)
{
	struct out o = { 0 };
	int failed;

	if (put_metrics(st, &o, 0, why) == -1)
		return -1;
	failed = writefile(st->o->status.textfile, o.p, o.len) == -1;
	memory_return();
	if (failed)
		return error_set(why, EXIT_SYSTEM, "--textfile %s: %s",
		    st->o->status.textfile, errno == EINVAL ?
		    "not a regular file: remove it, or name another" :
		    strerror(errno));
	return 0;
}

static void
tell_nobody(void)
{
	char dir[RUNDIR_MAX];
	unsigned int i;

	fputs("inetws: no instance found in", stderr);
	for (i = 0; rundir_name(i, dir, sizeof(dir)) == 0; i++)
		fprintf(stderr, "%s %s", i > 0 ? " and" : "", dir);
	fputs("\n", stderr);
}

static int
look_twice(struct status *st, const struct options *o, struct error *why)
{
	struct status before;
	int r;

	if (status_look(&before, o, why) == -1)
		return -1;
	if (before.n > 0 && !o->status.openmetrics &&
	    o->status.textfile == NULL)
		usleep(SAMPLE_MS * 1000);
	r = status_look(st, o, why);
	if (r == 0) {
		status_rates(st, &before);
		status_sort(st, 'a', 0);
	}
	status_free(&before);
	return r;
}

int
status_main(const struct options *o)
{
	struct status st = { 0 };
	struct error why = { .status = EXIT_ENDED };
	int failed;

	if (o->status.watch)
		return status_watch(o);
	failed = look_twice(&st, o, &why) == -1;
	if (!failed && o->status.textfile != NULL)
		failed = status_textfile(&st, &why) == -1;
	else if (!failed && o->status.openmetrics)
		failed = show_metrics(&st, &why) == -1;
	else if (!failed && o->json)
		show_json(&st);
	else if (!failed) {
		show_table(&st);
		if (st.n == 0) {
			tell_nobody();
			why.status = EXIT_UNREACHABLE;
		}
	}
	/* The others are shown without this page. */
	if (!failed && st.denied > 0)
		fprintf(stderr, "inetws: %s\n", st.why.text);
	if (!failed && writefile_stdout() == -1)
		failed = error_set(&why, EXIT_SYSTEM, "standard output: %s",
		    strerror(errno)) == -1;
	if (failed) {
		options_blame(o, &why);
		fprintf(stderr, "inetws: %s\n", why.text);
	}
	status_free(&st);
	return why.status;
}
