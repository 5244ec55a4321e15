/* SPDX-License-Identifier: ISC */
/*
 * --completions: scripts for bash, zsh and fish, made from the tables.  The
 * texts of the tables have no brackets, backslashes, double quotes and dollars;
 * a test checks this.
 */
#include <stdio.h>
#include <string.h>

#include "config/table.h"
#include "config/topics.h"

/* Writes a text within single quotes: a single quote becomes '\''. */
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
put_choices(const struct option *row, FILE *f)
{
	const char *p;

	for (p = option_choices(row); *p != '\0'; p++)
		putc(*p == '|' ? ' ' : *p, f);
}

static void
put_modes(FILE *f)
{
	const struct mode_row *mode;

	for (mode = mode_table; mode->name != NULL; mode++)
		fprintf(f, "%s%s", mode == mode_table ? "" : " ", mode->name);
}

/* What may follow "help". */
static void
put_topics(FILE *f)
{
	const char *name;
	size_t i;

	for (i = 0; (name = topic_name(i)) != NULL; i++)
		fprintf(f, " %s", name);
}

/* Is the operand of this mode a file? */
static int
takes_file(const struct mode_row *mode)
{
	const struct option *row;

	for (row = option_table; row->name != NULL; row++)
		if (row->place == P_FILE && option_in_mode(row, mode->mode) &&
		    row->type->complete == COMPLETE_FILE)
			return 1;
	return 0;
}

/*
 * The branch that completes a value: $cur, behind $sign, which is '=', '@' or
 * both.
 */
static void
bash_value(const struct option *row, FILE *f)
{
	putc('\t', f);
	if (row->letter != 0)
		fprintf(f, "-%c|", row->letter);
	fprintf(f, "--%s) ", row->name);
	if (row->type->optional)
		fputs("[ -n \"$sign\" ] || return; ", f);
	if (option_choices(row) != NULL) {
		fputs("COMPREPLY=($(compgen -W '", f);
		put_choices(row, f);
		fputs("' -- \"$cur\"));", f);
	} else if (row->type->complete == COMPLETE_FILE)
		fputs("_inetws_files;", f);
	else if (row->type->complete == COMPLETE_AT_FILE)
		fputs("case $sign$cur in *@*) _inetws_files; esac;", f);
	fputs(" return;;\n", f);
}

/*
 * bash breaks words at '=' and '@' too, so that "--user=@file" is three or four
 * words; a completion behind '@' must begin with '@'.  It breaks them at ':' too:
 * files are completed behind "unix:", whatever that is the value of.  The words
 * behind "--" are a command line of their own, so files are completed there.
 */
