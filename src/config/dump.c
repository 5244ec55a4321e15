/* SPDX-License-Identifier: ISC */
/* --dump-config: the options in use, as a configuration file. */
#include <stdio.h>

#include "config/table.h"

/*
 * Mode and operands come first.  Options that have no effect are left out, as
 * they would be errors in a file; they have their default.
 */
void
options_dump(const struct options *o, FILE *f)
{
	static const enum option_place order[] = { P_FILE, P_ANY };
	const struct option *row;
	size_t i;

	for (i = 0; i < 2; i++)
		for (row = option_table; row->name != NULL; row++)
			if (row->place == order[i] && row->type->dump != NULL &&
			    option_in_mode(row, o->mode) &&
			    option_has_effect(o, row))
				row->type->dump(o, row, f);
}
