/* SPDX-License-Identifier: ISC */
/* The command line: its words become settings and operands. */
#include <stdio.h>
#include <string.h>

#include "config/settings.h"
#include "config/types.h"

static int
add(struct command_line *c, const struct option *row, const char *value,
    struct error *why)
{
	if (settings_add(&c->set, (struct setting){ row, value, NULL, 0 }))
		return error_set(why, EXIT_BADUSAGE, "more than %d options",
		    OPT_SETTINGS_MAX);
	return 0;
}

static int
unknown(const char *word, size_t len, struct error *why)
{
	const char *name = word + strspn(word, "-"), *near;
	char shown[80], cut[80];

	near = option_nearest(name, word + len - name, 0);
	snprintf(cut, sizeof(cut), "%.*s", (int)len, word);
	return error_set(why, EXIT_BADUSAGE, "unknown option '%s'%s%s%s",
	    word_show(shown, sizeof(shown), cut),
	    near == NULL ? "" : "; did you mean --",
	    near == NULL ? "" : near, near == NULL ? "" : "?");
}

/*
 * Parses --name, --name=value or --name value; with one dash only the names of
 * P_COMPAT. How many words that took, 0 if it is none of these, or -1.
 */
static int
parse_long(struct command_line *c, char **argv, struct error *why)
{
	const char *word = *argv, *name = word + strspn(word, "-"), *value;
	size_t dashes = name - word, len = strcspn(name, "=");
	const struct option *row = option_find(name, len);
	int took = 1;

	if (dashes > 2 || row == NULL || row->place == P_FILE)
		return dashes == 1 ? 0 : unknown(word, dashes + len, why);
	if (dashes == 1 && row->place != P_COMPAT)
		return 0;
	value = name[len] == '=' ? name + len + 1 : NULL;
	if (value == NULL && row->arg != NULL && !row->type->optional) {
		value = argv[1];
		if (value == NULL)
			return error_set(why, EXIT_BADUSAGE,
			    "%s needs a value: %s", word, row->arg);
		took = 2;
	}
	if (value != NULL && row->arg == NULL && row->place != P_ANY)
		return error_set(why, EXIT_BADUSAGE, "--%s takes no value",
		    row->name);
	return add(c, row, value, why) == -1 ? -1 : took;
}

/* Parses -v, -vk, -lX or -l X.  Returns the same as parse_long(). */
static int
parse_short(struct command_line *c, char **argv, struct error *why)
{
	const struct option *row;
	const char *p, *value;

	for (p = *argv + 1; *p != '\0'; p++) {
		row = option_letter(*p);
		if (row == NULL && p == *argv + 1)
			return unknown(*argv, strlen(*argv), why);
		if (row == NULL) {
			char letter[] = { '-', *p, '\0' };

			return unknown(letter, 2, why);
		}
		if (row->arg == NULL) {
			if (add(c, row, NULL, why) == -1)
				return -1;
			continue;
		}
		value = p[1] != '\0' ? p + 1 : argv[1];
		if (value == NULL)
			return error_set(why, EXIT_BADUSAGE,
			    "-%c needs a value: %s", *p, row->arg);
		return add(c, row, value, why) == -1 ? -1 :
		    p[1] != '\0' ? 1 : 2;
	}
	return 1;
}

int
command_line_parse(struct command_line *c, char **argv, struct error *why)
{
	char err[ERROR_LINE_MAX], shown[80];
	int took;

	c->set.n = c->noperands = 0;
	c->rest = NULL;
	while (*argv != NULL) {
		if (strcmp(*argv, "--") == 0) {
			c->rest = argv + 1;
			break;
		}
		if (word_is_pasted(*argv, err, sizeof(err)))
			return error_set(why, EXIT_BADUSAGE, "'%s' %s",
			    word_show(shown, sizeof(shown), *argv), err);
		if ((*argv)[0] != '-' || (*argv)[1] == '\0') {
			if (c->noperands < OPT_OPERANDS_MAX)
				c->operand[c->noperands++] = *argv;
			argv++;
			continue;
		}
		took = parse_long(c, argv, why);
		if (took == 0)
			took = parse_short(c, argv, why);
		if (took == -1)
			return -1;
		argv += took;
	}
	return 0;
}
