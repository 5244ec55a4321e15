/* SPDX-License-Identifier: ISC */
/*
 * What status*.c share: the instances that were found, and their rows.
 */
#ifndef MODES_STATUS_STATUS_H
#define MODES_STATUS_STATUS_H

#include <stddef.h>
#include <stdint.h>

#include "config/options.h"
#include "stats/report.h"

struct status_instance {
	char file[256];
	struct report report;
	struct report_row *row;
	unsigned int nrows;
	struct report_names names;
};

/* One look at everything. */
struct status {
	const struct options *o;
	int64_t at;			/* of clock_ms() */
	struct status_instance *instance;
	unsigned int n;
	unsigned int denied;		/* others that may not be seen */
	struct error why;			/* of the last one */
};

/* Looks; what o->status.page names, or all there are.  0, or -1 and why. */
int status_look(struct status *, const struct options *, struct error *);
void status_free(struct status *);

/* Fills in the rates, by an earlier look. */
void status_rates(struct status *, const struct status *before);

/*
 * Sorts the rows of each instance by a key of status_keys, the instances by
 * mode and name.
 */
#define STATUS_KEYS	"ptsaiud"
void status_sort(struct status *, int key, int backwards);

/* --textfile: writes it.  0, or -1 and why. */
int status_textfile(const struct status *, struct error *);

/* Goes on until told to end; the exit status. */
int status_watch(const struct options *);

#endif
