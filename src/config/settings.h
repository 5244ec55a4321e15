/* SPDX-License-Identifier: ISC */
/*
 * Private to config: words of the command line and lines of files, taken
 * apart, but not yet put into struct options.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "config/table.h"

#define OPT_SETTINGS_MAX	1024	/* of one command line, or of all files */
#define OPT_OPERANDS_MAX	8	/* kept, to name the unexpected one */

/* What names of options are made of. */
#define NAME_CHARS	"abcdefghijklmnopqrstuvwxyz0123456789-_"

struct setting {
	const struct option *row;
	const char *value;	/* NULL: none */
	const char *file;	/* NULL: the command line */
	int line;
};

struct settings {
	const char *whole;	/* the file that has the mode in force, or NULL */
	unsigned int n;
	struct setting v[OPT_SETTINGS_MAX];
};

/* The command line, taken apart. */
struct command_line {
	struct settings set;
	const char *operand[OPT_OPERANDS_MAX];
	unsigned int noperands;
	char **rest;		/* what follows "--", NULL: there is none */
};

/* 0, or -1 if there are too many. */
int settings_add(struct settings *, struct setting);

/* The last one whose value has the same place as the row's, or NULL. */
const struct setting *settings_find(const struct settings *,
    const struct option *row);

/* -1 and why: what is wrong with a setting, where it stands. */
int setting_fail(const struct setting *, struct error *, const char *err);

/* The last line of this name in that file, or NULL. */
const struct setting *settings_of_file(const struct settings *,
    const struct option *row, const char *file);

/*
 * Checks that the options belong to o->mode, and puts them in place.
 * 0, or -1 and why, which names the option and its place.
 */
int settings_apply(struct options *, const struct settings *, struct error *);

/*
 * Between the settings of files and those of the command line: forgets the
 * lists of files that the command line gives again, and what belongs to an
 * option that it has (struct option's replaces), so that no password of a file
 * goes to another proxy than the file's, nor to the server of another URL.
 */
void settings_replace(struct options *, const struct settings *cli);

/* nearest.c: what a word that is no operand may have been meant as, or "". */
void operand_hint(char *dst, size_t, const char *word,
    const struct settings *cli, enum mode);

/* argv without the program's name.  0, or -1 and why (64). */
int command_line_parse(struct command_line *, char **argv, struct error *);

/*
 * Takes a configuration file's text apart, in place: settings point into it.
 * 0, or -1 and why (78).
 */
int file_parse(struct settings *, const char *name, char *text,
    struct error *);

/*
 * Keeps for options_blame() which lines of files are in force: those of options
 * that the command line does not have.  0, or -1: there is no memory.
 */
int settings_keep(struct options *, const struct settings *files,
    const struct settings *cli);

/* Fills in the defaults of the table. */
void options_init(struct options *);

/*
 * effect.c: options that have no effect, or exclude each other, once all of
 * them are in place, and what the mode cannot do without.  0, or -1 and why,
 * which names what is needed.
 */
int effect_check(const struct options *, const struct settings *files,
    const struct settings *cli, struct error *);

#endif
