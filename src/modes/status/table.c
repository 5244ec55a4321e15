/* SPDX-License-Identifier: ISC */
#include "modes/status/status.h"

int
status_table(const struct status_instance *in, struct out *o,
    unsigned int width, int keep_titles, int (*put)(void *arg), void *arg)
{
	unsigned int i;
	int r;

	report_table_head(o, &in->report, width);
	if (in->names.n > 0)
		report_table_name_columns(o);
	r = put(arg);
	for (i = 0; r == 0 && i < in->names.n; i++) {
		report_table_name(o, &in->names.of[i]);
		r = put(arg);
	}
	if (keep_titles || in->nrows > 0)
		report_table_columns(o, width);
	for (i = 0; r == 0 && i < in->nrows; i++) {
		report_table_row(o, &in->row[i], width);
		r = put(arg);
	}
	return r == 0 ? put(arg) : r;
}