static void
bash(FILE *f)
{
	const struct option *row;
	const struct mode_row *mode;

	fputs("_inetws_files() {\n"
	    "\tlocal IFS=$'\\n' at=\n"
	    "\tcase $sign$cur in\n"
	    "\t*@*) at=@;;\n"
	    "\t*) compopt -o filenames 2>/dev/null\n"
	    "\tesac\n"
	    "\tCOMPREPLY=($(compgen -P \"$at\" -f -- \"${cur#@}\"))\n"
	    "}\n"
	    "_inetws_words() {\n"
	    "\tlocal i=$COMP_CWORD words word prev sign= files=\n"
	    "\tcase ${COMP_WORDS[i-1]}$cur in\n"
	    "\tunix:|ws+unix:) cur=; _inetws_files; return;;\n"
	    "\t:*) case ${COMP_WORDS[i-2]} in\n"
	    "\t\tunix|ws+unix) _inetws_files; return\n"
	    "\t\tesac\n"
	    "\tesac\n"
	    "\tcase $cur in\n"
	    "\t=|@|=@) sign=$cur cur=;;\n"
	    "\t*) case ${COMP_WORDS[i-1]} in\n"
	    "\t\t=|@|=@) i=$((i - 1)) sign=${COMP_WORDS[i]}\n"
	    "\t\tesac\n"
	    "\tesac\n"
	    "\tprev=${COMP_WORDS[i-1]}\n"
	    "\t[ \"$prev\" != = ] || prev=${COMP_WORDS[i-2]}\n"
	    "\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
	    "\t\t[ \"$word\" != -- ] || { _inetws_files; return; }\n"
	    "\tdone\n"
	    "\tcase $prev in\n", f);
	for (row = option_table; row->name != NULL; row++)
		if (row->arg != NULL && option_is_shown(row))
			bash_value(row, f);
	fputs("\tesac\n\twords='", f);
	put_modes(f);
	fputs(" help --config --help --version'\n"
	    "\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
	    "\t\tcase $word in\n", f);
	for (mode = mode_table; mode->name != NULL; mode++) {
		fprintf(f, "\t\t%s) words='", mode->name);
		for (row = option_table; row->name != NULL; row++)
			if (option_is_shown(row) &&
			    option_in_mode(row, mode->mode))
				fprintf(f, " --%s", row->name);
		fprintf(f, "'%s; break;;\n", takes_file(mode) ? " files=1" :
		    "");
	}
	fputs("\t\thelp) [ $COMP_CWORD = 2 ] || return; words='", f);
	put_modes(f);
	put_topics(f);
	fputs("'; break;;\n\t\tesac\n\tdone\n"
	    "\tcase $files$cur in\n"
	    "\t1|1[!-]*) _inetws_files;;\n"
	    "\t*) COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	    "\tesac\n"
	    "}\n"
	    "_inetws() {\n"
	    "\tlocal cur=${COMP_WORDS[COMP_CWORD]}\n"
	    "\tCOMPREPLY=()\n"
	    "\t_inetws_words\n"
	    "}\ncomplete -F _inetws inetws\n", f);
}

/* Writes a message for zsh, where a colon ends it; other colons are escaped. */
static void
zsh_message(const char *arg, FILE *f)
{
	for (; *arg != '\0'; arg++) {
		if (*arg == ':')
			putc('\\', f);
		putc(*arg, f);
	}
	putc(':', f);
}

/* '{-l+,--listen=}'[help]:LISTEN:' */
static void
zsh_option(const struct option *row, FILE *f)
{
	const char *equals = row->type->optional ? "=-" :
	    row->arg != NULL ? "=" : "";

	fputs(row->type->repeatable ? "\t    \\*" : "\t    ", f);
	if (row->letter != 0)
		fprintf(f, "{-%c%s,--%s%s}'[", row->letter,
		    row->arg != NULL ? "+" : "", row->name, equals);
	else
		fprintf(f, "--%s%s'[", row->name, equals);
	put_quoted(row->help, f);
	putc(']', f);
	if (row->arg != NULL) {
		fputs(row->type->optional ? "::" : ":", f);
		zsh_message(option_choices(row) != NULL ? "word" : row->arg, f);
	}
	if (option_choices(row) != NULL) {
		putc('(', f);
		put_choices(row, f);
		putc(')', f);
	} else if (row->type->complete == COMPLETE_FILE)
		fputs("_files", f);
	else if (row->type->complete == COMPLETE_AT_FILE)
		fputs("{compset -P @ && _files}", f);
	else if (row->type->complete == COMPLETE_UNIX)
		fputs("{compset -P unix\\: && _files}", f);
	fputs("' \\\n", f);
}

