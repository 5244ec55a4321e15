/* SPDX-License-Identifier: ISC */
/*
 * Private to config: settings.  A setting is an option with a value as it was
 * read from the command line or a file, before it is checked and written to
 * struct options.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "config/table.h"

#define OPT_SETTINGS_MAX	1024	/* of a command line, or of all files */
#define OPT_OPERANDS_MAX	8	/* more than any mode takes, to name the
					 * unexpected one in the error */

/* The characters of the names of options. */
#define NAME_CHARS	"abcdefghijklmnopqrstuvwxyz0123456789-_"

struct setting {
	const struct option *row;
	const char *value;	/* NULL: none */
	const char *file;	/* that it is from, NULL: the command line */
	int line;		/* of the file, from 1 */
};

struct settings {
	const char *mode_file;	/* the file with the line "mode", or NULL */
	unsigned int n;
	struct setting v[OPT_SETTINGS_MAX];
};

/* The parts of the command line. */
struct command_line {
	struct settings set;
	const char *operand[OPT_OPERANDS_MAX];
	unsigned int noperands;
	char **rest;		/* what follows "--", NULL: there is no "--" */
};

/* Adds a setting.  0, or -1 if there are too many. */
int settings_add(struct settings *, struct setting);

/* The last setting of this option, or of one with the same member, or NULL. */
const struct setting *settings_find(const struct settings *,
    const struct option *row);

/*
 * Makes an error of err, with the place and the name of a setting.  Returns -1.
 */
int setting_fail(const struct setting *, struct error *, const char *err);

/* The last setting of this option in that file, or NULL. */
const struct setting *settings_of_file(const struct settings *,
    const struct option *row, const char *file);

/*
 * Checks each setting and writes it to struct options; the option must be one
 * of o->mode.  0, or -1 and why, which names the option and its place.
 */
int settings_apply(struct options *, const struct settings *, struct error *);

/*
 * To be called after the settings of files were applied and before those of the
 * command line are.  Drops the values that the command line replaces: lists of
 * files, and the options that belong to one (replaces of struct option).  So a
 * password of a file does not go to another proxy than the file's, nor to the
 * server of another URL.
 */
void settings_replace(struct options *, const struct settings *cli);

/*
 * nearest.c: a hint what a word that is no operand may have been meant as, or
 * "".
 */
void operand_hint(char *dst, size_t, const char *word,
    const struct settings *cli, enum mode);

/* Parses argv without the program's name.  0, or -1 and why (64). */
int command_line_parse(struct command_line *, char **argv, struct error *);

/*
 * Parses the text of a configuration file and adds its settings, which point
 * into the text; the text is changed.  0, or -1 and why (78).
 */
int file_parse(struct settings *, const char *name, char *text,
    struct error *);

/*
 * Remembers for options_blame() the lines of files that the command line does
 * not replace.  0, or -1: out of memory.
 */
int settings_keep(struct options *, const struct settings *files,
    const struct settings *cli);

/* Sets the defaults of the table. */
void options_init(struct options *);

/*
 * effect.c, once all settings are applied: an error if an option has no effect,
 * if two exclude each other, or if something is missing that the mode needs.
 * 0, or -1 and why.
 */
int effect_check(const struct options *, const struct settings *files,
    const struct settings *cli, struct error *);

#endif
