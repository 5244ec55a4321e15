/* SPDX-License-Identifier: ISC */
/*
 * Completions of bash, zsh and fish from the tables, whose texts hold no
 * brackets, backslashes, double quotes or dollars (a test sees to that).
 */
#include <stdio.h>
#include <string.h>

#include "config/table.h"

static int
is_shown(const struct option *row, const struct mode_row *mode)
{
	return (row->place == P_ANY || row->place == P_CLI) &&
	    (mode == NULL || (row->modes & MODE_BIT(mode->mode)) != 0);
}

/* Not one that is only reserved. */
static int
is_shown_mode(const struct mode_row *mode)
{
	return mode->help != NULL;
}

/* Between single quotes: a quote itself is '\''. */
static void
put_quoted(const char *s, FILE *f)
{
	for (; *s != '\0'; s++)
		if (*s == '\'')
			fputs("'\\''", f);
		else
			putc(*s, f);
}

/* The words of "a|b", separated by blanks. */
static void
put_choices(const char *arg, FILE *f)
{
	for (; *arg != '\0'; arg++)
		putc(*arg == '|' ? ' ' : *arg, f);
}

static void
put_modes(const char *before, FILE *f)
{
	const struct mode_row *mode;

	for (mode = mode_table; mode->name != NULL; mode++)
		if (is_shown_mode(mode)) {
			fprintf(f, "%s%s", before, mode->name);
			before = " ";
		}
}

static int
is_file(const struct option *row)
{
	return row->type == T_FILE || row->type == T_SOCKET ||
	    row->type == T_CONFIG;
}

static int
is_repeatable(const struct option *row)
{
	switch (row->type) {
	case T_LISTEN:
	case T_HEADER:
	case T_PROXY_HEADER:
	case T_RESOLVE:
	case T_CONNECT_TO:
	case T_ORIGIN:
	case T_NETWORK:
	case T_COUNT:
		return 1;
	default:
		return 0;
	}
}

/* "-l|--listen" */
static void
put_spellings(const struct option *row, FILE *f)
{
	if (row->letter != 0)
		fprintf(f, "-%c|", row->letter);
	fprintf(f, "--%s", row->name);
}

static void
bash_words(const struct mode_row *mode, FILE *f)
{
	const struct option *row;

	for (row = option_table; row->name != NULL; row++)
		if (is_shown(row, mode))
			fprintf(f, " --%s", row->name);
}

static void
bash(FILE *f)
{
	const struct option *row;
	const struct mode_row *mode;

	fputs("_inetws() {\n"
	    "\tlocal cur=${COMP_WORDS[COMP_CWORD]}\n"
	    "\tlocal prev=${COMP_WORDS[COMP_CWORD-1]} words word\n"
	    "\tCOMPREPLY=()\n\tcase $prev in\n", f);
	for (row = option_table; row->name != NULL; row++) {
		if (row->arg == NULL || !is_shown(row, NULL))
			continue;
		putc('\t', f);
		put_spellings(row, f);
		if (is_file(row))
			fputs(") COMPREPLY=($(compgen -f -- \"$cur\"));"
			    " return;;\n", f);
		else if (row->type == T_CHOICE) {
			fputs(") COMPREPLY=($(compgen -W '", f);
			put_choices(row->arg, f);
			fputs("' -- \"$cur\")); return;;\n", f);
		} else
			fputs(") return;;\n", f);
	}
	put_modes("\tesac\n\twords='", f);
	fputs(" --config --help --version'\n"
	    "\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
	    "\t\tcase $word in\n", f);
	for (mode = mode_table; mode->name != NULL; mode++)
		if (is_shown_mode(mode)) {
			fprintf(f, "\t\t%s) words='", mode->name);
			bash_words(mode, f);
			fputs("'; break;;\n", f);
		}
	fputs("\t\tesac\n\tdone\n"
	    "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	    "}\ncomplete -F _inetws inetws\n", f);
}

