/* SPDX-License-Identifier: ISC */
/* Looking up options: by name, by letter, by a mistyped name. */
#include <string.h>

#include "config/table.h"

const struct option *
option_find(const char *name, size_t len)
{
	const struct option *row;

	for (row = option_table; row->name != NULL; row++)
		if (strlen(row->name) == len &&
		    memcmp(row->name, name, len) == 0)
			return row;
	return NULL;
}

const struct option *
option_next(const char **names)
{
	size_t len = *names == NULL ? 0 : strcspn(*names, "|");
	const struct option *row;

	if (len == 0)
		return NULL;
	row = option_find(*names, len);
	*names += len + ((*names)[len] == '|');
	return row;
}

const struct option *
option_letter(char letter)
{
	const struct option *row;

	for (row = option_table; row->name != NULL; row++)
		if (letter != 0 && row->letter == letter)
			return row;
	return NULL;
}

const char *
option_nearest(const char *name, size_t len, int in_file)
{
	const struct option *row;
	const char *best = NULL;
	unsigned int n, fewest = WORD_TOO_FAR;

	for (row = option_table; row->name != NULL; row++) {
		if (row->place != P_ANY &&
		    row->place != (in_file ? P_FILE : P_CLI))
			continue;
		n = word_distance(name, len, row->name);
		if (n < fewest) {
			fewest = n;
			best = row->name;
		}
	}
	return best;
}

const char *
option_choices(const struct option *row)
{
	return row->choices != NULL ? row->choices : row->type->choices;
}

int
option_in_mode(const struct option *row, enum mode mode)
{
	return (row->modes & MODE_BIT(mode)) != 0;
}

int
option_is_shown(const struct option *row)
{
	return row->place == P_ANY || row->place == P_CLI;
}
