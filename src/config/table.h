/* SPDX-License-Identifier: ISC */
/*
 * Private to options*.c, help.c and completions.c (and their tests): the
 * table of options, the table of modes, and what is made from them.
 *
 * To add an option: a field in struct options and a row in options_table.c.
 * To add a mode: a word in enum mode and a row there.
 */
#ifndef CONFIG_TABLE_H
#define CONFIG_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "config/options.h"

#define OPT_SETTINGS_MAX	1024	/* words of one command line or file */
#define OPT_FILE_MAX		65536	/* bytes of a configuration file */

enum option_type {
	T_FLAG,		/* int, set to min */
	T_COUNT,	/* int, one more each time */
	T_NUMBER,	/* unsigned int, min..max */
	T_SIZE,		/* uint32_t, min..max bytes */
	T_DURATION,	/* int64_t, ms */
	T_DRAIN,	/* int64_t, ms or "leave" */
	T_LIMIT,	/* int64_t, ms; without a value max */
	T_FACILITY,	/* int, of syslog; without a value daemon */
	T_CHOICE,	/* int, place of the word in arg, which reads "a|b" */
	T_TEXT,		/* const char *, no control characters */
	T_TOKEN,	/* const char *, RFC 9110 5.6.2 */
	T_PATH,		/* const char *, a URL's path without query */
	T_FILE,		/* const char *, name of a file or folder */
	T_PAGE,		/* the same, as an operand */
	T_LISTEN,	/* the list in listen, nlisten */
	T_ADDRESS,	/* const struct addr *, to listen on */
	T_HEADER,	/* struct opt_list of fields for a server */
	T_PROXY_HEADER,	/* the same for a proxy */
	T_SECRET,	/* struct opt_secret, USER:PASSWORD or @FILE */
	T_PROXY,	/* const struct proxy * */
	T_NOPROXY,	/* const char *, may be empty */
	T_SOCKET,	/* const struct addr *, by its path */
	T_RESOLVE,	/* struct opt_list of words of override_resolve() */
	T_CONNECT_TO,	/* struct opt_list of words of override_connect() */
	T_ORIGIN,	/* struct opt_list of Origins */
	T_NETWORK,	/* struct opt_list of networks */
	T_REAL_IP,	/* int, enum real_ip by the field's name */
	T_VERSION_12,	/* int, "v1" (also without a value) or "v2" */
	T_PROGRAM,	/* char **, a program and its arguments */
	T_TARGET, T_URL, T_MODE,
	/* words that ask for something else than running */
	T_CONFIG, T_DUMP, T_HELP, T_VERSION, T_COMPLETIONS
};

/* Where an option may stand. */
enum option_place {
	P_ANY,		/* command line and file */
	P_CLI,		/* command line only */
	P_HIDDEN,	/* the same, and not in the help */
	P_WORD,		/* the same, one dash is enough; implies its mode */
	P_FILE		/* file only */
};

#define MODE_BIT(m)	(1u << (m))

struct option {
	const char *name;
	char letter;		/* 0: none */
	enum option_place place;
	enum option_type type;
	const char *arg;	/* what the help calls the value, NULL: none */
	size_t offset;		/* into struct options */
	unsigned int modes;	/* MODE_BIT of those it belongs to */
	int64_t min, max;
	const char *def;	/* as it would be written, NULL: none */
	const char *help;
};

struct mode_row {
	enum mode mode;
	const char *name;
	const char *operands[3];	/* rows' names in their order */
	unsigned int required;		/* how many of them must be given */
	const char *usage;		/* what follows "inetws NAME" */
	const char *help;		/* NULL: reserved, not there yet */
};

extern const struct option option_table[];	/* ended by name NULL */
extern const struct mode_row mode_table[];	/* ended by name NULL */

const struct option *option_find(const char *name, size_t len);
const struct option *option_letter(char);
const struct mode_row *mode_find(const char *name);
const struct mode_row *mode_of(enum mode);

/* The name that a mistyped one was probably meant to be, or NULL. */
const char *option_nearest(const char *name, size_t len, int in_file);
const char *mode_nearest(const char *name);

/* The modes that are there, as a bit mask. */
unsigned int modes_there(void);

/* "server, client or connect": the modes of a mask, last being " or ". */
char *modes_print(char *dst, size_t size, unsigned int modes,
    const char *last);

/* A word for a message: escaped, cut, without the userinfo of a URL. */
char *option_show(char *dst, size_t size, const char *word);

/* Fills in the defaults of the table. */
void options_init(struct options *);

/* Memory that lasts until options_free(); NULL if there is none. */
void *options_alloc(struct options *, size_t);

/*
 * Puts one value, NULL for none, where the row says.  The string must stay.
 * 0, or -1 and err, which does not name the option.
 */
int option_set(struct options *, const struct option *, const char *value,
    char *err, size_t errlen);

/* The same for the types from T_HEADER to T_CONNECT_TO. */
int option_set_dial(struct options *, const struct option *,
    const char *value, char *err, size_t errlen);

/* -1, and err: the value is not what was expected. */
int option_fail(char *err, size_t errlen, const char *value,
    const char *expected);

/* 0, or -1 and err: the list is full. */
int option_list_add(struct opt_list *, const char *value, char *err,
    size_t errlen);

/* options_words.c: values of their own kinds; returns as option_set(). */
int option_limit(int64_t *to, const struct option *, const char *value,
    char *err, size_t errlen);
int option_facility(int *to, const char *value, char *err, size_t errlen);

/* The name of a facility. */
const char *option_facility_name(int facility);

/* One word of the command line or line of a file, yet to be put in place. */
struct setting {
	const struct option *row;
	const char *value;	/* NULL: none */
	const char *file;	/* NULL: the command line */
	int line;
};

struct settings {
	unsigned int n;
	struct setting v[OPT_SETTINGS_MAX];
};

/*
 * Checks that the options belong to o->mode, and puts them in place.
 * 0, or -1 and why, which names the option and its place.
 */
int settings_apply(struct options *, const struct settings *, struct error *);

/* -1 and why: what is wrong with a setting, where it stands. */
int setting_fail(const struct setting *, struct error *, const char *err);

/* 0, or -1 if there are too many. */
int settings_add(struct settings *, struct setting);

/*
 * Reads a whole file, at most OPT_FILE_MAX bytes, NUL-terminated, without
 * NULs inside.  NULL and err.  *o owns the text.
 */
char *file_read(struct options *o, const char *path, char *err,
    size_t errlen);

/*
 * Takes a configuration file's text apart, in place: settings point into it.
 * 0, or -1 and why (78).
 */
int file_parse(struct settings *, const char *name, char *text,
    struct error *);

/*
 * Splits "prog arg "an arg"" into a NULL-terminated vector that *o owns.
 * NULL if there is no word or a quote is not closed.
 */
char **words_split(struct options *o, const char *line);

/* Writes what is in force, as file_parse() reads it. */
void options_dump(const struct options *, FILE *);

void help_print(enum mode, FILE *);
void version_print(FILE *);

/* 0, or -1 if there is no such shell. */
int completions_print(const char *shell, FILE *);

#endif
