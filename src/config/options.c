/* SPDX-License-Identifier: ISC */
/*
 * From words to struct options: the command line and the files it names are
 * taken apart into settings, then the mode is found, then every setting is
 * put in place, the files' first, so that the command line wins.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/table.h"

#define OPERANDS_MAX	8	/* kept, to name the first unexpected one */
#define SHOWN		80

/* The command line, taken apart. */
struct words {
	struct settings set;
	const char *operand[OPERANDS_MAX];
	unsigned int noperands;
	char **rest;		/* what follows "--", NULL: there is none */
};

int
setting_fail(const struct setting *s, struct error *why, const char *err)
{
	if (s->file != NULL)
		return error_set(why, EXIT_BADCONFIG, "%s:%d: %s: %s", s->file,
		    s->line, s->row->name, err);
	if (s->row->place == P_FILE)	/* an operand */
		return error_set(why, EXIT_BADUSAGE, "%s: %s", s->row->arg, err);
	return error_set(why, EXIT_BADUSAGE, "--%s: %s", s->row->name, err);
}

int
settings_add(struct settings *s, struct setting one)
{
	if (s->n == OPT_SETTINGS_MAX)
		return -1;
	s->v[s->n++] = one;
	return 0;
}

static int
add(struct words *w, const struct option *row, const char *value,
    struct error *why)
{
	if (settings_add(&w->set, (struct setting){ row, value, NULL, 0 }))
		return error_set(why, EXIT_BADUSAGE, "more than %d options",
		    OPT_SETTINGS_MAX);
	return 0;
}

static int
unknown(const char *word, size_t len, struct error *why)
{
	const char *name = word + strspn(word, "-"), *near;
	char shown[SHOWN], cut[SHOWN];

	near = option_nearest(name, word + len - name, 0);
	snprintf(cut, sizeof(cut), "%.*s", (int)len, word);
	return error_set(why, EXIT_BADUSAGE, "unknown option '%s'%s%s%s",
	    option_show(shown, sizeof(shown), cut),
	    near == NULL ? "; see inetws --help" : "; did you mean --",
	    near == NULL ? "" : near, near == NULL ? "" : "?");
}

/*
 * --name, --name=value, --name value; and with one dash the whole words of
 * another program (P_WORD).  Returns how many words that took, 0 if it is
 * none of these, or -1.
 */
static int
parse_long(struct words *w, char **argv, struct error *why)
{
	const char *word = *argv, *name = word + strspn(word, "-"), *value;
	size_t dashes = name - word, len = strcspn(name, "=");
	const struct option *row = option_find(name, len);
	int took = 1;

	if (dashes > 2 || row == NULL || row->place == P_FILE)
		return dashes == 1 ? 0 : unknown(word, dashes + len, why);
	if (dashes == 1 && row->place != P_WORD)
		return 0;
	value = name[len] == '=' ? name + len + 1 : NULL;
	if (value == NULL && row->arg != NULL) {
		value = argv[1];
		if (value == NULL)
			return error_set(why, EXIT_BADUSAGE,
			    "%s needs a value: %s", word, row->arg);
		took = 2;
	}
	if (value != NULL && row->arg == NULL && row->place != P_ANY)
		return error_set(why, EXIT_BADUSAGE, "--%s takes no value",
		    row->name);
	return add(w, row, value, why) == -1 ? -1 : took;
}

/* -v, -vk, -lX, -l X.  Returns as parse_long() does. */
static int
parse_short(struct words *w, char **argv, struct error *why)
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
			if (add(w, row, NULL, why) == -1)
				return -1;
			continue;
		}
		value = p[1] != '\0' ? p + 1 : argv[1];
		if (value == NULL)
			return error_set(why, EXIT_BADUSAGE,
			    "-%c needs a value: %s", *p, row->arg);
		return add(w, row, value, why) == -1 ? -1 :
		    p[1] != '\0' ? 1 : 2;
	}
	return 1;
}

static void
add_operand(struct words *w, const char *word)
{
	if (w->noperands < OPERANDS_MAX)
		w->operand[w->noperands++] = word;
}

static int
parse_words(struct words *w, char **argv, struct error *why)
{
	int took;

	memset(w, 0, sizeof(*w));
	while (*argv != NULL) {
		if (strcmp(*argv, "--") == 0) {
			w->rest = argv + 1;
			break;
		}
		if ((*argv)[0] != '-' || (*argv)[1] == '\0') {
			add_operand(w, *argv++);
			continue;
		}
		took = parse_long(w, argv, why);
		if (took == 0)
			took = parse_short(w, argv, why);
		if (took == -1)
			return -1;
		argv += took;
	}
	return 0;
}