/* A colon of its own would end it, and begin what is to be run. */
static void
zsh_message(const char *arg, FILE *f)
{
	putc(':', f);
	for (; *arg != '\0'; arg++) {
		if (*arg == ':')
			putc('\\', f);
		putc(*arg, f);
	}
	putc(':', f);
}

/* '(-l --listen)'{-l+,--listen=}'[help]:LISTEN:' */
static void
zsh_option(const struct option *row, FILE *f)
{
	const char *plus = row->arg != NULL ? "+" : "";
	const char *equals = row->arg != NULL ? "=" : "";

	fputs("\t    ", f);
	if (is_repeatable(row))
		fputs("\\*", f);
	if (row->letter != 0)
		fprintf(f, "{-%c%s,--%s%s}'[", row->letter, plus, row->name,
		    equals);
	else
		fprintf(f, "--%s%s'[", row->name, equals);
	put_quoted(row->help, f);
	putc(']', f);
	if (row->arg != NULL)
		zsh_message(row->type == T_CHOICE ? "word" : row->arg, f);
	if (is_file(row))
		fputs("_files", f);
	else if (row->type == T_CHOICE) {
		putc('(', f);
		put_choices(row->arg, f);
		putc(')', f);
	}
	fputs("' \\\n", f);
}

static void
zsh(FILE *f)
{
	const struct option *row;
	const struct mode_row *mode;

	put_modes("#compdef inetws\n_inetws() {\n"
	    "\tlocal context state state_descr line\n\ttypeset -A opt_args\n"
	    "\t_arguments -C '1:mode:(", f);
	fputs(" --config --help --version)' '*::word:->words' && return\n"
	    "\tcase $words[1] in\n", f);
	for (mode = mode_table; mode->name != NULL; mode++) {
		if (!is_shown_mode(mode))
			continue;
		fprintf(f, "\t%s) _arguments -s \\\n", mode->name);
		for (row = option_table; row->name != NULL; row++)
			if (is_shown(row, mode))
				zsh_option(row, f);
		fputs("\t    '*:word:_hosts';;\n", f);
	}
	fputs("\tesac\n}\n"
	    "if [ \"$funcstack[1]\" = _inetws ]; then\n"
	    "\t_inetws \"$@\"\nelse\n\tcompdef _inetws inetws\nfi\n", f);
}

static void
fish_option(const struct option *row, FILE *f)
{
	const struct mode_row *mode;
	const char *blank = "";

	fputs("complete -c inetws -n '__fish_seen_subcommand_from ", f);
	for (mode = mode_table; mode->name != NULL; mode++)
		if (is_shown_mode(mode) &&
		    (row->modes & MODE_BIT(mode->mode)) != 0) {
			fprintf(f, "%s%s", blank, mode->name);
			blank = " ";
		}
	fprintf(f, "' -l %s", row->name);
	if (row->letter != 0)
		fprintf(f, " -s %c", row->letter);
	if (row->arg != NULL)
		fputs(is_file(row) ? " -r -F" : " -x", f);
	if (row->type == T_CHOICE) {
		fputs(" -a '", f);
		put_choices(row->arg, f);
		putc('\'', f);
	}
	fputs(" -d '", f);
	put_quoted(row->help, f);
	fputs("'\n", f);
}

static void
fish(FILE *f)
{
	const struct option *row;
	const struct mode_row *mode;

	fputs("complete -c inetws -f\n", f);
	for (mode = mode_table; mode->name != NULL; mode++) {
		if (!is_shown_mode(mode))
			continue;
		fprintf(f, "complete -c inetws -n __fish_use_subcommand "
		    "-a %s -d '", mode->name);
		put_quoted(mode->help, f);
		fputs("'\n", f);
	}
	for (row = option_table; row->name != NULL; row++)
		if (is_shown(row, NULL))
			fish_option(row, f);
}

int
completions_print(const char *shell, FILE *f)
{
	static const struct {
		const char *name;
		void (*print)(FILE *);
	} shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };
	size_t i;

	for (i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		if (strcmp(shells[i].name, shell) == 0) {
			shells[i].print(f);
			return 0;
		}
	return -1;
}
