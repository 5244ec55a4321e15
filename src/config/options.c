/* SPDX-License-Identifier: ISC */
/*
 * Fills in struct options.  The command line and the files that it names become
 * lists of settings; then the mode is chosen; then all settings are checked and
 * applied, those of files first, so that the command line overrides them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/settings.h"
#include "config/topics.h"
#include "config/types.h"
#include "os/writefile.h"

static const struct option *
row_of(const char *name)
{
	return option_find(name, strlen(name));
}

/* Is an option or operand on the command line? */
static int
is_given(const struct command_line *c, const char *name)
{
	return settings_find(&c->set, row_of(name)) != NULL;
}

static int
read_files(struct options *o, struct settings *files,
    const struct settings *cli, struct error *why)
{
	const struct setting *s;
	char err[300], *text;

	for (s = cli->v; s < cli->v + cli->n; s++) {
		if (s->row->type != &type_config)
			continue;
		text = options_file(o, s->value, err, sizeof(err));
		if (text == NULL)
			return error_set(why, EXIT_BADCONFIG, "%s", err);
		if (file_parse(files, s->value, text, why) == -1)
			return -1;
	}
	return 0;
}

/* The mode with this name; NULL and err. */
static const struct mode_row *
want_mode(const char *name, char *err, size_t errlen)
{
	const struct mode_row *row = mode_find(name);
	const char *near = mode_nearest(name);
	char shown[80], modes[100];

	if (row == NULL)
		snprintf(err, errlen, "unknown mode '%s': expected %s%s%s%s",
		    word_show(shown, sizeof(shown), name),
		    modes_print(modes, sizeof(modes), MODES_ALL, " or "),
		    near == NULL ? "" : "; did you mean ",
		    near == NULL ? "" : near, near == NULL ? "" : "?");
	return row;
}

/* The mode of an option of P_COMPAT on the command line, or NULL. */
static const struct mode_row *
implied_mode(const struct settings *cli)
{
	const struct mode_row *row;
	unsigned int i;

	for (i = 0; i < cli->n; i++)
		for (row = mode_table; row->name != NULL; row++)
			if (cli->v[i].row->place == P_COMPAT &&
			    cli->v[i].row->modes == MODE_BIT(row->mode))
				return row;
	return NULL;
}

static const struct mode_row *
mode_of_file(struct settings *files, const struct setting *s,
    struct error *why)
{
	const struct mode_row *row = NULL;
	char err[300] = "needs a value: MODE";

	if (s->value != NULL)
		row = want_mode(s->value, err, sizeof(err));
	if (row == NULL)
		setting_fail(s, why, err);
	files->mode_file = s->file;
	return row;
}

/*
 * The mode: the first operand if it is the name of one, else that of an option
 * of P_COMPAT, else that of a file's line "mode".  NULL and why.
 */
static const struct mode_row *
choose_mode(struct command_line *c, struct settings *files,
    struct error *why)
{
	const struct setting *s = settings_find(files, row_of("mode"));
	const struct setting *file = settings_find(&c->set, row_of("config"));
	const struct mode_row *row;
	char err[300], modes[100];

	row = c->noperands > 0 ? mode_find(c->operand[0]) : NULL;
	if (row != NULL) {
		c->noperands--;
		memmove(c->operand, c->operand + 1,
		    c->noperands * sizeof(c->operand[0]));
		return row;
	}
	if ((row = implied_mode(&c->set)) != NULL)
		return row;
	if (s != NULL)
		return mode_of_file(files, s, why);
	modes_print(modes, sizeof(modes), MODES_ALL, " or ");
	if (c->noperands == 0 && file != NULL)
		error_set(why, EXIT_BADCONFIG, "%s: no line mode: expected %s",
		    file->value, modes);
	else if (c->noperands == 0)
		error_set(why, EXIT_BADUSAGE, "no mode given: expected %s",
		    modes);
	else {
		want_mode(c->operand[0], err, sizeof(err));
		error_set(why, EXIT_BADUSAGE, "%s", err);
	}
	return NULL;
}

/* Could the word be one of the mode's operands? */
static int
fits_operand(const char *word, const struct mode_row *mode)
{
	struct options o;
	const char *const *name;
	char err[300];
	struct value v = { &o, NULL, word, err, sizeof(err) };
	int fits = 0;

	memset(&o, 0, sizeof(o));
	for (name = mode->operands; *name != NULL; name++) {
		v.row = row_of(*name);
		fits |= value_set(&v) == 0;
	}
	options_free(&o);
	return fits;
}