/* The last setting of a type, or NULL. */
static const struct setting *
find(const struct settings *s, enum option_type type)
{
	unsigned int i;

	for (i = s->n; i > 0; i--)
		if (s->v[i - 1].row->type == type)
			return &s->v[i - 1];
	return NULL;
}

static int
read_files(struct options *o, struct settings *files,
    const struct settings *cli, struct error *why)
{
	const struct setting *s;
	char err[300], *text;

	for (s = cli->v; s < cli->v + cli->n; s++) {
		if (s->row->type != T_CONFIG)
			continue;
		text = file_read(o, s->value, err, sizeof(err));
		if (text == NULL)
			return error_set(why, EXIT_BADCONFIG, "%s", err);
		if (file_parse(files, s->value, text, why) == -1)
			return -1;
	}
	return 0;
}

/* A mode by name; what is wrong with it goes to err. */
static const struct mode_row *
want_mode(const char *name, char *err, size_t errlen)
{
	const struct mode_row *row = mode_find(name);
	const char *near = mode_nearest(name);
	char shown[SHOWN], modes[100];

	if (row != NULL && row->help != NULL)
		return row;
	modes_print(modes, sizeof(modes), modes_there(), " or ");
	option_show(shown, sizeof(shown), name);
	if (row != NULL)
		snprintf(err, errlen, "mode '%s' is not in this version",
		    shown);
	else
		snprintf(err, errlen, "unknown mode '%s': expected %s%s%s%s",
		    shown, modes,
		    near == NULL ? "" : "; did you mean ",
		    near == NULL ? "" : near, near == NULL ? "" : "?");
	return NULL;
}

/* The mode that a word of another program's command line implies. */
static const struct mode_row *
implied_mode(const struct settings *cli)
{
	const struct mode_row *row;
	unsigned int i;

	for (i = 0; i < cli->n; i++)
		for (row = mode_table; row->name != NULL; row++)
			if (cli->v[i].row->place == P_WORD &&
			    cli->v[i].row->modes == MODE_BIT(row->mode))
				return row;
	return NULL;
}

/*
 * The first operand if it is a mode's name, else what the spelling implies,
 * else what a file says.  NULL and why.
 */
static const struct mode_row *
choose_mode(struct words *w, const struct settings *files, struct error *why)
{
	const struct setting *set = find(files, T_MODE);
	const struct mode_row *row = NULL;
	char err[300], modes[100];

	if (w->noperands > 0 && mode_find(w->operand[0]) != NULL) {
		row = want_mode(w->operand[0], err, sizeof(err));
		w->noperands--;
		memmove(w->operand, w->operand + 1,
		    w->noperands * sizeof(w->operand[0]));
	} else if ((row = implied_mode(&w->set)) != NULL)
		;
	else if (set != NULL) {
		row = set->value == NULL ? NULL :
		    want_mode(set->value, err, sizeof(err));
		if (row == NULL)
			setting_fail(set, why, set->value == NULL ?
			    "needs a value: MODE" : err);
		return row;
	} else if (w->noperands > 0)
		want_mode(w->operand[0], err, sizeof(err));
	else
		snprintf(err, sizeof(err), "no mode given: expected %s; see "
		    "inetws --help", modes_print(modes, sizeof(modes),
		    modes_there(), " or "));
	if (row == NULL)
		error_set(why, EXIT_BADUSAGE, "%s", err);
	return row;
}

/* Has the command line itself said this already (as -remote_tcp X)? */
static int
is_given(const struct words *w, enum option_type type)
{
	return find(&w->set, type) != NULL;
}

/*
 * Hands the operands to the rows that the mode names, in their order; what
 * follows "--" is a program where a target may stand, else more operands.
 */
static int
place_operands(struct options *o, struct words *w,
    const struct mode_row *mode, struct error *why)
{
	const struct option *row;
	const char *const *name;
	unsigned int used = 0, takes_program = 0;
	char shown[SHOWN];

	for (name = mode->operands; *name != NULL; name++)
		if (strcmp(*name, "target") == 0)
			takes_program = 1;
	if (!takes_program)
		for (; w->rest != NULL && *w->rest != NULL; w->rest++)
			add_operand(w, *w->rest);
	for (name = mode->operands; *name != NULL; name++) {
		row = option_find(*name, strlen(*name));
		if (is_given(w, row->type) || used == w->noperands)
			continue;
		if (add(w, row, w->operand[used++], why) == -1)
			return -1;
	}
	if (used < w->noperands)
		return error_set(why, EXIT_BADUSAGE, "unexpected word '%s': "
		    "usage: inetws %s %s",
		    option_show(shown, sizeof(shown), w->operand[used]),
		    mode->name, mode->usage);
	if (!takes_program || w->rest == NULL)
		return 0;
	if (*w->rest == NULL)
		return error_set(why, EXIT_BADUSAGE, "-- needs a PROGRAM");
	if (is_given(w, T_TARGET))
		return error_set(why, EXIT_BADUSAGE, "'%s' and '-- %s': "
		    "expected a TARGET or a PROGRAM, not both",
		    option_show(shown, sizeof(shown),
		    find(&w->set, T_TARGET)->value), *w->rest);
	o->program = w->rest;
	return 0;
}

