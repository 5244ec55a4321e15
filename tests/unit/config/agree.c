/* SPDX-License-Identifier: ISC */
/*
 * What is made from the table says all of it: help, completions, and what
 * --dump-config prints, which reads back as it was.
 *
 * If it fails: help and completions lie, or a dumped configuration means
 * another one.
 */
#include "config/fixture.h"

/* Is there a line about it? */
static int
has_line(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (; *text != '\0'; text += strcspn(text, "\n") + 1)
		if (strncmp(text, name, len) == 0 &&
		    (text[len] == ' ' || text[len] == '\n'))
			return 1;
	return 0;
}

static void
dumps(const struct mode_row *mode, const struct option *row)
{
	char command[400], first[40000];
	const char *again;

	if (sample(row) == NULL) {
		ok(0, "%s takes a sample", row->name);
		return;
	}
	command_for(command, sizeof(command), mode, row);
	add_option(command, sizeof(command), row);
	strlcat(command, " --dump-config", sizeof(command));
	strlcpy(first, printed(command), sizeof(first));
	if (strstr(first, line("# the %s ", row->name)) != NULL)
		return;		/* a secret */
	if (!has_line(first, row->name))
		ok(0, "%s: --dump-config has %s", mode->name, row->name);
	again = printed(line("inetws -K %s --dump-config", file(first)));
	if (strcmp(again, first) != 0)
		ok(0, "%s: %s reads back as it was", mode->name, row->name);
}

/* The word as an option, and no longer one that begins with it. */
static int
has_option(const char *text, const char *name)
{
	size_t len = strlen(name);
	const char *p = text;

	while ((p = strstr(p, "--")) != NULL) {
		p += 2;
		if (strncmp(p, name, len) == 0 &&
		    strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789-") == len)
			return 1;
	}
	return 0;
}

static void
helps(const struct mode_row *mode)
{
	const struct option *row;
	char text[40000], command[100];
	int want;

	snprintf(command, sizeof(command), "inetws %s --help", mode->name);
	strlcpy(text, printed(command), sizeof(text));
	for (row = option_table; row->name != NULL; row++) {
		want = option_is_shown(row) && option_in_mode(row, mode->mode);
		if (has_option(text, row->name) != want)
			ok(0, "%s --help and --%s", mode->name, row->name);
	}
	ok(1, "%s --help is the table's", mode->name);
}

static void
completes(const char *shell, const char *form)
{
	const struct option *row;
	const struct mode_row *mode;
	char text[40000], word[100];

	snprintf(word, sizeof(word), "inetws --completions %s", shell);
	strlcpy(text, printed(word), sizeof(text));
	for (row = option_table; row->name != NULL; row++) {
		snprintf(word, sizeof(word), form, row->name);
		if (option_is_shown(row) && strstr(text, word) == NULL)
			ok(0, "%s completes --%s", shell, row->name);
	}
	for (mode = mode_table; mode->name != NULL; mode++)
		if (strstr(text, mode->name) == NULL)
			ok(0, "%s completes %s", shell, mode->name);
	ok(1, "%s completes all", shell);
}

int
main(void)
{
	const struct mode_row *mode;
	const struct option *row;

	fixture_make();
	for (mode = mode_table; mode->name != NULL; mode++) {
		helps(mode);
		for (row = option_table; row->name != NULL; row++)
			if (row->place == P_ANY && option_in_mode(row, mode->mode))
				dumps(mode, row);
		ok(1, "%s: all can be dumped", mode->name);
	}
	completes("bash", "--%s");
	completes("zsh", "--%s");
	completes("fish", "-l %s");
	fixture_remove();
	return done_testing();
}