/*
 * The error for too many operands.  It names the first one that could be none
 * of the mode's operands, as "sec" in "--linger 5 sec h:22".
 */
static int
too_many_operands(const struct command_line *c, unsigned int used,
    const struct mode_row *mode, struct error *why)
{
	const char *word = c->operand[used];
	char shown[80], hint[100];
	unsigned int i;

	for (i = 0; i < c->noperands; i++)
		if (!fits_operand(c->operand[i], mode)) {
			word = c->operand[i];
			break;
		}
	operand_hint(hint, sizeof(hint), word, &c->set, mode->mode);
	return error_set(why, EXIT_BADUSAGE, "unexpected word '%s'%s: usage: "
	    "inetws %s %s", word_show(shown, sizeof(shown), word), hint,
	    mode->name, mode->usage);
}

/*
 * Makes settings of the operands.  What follows "--" is the program if the mode
 * takes a target; else these are operands too.
 */
static int
place_operands(struct options *o, struct command_line *c,
    const struct mode_row *mode, struct error *why)
{
	int takes_program = option_in_mode(row_of("target"), mode->mode);
	const char *const *name;
	unsigned int used = 0;
	char shown[80], program[80];

	for (; !takes_program && c->rest != NULL && *c->rest != NULL; c->rest++)
		if (c->noperands < OPT_OPERANDS_MAX)
			c->operand[c->noperands++] = *c->rest;
	for (name = mode->operands; *name != NULL; name++) {
		if (is_given(c, *name) || used == c->noperands)
			continue;
		if (settings_add(&c->set, (struct setting){ row_of(*name),
		    c->operand[used++], NULL, 0 }) == -1)
			return error_set(why, EXIT_BADUSAGE, "more than %d "
			    "options", OPT_SETTINGS_MAX);
	}
	if (used < c->noperands)
		return too_many_operands(c, used, mode, why);
	if (!takes_program || c->rest == NULL)
		return 0;
	if (*c->rest == NULL)
		return error_set(why, EXIT_BADUSAGE, "-- needs a PROGRAM");
	if (is_given(c, "target"))
		return error_set(why, EXIT_BADUSAGE, "'%s' and '-- %s': "
		    "expected a TARGET or a PROGRAM, not both",
		    word_show(shown, sizeof(shown), settings_find(&c->set,
		    row_of("target"))->value),
		    word_show(program, sizeof(program), *c->rest));
	o->program = c->rest;
	return 0;
}

/*
 * With options of trazfr/tcp-over-websocket the metrics are where that program
 * has them, and have its names.
 */
static void
set_compat_metrics(struct options *o, const struct settings *cli)
{
	unsigned int i;

	for (i = 0; i < cli->n; i++)
		if (cli->v[i].row->place == P_COMPAT &&
		    o->mode == MODE_SERVER && o->observe.metrics_path == NULL) {
			o->observe.metrics_path = "/metrics";
			o->observe.metrics_names = 1;
		}
}

/* The error for an operand that the mode needs. */
static int
missing_operand(const struct option *row, const struct mode_row *mode,
    const struct settings *files, struct error *why)
{
	if (files->mode_file != NULL)
		return error_set(why, EXIT_BADCONFIG, "%s: no line %s: expected "
		    "%s %s", files->mode_file, row->name, row->name, row->arg);
	return error_set(why, EXIT_BADUSAGE, "the %s is missing: usage: "
	    "inetws %s %s", row->arg, mode->name, mode->usage);
}

/* Checks and sets what depends on several options. */
static int
finish(struct options *o, const struct mode_row *mode,
    const struct settings *files, const struct settings *cli,
    struct error *why)
{
	const struct option *row;
	unsigned int i;

	for (i = 0; i < mode->required; i++) {
		row = row_of(mode->operands[i]);
		if (!row->type->is_on((char *)o + row->offset, row) &&
		    (row->type != &type_target || o->program == NULL))
			return missing_operand(row, mode, files, why);
	}
	set_compat_metrics(o, cli);
	if (effect_check(o, files, cli, why) == -1)
		return -1;
	row = row_of("ping-interval");
	o->timeouts.ping_adapts = settings_find(files, row) == NULL &&
	    settings_find(cli, row) == NULL;
	o->proxy.user_yields = settings_find(cli, row_of("proxy-user")) == NULL;
	if (o->timeouts.ping < 0)
		o->timeouts.ping = 2 * o->timeouts.ping_interval;
	return 0;
}

/* help TOPIC [URL]: 1 if it was printed, 0: there is no such topic. */
static int
answer_topic(const struct command_line *c, struct error *why)
{
	return topic_print(c->operand[1], c->noperands > 2 ? c->operand[2] :
	    NULL, stdout, why);
}

