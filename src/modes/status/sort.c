/* SPDX-License-Identifier: ISC */
/* The order of rows and instances. */
#include <stdlib.h>
#include <string.h>

#include "modes/status/status.h"

static int key, backwards;	/* arguments of compare_rows() */

static int
order(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int
order_bytes(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Large numbers and new connections come first, names in their order. */
static int
compare_rows(const void *pa, const void *pb)
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
		r = order_bytes(b->up_rate, a->up_rate);
		if (r == 0)
			r = order_bytes(b->up, a->up);
		break;
	case 'd':
		r = order_bytes(b->down_rate, a->down_rate);
		if (r == 0)
			r = order_bytes(b->down, a->down);
		break;
	default:
		r = order(a->age, b->age);
	}
	if (r == 0)
		r = order(a->pid, b->pid);
	return backwards ? -r : r;
}

static int
compare_instances(const void *pa, const void *pb)
{
	const struct status_instance *a = pa, *b = pb;
	int r = strcmp(a->report.mode, b->report.mode);

	return r != 0 ? r : strcmp(a->report.name, b->report.name);
}

void
status_sort(struct status *st, int by, int reversed)
{
	unsigned int i;

	key = by;
	backwards = reversed;
	if (st->n > 0)
		qsort(st->instance, st->n, sizeof(st->instance[0]),
		    compare_instances);
	for (i = 0; i < st->n; i++)
		if (st->instance[i].nrows > 0)
			qsort(st->instance[i].row, st->instance[i].nrows,
			    sizeof(st->instance[i].row[0]), compare_rows);
}