static int
is_missing(const struct options *o, enum option_type type)
{
	if (type == T_TARGET)
		return o->program == NULL && o->target.kind == ADDR_TCP &&
		    o->target.port == 0;
	return type == T_URL && o->url.path[0] == '\0';
}

/* Everything that one option alone cannot know. */
static int
finish(struct options *o, const struct mode_row *mode, struct error *why)
{
	const struct option *row;
	unsigned int i;

	for (i = 0; i < mode->required; i++) {
		row = option_find(mode->operands[i],
		    strlen(mode->operands[i]));
		if (is_missing(o, row->type))
			return error_set(why, EXIT_BADUSAGE, "the %s is "
			    "missing: usage: inetws %s %s", row->arg,
			    mode->name, mode->usage);
	}
	if (o->proxy.server != NULL && o->proxy.server->kind != PROXY_NONE &&
	    o->dial.unix_socket != NULL)
		return error_set(why, EXIT_BADUSAGE, "--unix-socket: goes "
		    "without a proxy, but there is a --proxy");
	if (o->timeouts.ping < 0)
		o->timeouts.ping = 2 * o->timeouts.ping_interval;
	return 0;
}

int
settings_apply(struct options *o, const struct settings *set, struct error *why)
{
	const struct setting *s;
	char err[300], modes[100];

	for (s = set->v; s < set->v + set->n; s++) {
		if ((s->row->modes & MODE_BIT(o->mode)) == 0) {
			modes_print(modes, sizeof(modes), s->row->modes,
			    " and ");
			snprintf(err, sizeof(err), "belongs to %s, not to %s",
			    modes, mode_name(o->mode));
			return setting_fail(s, why, err);
		}
		if (option_set(o, s->row, s->value, err, sizeof(err)) == -1)
			return setting_fail(s, why, err);
	}
	return 0;
}

/* --help, --version, --completions: 1 if one was asked for and answered. */
static int
answer(const struct words *w, struct error *why)
{
	const struct setting *shell = find(&w->set, T_COMPLETIONS);
	const struct mode_row *mode = NULL;

	if (find(&w->set, T_HELP) != NULL) {
		if (w->noperands > 0)
			mode = mode_find(w->operand[0]);
		if (mode == NULL || mode->help == NULL)
			mode = implied_mode(&w->set);
		help_print(mode == NULL ? MODE_NONE : mode->mode, stdout);
	} else if (find(&w->set, T_VERSION) != NULL)
		version_print(stdout);
	else if (shell == NULL)
		return 0;
	else if (completions_print(shell->value, stdout) == -1)
		return setting_fail(shell, why, "expected bash, zsh or fish");
	return 1;
}

static int
parse_all(struct options *o, struct words *w, struct settings *files,
    char **argv, struct error *why)
{
	const struct mode_row *mode;
	char **program;
	int answered;

	if (parse_words(w, argv, why) == -1)
		return -1;
	answered = answer(w, why);
	if (answered != 0)
		return answered == 1 ? OPT_DONE : -1;
	if (read_files(o, files, &w->set, why) == -1 ||
	    (mode = choose_mode(w, files, why)) == NULL)
		return -1;
	o->mode = mode->mode;
	if (place_operands(o, w, mode, why) == -1)
		return -1;
	program = o->program;
	if (settings_apply(o, files, why) == -1 ||
	    settings_apply(o, &w->set, why) == -1)
		return -1;
	if (program != NULL)
		o->program = program;
	if (finish(o, mode, why) == -1)
		return -1;
	if (find(&w->set, T_DUMP) == NULL)
		return OPT_RUN;
	options_dump(o, stdout);
	return OPT_DONE;
}

/* The lists of words are large and soon done with. */
int
options_parse(struct options *o, int argc, char **argv, struct error *why)
{
	struct words *w = malloc(sizeof(*w));
	struct settings *files = calloc(1, sizeof(*files));
	int status;

	options_init(o);
	o->argv = argv;
	if (w == NULL || files == NULL)
		status = error_set(why, EXIT_SYSTEM, "out of memory");
	else
		status = parse_all(o, w, files, argc > 0 ? argv + 1 : argv,
		    why);
	if (status == OPT_DONE && (fflush(stdout) == EOF || ferror(stdout)))
		status = error_set(why, EXIT_SYSTEM, "standard output: %m");
	if (status != OPT_RUN)
		options_free(o);
	free(w);
	free(files);
	return status;
}
