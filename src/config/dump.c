/* SPDX-License-Identifier: ISC */
/* What is in force, in the configuration file's syntax. */
#include <stdio.h>

#include "config/table.h"

/*
 * Mode and operands first, as a person would write it.  A default that can
 * have no effect would be an error in the file.
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
			    option_is_of(row, o->mode) &&
			    option_has_effect(o, row))
				row->type->dump(o, row, f);
}
