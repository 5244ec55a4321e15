/* SPDX-License-Identifier: ISC */
/*
 * Private to config (and its tests): the table of options and the table of
 * modes.  The parser, configuration files, --help, --dump-config, completions,
 * reload, and the checks of options that need or exclude others are made from
 * them.
 *
 * CONTRIBUTING.md says how to add an option or a mode.
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

/* What a shell completes as the value of an option. */
enum option_complete {
	COMPLETE_NOTHING,
	COMPLETE_FILE,
	COMPLETE_AT_FILE,	/* a file, after '@' */
	COMPLETE_UNIX		/* a socket, after "unix:" */
};

/* A type of value.  types.c and types_network.c have all of them. */
struct option_type {
	/*
	 * Checks a value and writes it to the member of struct options that
	 * the row names.  0, or -1 with err, which does not name the option.
	 * NULL: the option has no member.
	 */
	int (*parse)(const struct value *);

	/*
	 * Writes the lines for --dump-config.  NULL: none.  Secrets are left
	 * out, and compared at HUP by the table in config/reload.c.
	 */
	void (*dump)(const struct options *, const struct option *, FILE *);

	/* Is the option in use, by its value alone?  NULL: always. */
	int (*is_on)(const void *field, const struct option *);

	/* Of texts: is it valid?  expected: what it should be, for errors. */
	int (*fits)(const char *);
	const char *expected;

	const char *choices;		/* "a|b" */
	enum option_complete complete;
	unsigned int optional : 1;	/* may be given without a value */
	unsigned int repeatable : 1;	/* may be given several times */
};

/* Where an option may be given. */
enum option_place {
	P_ANY,		/* on the command line and in a file */
	P_CLI,		/* on the command line only */
	P_HIDDEN,	/* the same; --help does not show it */
	P_COMPAT,	/* the same; an option of the program
			 * trazfr/tcp-over-websocket: one dash is enough, and
			 * it implies its mode */
	P_FILE		/* in a file only; on the command line an operand */
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

/* What HUP may change (options_reload()). */
enum option_hup {
	HUP_RENEWS,	/* a new value is used from then on, and parked
			 * websockets, which have the old one, are replaced */
	HUP_KEEPS,	/* a new value is used from then on, and means nothing
			 * to a parked websocket */
	HUP_FIXED,	/* a new value needs a restart */
	HUP_FIXED_USE	/* the same for the first value, and for no value; a
			 * value in the place of another one is used */
};

/* A condition that names of other options cannot express. */
struct option_rule {
	int (*holds)(const struct options *);
	const char *needs;	/* for an error: "needs ..." */
};

/* A row of the table of options. */
struct option {
	const char *name;
	char letter;		/* 0: none */
	const char *arg;	/* the value's name in --help, NULL: it has no
				 * value */
	const char *choices;	/* "a|b", NULL: those of the type, if any */
	const struct option_type *type;
	size_t offset, size;	/* of its member in struct options */
	int64_t min, max;	/* what they mean is in types.h */
	const char *def;	/* default, as a user writes it, NULL: none */
	unsigned int modes;	/* MODE_BIT() of those that have it */
	enum option_place place;
	enum option_group group;
	enum option_hup hup;

	/*
	 * "a|b": the option has no effect unless one of these is in use.  Names
	 * of options that the mode does not have are ignored, and if it has
	 * none of them, nothing is needed.
	 */
	const char *needs;
	const char *excludes;	/* "a|b": an error together with these */

	/*
	 * "a|b": the options that belong to this one.  If the command line has
	 * this one, values that a configuration file gives to them are dropped
	 * (settings_replace()).
	 */
	const char *replaces;
	const struct option_rule *rule;	/* NULL: none */
	unsigned int common : 1;	/* --help shows it under "Most used" */
	unsigned int once : 1;		/* an error if given twice */
	const char *help;
};

/* A row of the table of modes. */
struct mode_row {
	enum mode mode;
	const char *name;
	const char *operands[3];	/* names of options, in their order */
	unsigned int required;		/* how many of them must be given */
	const char *usage;		/* what follows "inetws NAME" */
	const char *help;
	struct mode_need {		/* options that it cannot do without */
		const char *names;	/* "a|b": one of these must be in use */
		const char *what;	/* for the error if none is */
	} needs[2];
};

extern const struct option option_table[];	/* ended by name NULL */
extern const struct mode_row mode_table[];	/* ended by name NULL */

/* effect.c: the rules of the table */
extern const struct option_rule rule_target, rule_program, rule_network,
    rule_subprotocol, rule_proxy, rule_http_proxy, rule_https_proxy, rule_tls12,
    rule_ping, rule_dials, rule_addresses, rule_told, rule_trusted, rule_ready,
    rule_pages, rule_chroot;

/* Does this option have an effect, together with the others of *o? */
int option_has_effect(const struct options *, const struct option *);

/* names.c: the row with this name (of len bytes) or letter, or NULL. */
const struct option *option_find(const char *name, size_t len);
const struct option *option_letter(char);

/* Takes the first name off "a|b" and returns its row; NULL at the end. */
const struct option *option_next(const char **names);

/*
 * The option whose name is most like a mistyped one, or NULL.  in_file: of a
 * configuration file, else of the command line.
 */
const char *option_nearest(const char *name, size_t len, int in_file);

/* The words that may be the value, "a|b"; NULL: other values are possible. */
const char *option_choices(const struct option *);

/* Has a mode this option?  Do --help and completions show the option? */
int option_in_mode(const struct option *, enum mode);
int option_is_shown(const struct option *);

/* modes.c: the row with this name, or of this mode, or NULL. */
const struct mode_row *mode_find(const char *name);
const struct mode_row *mode_of(enum mode);

/* The mode whose name is like a mistyped one, or NULL. */
const char *mode_nearest(const char *name);

/*
 * Writes the names of the modes in a mask of MODE_BIT(), with last before the
 * last one: "server, client or connect" with " or ".  MODES_ALL: of all modes.
 * Returns dst.
 */
#define MODES_ALL	(~0u)
char *modes_print(char *dst, size_t size, unsigned int modes,
    const char *last);

/*
 * nearest.c: the number of typing errors in a word of len bytes that was meant
 * to be name (edit distance); WORD_TOO_FAR if it is more likely another word.
 */
#define WORD_TOO_FAR	32u
unsigned int word_distance(const char *word, size_t len, const char *name);

/* --dump-config: writes the options in use as a configuration file. */
void options_dump(const struct options *, FILE *);

/* --help, of a mode or (MODE_NONE) of all; --version. */
void help_print(enum mode, FILE *);
void version_print(FILE *);

/* --completions: 0, or -1 if the shell is not known. */
int completions_print(const char *shell, FILE *);

#endif