/* 1 if the word "help" or --help asked for it, and it was printed. */
static int
answer_help(const struct command_line *c, struct error *why)
{
	int is_word = c->noperands > 0 && strcmp(c->operand[0], "help") == 0;
	const struct mode_row *mode = NULL;
	char err[300], topics[200], shown[80];
	int answered;

	if (!is_word && !is_given(c, "help"))
		return 0;
	if (is_word && c->noperands > 3)
		return error_set(why, EXIT_BADUSAGE, "%s: help takes a topic "
		    "and a URL", word_show(shown, sizeof(shown),
		    c->operand[3]));
	if (is_word && c->noperands > 1 &&
	    (answered = answer_topic(c, why)) != 0)
		return answered;
	if (is_word && c->noperands > 1 &&
	    (mode = want_mode(c->operand[1], err, sizeof(err))) == NULL) {
		topics_list(topics, sizeof(topics));
		return error_set(why, EXIT_BADUSAGE, "%s; or a topic: %s", err,
		    topics);
	}
	if (is_word && c->noperands > 2)
		return error_set(why, EXIT_BADUSAGE, "%s: help takes nothing "
		    "behind a mode", word_show(shown, sizeof(shown),
		    c->operand[2]));
	if (mode == NULL && c->noperands > 0)
		mode = mode_find(c->operand[0]);
	if (mode == NULL)
		mode = implied_mode(&c->set);
	help_print(mode == NULL ? MODE_NONE : mode->mode, stdout);
	return 1;
}

/* --help, --version, --completions: 1 if one was asked for and answered. */
static int
answer(const struct command_line *c, struct error *why)
{
	const struct setting *shell = settings_find(&c->set,
	    row_of("completions"));
	int answered = answer_help(c, why);

	if (answered != 0)
		return answered;
	if (is_given(c, "version"))
		version_print(stdout);
	else if (shell == NULL)
		return 0;
	else if (completions_print(shell->value, stdout) == -1)
		return setting_fail(shell, why, "expected bash, zsh or fish");
	return 1;
}

static int
parse_all(struct options *o, struct command_line *c, struct settings *files,
    char **argv, struct error *why)
{
	const struct mode_row *mode;
	char **program;
	int answered;

	if (command_line_parse(c, argv, why) == -1)
		return -1;
	answered = answer(c, why);
	if (answered != 0)
		return answered == 1 ? OPT_DONE : -1;
	if (read_files(o, files, &c->set, why) == -1 ||
	    (mode = choose_mode(c, files, why)) == NULL)
		return -1;
	o->mode = mode->mode;
	if (place_operands(o, c, mode, why) == -1)
		return -1;
	program = o->program;
	if (settings_apply(o, files, why) == -1)
		return -1;
	settings_replace(o, &c->set);
	if (settings_apply(o, &c->set, why) == -1)
		return -1;
	if (program != NULL)
		o->program = program;
	if (finish(o, mode, files, &c->set, why) == -1)
		return -1;
	if (settings_keep(o, files, &c->set) == -1)
		return error_set(why, EXIT_SYSTEM, "out of memory");
	if (!is_given(c, "dump-config"))
		return OPT_RUN;
	options_dump(o, stdout);
	return OPT_DONE;
}

/* The mode whose help fits a command line that could not be parsed. */
static enum mode
likely_mode(char **argv)
{
	const struct mode_row *row = NULL;

	for (; row == NULL && *argv != NULL && strcmp(*argv, "--") != 0; argv++)
		row = mode_find(*argv);
	return row == NULL ? MODE_NONE : row->mode;
}

/* The lists of settings are large, so they are not on the stack. */
int
options_parse(struct options *o, int argc, char **argv, struct error *why)
{
	struct command_line *c = malloc(sizeof(*c));
	struct settings *files = malloc(sizeof(*files));
	char **words = argc > 0 ? argv + 1 : argv;
	int status;

	options_init(o);
	o->argv = argv;
	if (c == NULL || files == NULL)
		status = error_set(why, EXIT_SYSTEM, "out of memory");
	else {
		files->n = 0;
		files->mode_file = NULL;
		status = parse_all(o, c, files, words, why);
	}
	if (status == OPT_DONE && writefile_stdout() == -1)
		status = error_set(why, EXIT_SYSTEM, "standard output: %m");
	if (status == -1 && o->mode == MODE_NONE)
		o->mode = likely_mode(words);
	if (status != OPT_RUN)
		options_free(o);
	free(c);
	free(files);
	return status;
}
