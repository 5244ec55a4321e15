/* SPDX-License-Identifier: ISC */
/*
 * Private to status: the instances that were found, and their rows.
 */
#ifndef MODES_STATUS_STATUS_H
#define MODES_STATUS_STATUS_H

#include <stddef.h>
#include <stdint.h>

#include "config/options.h"
#include "stats/report.h"

/* An instance. */
struct status_instance {
	char file[256];			/* path of its page */
	struct report report;
	struct report_row *row;
	unsigned int nrows;
	struct report_names names;
};

/* What all instances did at a time. */
struct status {
	const struct options *o;
	int64_t at;			/* of clock_ms() */
	struct status_instance *instance;
	unsigned int n;
	unsigned int denied;		/* pages that could not be read */
	struct error why;		/* ... the last of them */
};

/*
 * look.c: reads the page that o->status.page names, or all pages.  0, and
 * status_free() frees it; or -1 and why.
 */
int status_look(struct status *, const struct options *, struct error *);
void status_free(struct status *);

/* Fills in the rates of rows, by their numbers at an earlier time. */
void status_rates(struct status *, const struct status *before);

/*
 * sort.c: sorts the rows of each instance by one of these keys (peer, target,
 * state, age, idle, up, down), and the instances by mode and name.
 */
#define STATUS_KEYS	"ptsaiud"
void status_sort(struct status *, int key, int backwards);

/*
 * table.c: writes the table of an instance, with lines of at most width
 * characters (0: any), and calls put(arg) after each line or two, to print what
 * o has and to empty it.  The titles of the columns are left out if there is no
 * row, unless keep_titles.  0, or what put returned if that is not 0.
 */
int status_table(const struct status_instance *, struct out *,
    unsigned int width, int keep_titles, int (*put)(void *arg), void *arg);

/* --textfile: replaces the file.  0, or -1 and why. */
int status_textfile(const struct status *, struct error *);

/* watch.c: --watch.  The exit status. */
int status_watch(const struct options *);

#endif
