/* SPDX-License-Identifier: ISC */
/*
 * Private to config (and its tests): the table of options and the table of
 * modes.  Parser, configuration file, --help, --dump-config, completions,
 * reload and the checks of options that need or exclude others are made from
 * them alone.
 *
 * To add an option: a field in struct options, a row in table.c, a paragraph
 * in man/inetws.1.  To add a mode: a word in enum mode and a row in modes.c.
 */
#ifndef CONFIG_TABLE_H
#define CONFIG_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "config/options.h"

#define MODE_BIT(m)	(1u << (m))

struct option;
struct value;

/* What a shell completes after the option. */
enum option_complete {
	COMPLETE_NOTHING,
	COMPLETE_FILE,
	COMPLETE_AT_FILE	/* after '@' */
};

/* A kind of value.  types.c and types_network.c have them all. */
struct option_type {
	/*
	 * Puts a value where the row says.  0, or -1 and err, which does not
	 * name the option.  NULL: there is nothing to put.
	 */
	int (*parse)(const struct value *);
	/* Writes lines that file_parse() reads.  NULL: never shown. */
	void (*dump)(const struct options *, const struct option *, FILE *);
	/* Is the option in use, by the value alone?  NULL: always. */
	int (*is_on)(const void *field, const struct option *);
	/* Of texts: whether it fits, and what it should be. */
	int (*fits)(const char *);
	const char *expected;
	const char *choices;		/* "a|b" */
	enum option_complete complete;
	unsigned int optional : 1;	/* may be given without a value */
	unsigned int repeatable : 1;
};

/* Where an option may be given. */
enum option_place {
	P_ANY,		/* command line and file */
	P_CLI,		/* command line only */
	P_HIDDEN,	/* the same, and not in the help */
	P_WORD,		/* the same, one dash is enough; implies its mode */
	P_FILE		/* file only; on the command line an operand */
};

/* Headings of the help. */
enum option_group {
	GROUP_ENDPOINTS,
	GROUP_REQUEST,
	GROUP_TLS,
	GROUP_PROXIES,
	GROUP_ACCESS,
	GROUP_TIMEOUTS,
	GROUP_LIMITS,
	GROUP_REVERSE,
	GROUP_SERVICE,
	GROUP_LOGGING,
	GROUP_OUTPUT,
	GROUP_GENERAL,
	GROUP_COUNT
};

/* What HUP may change. */
enum option_hup {
	HUP_RENEWS,
	HUP_FIXED,	/* a new value needs a restart */
	HUP_FIXED_USE	/* a new value is taken, but not the first or none */
};

/* A condition that names of other options cannot express. */
struct option_rule {
	int (*holds)(const struct options *);
	const char *needs;	/* what makes it hold, for a message */
};

struct option {
	const char *name;
	char letter;		/* 0: none */
	const char *arg;	/* what the help calls the value, NULL: none */
	const char *choices;	/* "a|b", NULL: those of the type, if any */
	const struct option_type *type;
	size_t offset, size;	/* of its place in struct options */
	int64_t min, max;
	const char *def;	/* as it would be written, NULL: none */
	unsigned int modes;	/* MODE_BIT of those it belongs to */
	enum option_place place;
	enum option_group group;
	enum option_hup hup;
	/*
	 * "a|b": without at least one of these the option has no effect.
	 * Those that the mode does not have are not looked at, and if it has
	 * none of them nothing is needed.
	 */
	const char *needs;
	const char *excludes;	/* "a|b": not together with these */
	/*
	 * "a|b": what belongs to this one.  Those of a configuration file go
	 * when the command line has this one.  settings.c has when a URL does.
	 */
	const char *replaces;
	const struct option_rule *rule;
	unsigned int common : 1;	/* among the first of the help */
	unsigned int once : 1;		/* not twice in one place */
	const char *help;
};

struct mode_row {
	enum mode mode;
	const char *name;
	const char *operands[3];	/* rows' names in their order */
	unsigned int required;		/* how many of them must be given */
	const char *usage;		/* what follows "inetws NAME" */
	const char *help;
	struct mode_need {
		const char *names;	/* "a|b": at least one of these */
		const char *what;	/* they say so */
	} needs[2];
};

extern const struct option option_table[];	/* ended by name NULL */
extern const struct mode_row mode_table[];	/* ended by name NULL */

/* effect.c: the rules of the table */
extern const struct option_rule rule_target, rule_program, rule_network,
    rule_any, rule_proxy, rule_http_proxy, rule_https_proxy, rule_tls12,
    rule_ping, rule_dials, rule_addresses, rule_told, rule_trusted, rule_ready,
    rule_pages, rule_chroot;

/* Can this option have an effect, as the others are? */
int option_has_effect(const struct options *, const struct option *);

/* names.c */
const struct option *option_find(const char *name, size_t len);
const struct option *option_letter(char);

/* The next row of "a|b", or NULL at its end. */
const struct option *option_next(const char **names);

/* The name that a mistyped one was probably meant to be, or NULL. */
const char *option_nearest(const char *name, size_t len, int in_file);

/* "a|b", or NULL if any value will do. */
const char *option_choices(const struct option *);

/* Has a mode this option, and its help and its completions too? */
int option_is_of(const struct option *, enum mode);
int option_is_shown(const struct option *);

/* modes.c */
const struct mode_row *mode_find(const char *name);
const struct mode_row *mode_of(enum mode);
const char *mode_nearest(const char *name);

/*
 * "server, client or connect": the modes of a mask, the last after " or ".
 * MODES_ALL means all there are.  Returns dst.
 */
#define MODES_ALL	(~0u)
char *modes_print(char *dst, size_t size, unsigned int modes,
    const char *last);

/* nearest.c: letters that differ; WORD_TOO_FAR if it is another word. */
#define WORD_TOO_FAR	32u
unsigned int word_slips(const char *word, size_t len, const char *name);

/* Writes what is in force, as file_parse() reads it. */
void options_dump(const struct options *, FILE *);

void help_print(enum mode, FILE *);
void version_print(FILE *);

/* 0, or -1 if there is no such shell. */
int completions_print(const char *shell, FILE *);

#endif