static void
zsh(FILE *f)
{
	const struct option *row;
	const struct mode_row *mode;

	fputs("#compdef inetws\n_inetws() {\n"
	    "\tlocal context state state_descr line\n\ttypeset -A opt_args\n"
	    "\t_arguments -C -A '-*' "
	    "{-K+,--config=}'[an instance of a file]:FILE:_files' "
	    "{-h,--help}'[all modes]' {-V,--version}'[versions]' "
	    "'1:mode:((", f);
	for (mode = mode_table; mode->name != NULL; mode++) {
		fprintf(f, "%s\\:\"", mode->name);
		put_quoted(mode->help, f);
		fputs("\" ", f);
	}
	fputs("help\\:\"lines to paste, or the options of a mode\"))' "
	    "'*::word:->words' && return\n"
	    "\tcase $words[1] in\n", f);
	for (mode = mode_table; mode->name != NULL; mode++) {
		fprintf(f, "\t%s) _arguments -s \\\n", mode->name);
		for (row = option_table; row->name != NULL; row++)
			if (option_is_shown(row) &&
			    option_in_mode(row, mode->mode))
				zsh_option(row, f);
		fputs("\t    '*:word:{compset -P \"(ws+|)unix\\:\"; _default}';;\n", f);
	}
	fputs("\thelp) _arguments '1:topic or mode:(", f);
	put_modes(f);
	put_topics(f);
	fputs(")' '2:URL:';;\n\tesac\n}\n"
	    "if [ \"$funcstack[1]\" = _inetws ]; then\n"
	    "\t_inetws \"$@\"\nelse\n\tcompdef _inetws inetws\nfi\n", f);
}

static void
fish_option(const struct option *row, FILE *f)
{
	const struct mode_row *mode;

	fputs("complete -c inetws -n '__fish_seen_subcommand_from", f);
	for (mode = mode_table; mode->name != NULL; mode++)
		if (option_in_mode(row, mode->mode))
			fprintf(f, " %s", mode->name);
	fprintf(f, "' -l %s", row->name);
	if (row->letter != 0)
		fprintf(f, " -s %c", row->letter);
	if (row->arg != NULL && !row->type->optional)
		fputs(row->type->complete == COMPLETE_FILE ? " -r -F" : " -x",
		    f);
	if (row->type->complete == COMPLETE_AT_FILE)
		fputs(" -a '(__inetws_file @)'", f);
	else if (row->type->complete == COMPLETE_UNIX)
		fputs(" -a '(__inetws_file unix:)'", f);
	else if (option_choices(row) != NULL) {
		fputs(" -a '", f);
		put_choices(row, f);
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

	fputs("function __inetws_file\n"
	    "\tset -l word (string escape --style=regex -- $argv)\n"
	    "\tset -l path (string match -r \"(?:^|=)$word(.*)\" -- "
	    "(commandline -ct))\n"
	    "\tand __fish_complete_path $path[2] | "
	    "string replace -r '^' $argv\n"
	    "end\n"
	    "complete -c inetws -f\n"
	    "complete -c inetws -n "
	    "'contains -- -- (commandline -opc)' -F\n"
	    "complete -c inetws -a '(__inetws_file unix:)'\n"
	    "complete -c inetws -a '(__inetws_file ws+unix:)'\n", f);
	for (mode = mode_table; mode->name != NULL; mode++) {
		fprintf(f, "complete -c inetws -n __fish_use_subcommand "
		    "-a %s -d '", mode->name);
		put_quoted(mode->help, f);
		fputs("'\n", f);
		if (takes_file(mode))
			fprintf(f, "complete -c inetws -n "
			    "'__fish_seen_subcommand_from %s' -F\n",
			    mode->name);
	}
	fputs("complete -c inetws -n __fish_use_subcommand -l config -s K "
	    "-r -F -d 'an instance of a file'\n"
	    "complete -c inetws -n __fish_use_subcommand -l help -s h "
	    "-d 'all modes'\n"
	    "complete -c inetws -n __fish_use_subcommand -l version -s V "
	    "-d versions\n"
	    "complete -c inetws -n __fish_use_subcommand -a help -d "
	    "'lines to paste, or the options of a mode'\n"
	    "complete -c inetws -n '__fish_is_nth_token 2; and "
	    "__fish_seen_subcommand_from help' -a '", f);
	put_modes(f);
	put_topics(f);
	fputs("'\n", f);
	for (row = option_table; row->name != NULL; row++)
		if (option_is_shown(row))
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
