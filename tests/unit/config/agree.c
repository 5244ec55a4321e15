/* SPDX-License-Identifier: ISC */
/*
 * What is made from the table says all of it: help, completions, and what
 * --dump-config prints, which reads back as it was.
 */
#include "config/fixture.h"

/* Each type takes at least one of these. */
static const char *const samples[] = {
	"7", "100k", "v2", "/x", "127.0.0.1:7", "X-A: b", "X-Real-IP",
	"10.0.0.0/8", "example.org", "http://h:7", "h:7:127.0.0.1",
	"h:7:i:8", "a:b", "daemon", "auto", "prog arg",
	"sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
};

#define NSAMPLES	(sizeof(samples) / sizeof(samples[0]))

static int
is_settable(const struct option *row)
{
	return row->place == P_ANY;
}

/* A value that the option takes, "" for none, or NULL. */
static const char *
sample(const struct option *row)
{
	static char word[64];
	struct options x;
	char err[300];
	size_t i;

	if (row->arg == NULL)
		return "";
	if (row->type == T_CHOICE) {
		strlcpy(word, row->arg, sizeof(word));
		word[strcspn(word, "|")] = '\0';
		return word;
	}
	for (i = 0; i < NSAMPLES; i++) {
		options_init(&x);
		if (option_set(&x, row, samples[i], err, sizeof(err)) == 0) {
			options_free(&x);
			return samples[i];
		}
		options_free(&x);
	}
	return NULL;
}

/* "inetws MODE OPERANDS" */
static void
begin_command(char *dst, size_t size, const struct mode_row *mode)
{
	const char *const *name;

	snprintf(dst, size, "inetws %s", mode->name);
	for (name = mode->operands; *name != NULL; name++)
		strlcat(dst, strcmp(*name, "target") == 0 ? " h:1" :
		    strcmp(*name, "url") == 0 ? " ws://h/" : "", size);
}

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
	const char *value = sample(row);
	char command[400], first[40000];
	const char *again;
	size_t i;

	if (value == NULL) {
		ok(0, "%s takes a sample", row->name);
		return;
	}
	begin_command(command, sizeof(command), mode);
	if (parse(command) != OPT_RUN)
		return;		/* one that needs more than its operands */
	i = strlen(command);
	snprintf(command + i, sizeof(command) - i, " --%s%s%s --dump-config",
	    row->name, *value == '\0' ? "" : "=", value);
	for (; command[i] != '\0'; i++)
		if (command[i] == ' ' && command[i + 1] != '-')
			command[i] = '~';
	strlcpy(first, printed(command), sizeof(first));
	if (strstr(first, line("# the %s ", row->name)) != NULL)
		return;		/* a secret */
	if (!has_line(first, row->name))
		ok(0, "%s: --dump-config has %s", mode->name, row->name);
	again = printed(line("inetws -K %s --dump-config", file(first)));
	if (strcmp(again, first) != 0)
		ok(0, "%s: %s=%s reads back as it was", mode->name, row->name,
		    value);
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
		want = (row->place == P_ANY || row->place == P_CLI) &&
		    (row->modes & MODE_BIT(mode->mode)) != 0;
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
		if ((row->place == P_ANY || row->place == P_CLI) &&
		    strstr(text, word) == NULL)
			ok(0, "%s completes --%s", shell, row->name);
	}
	for (mode = mode_table; mode->name != NULL; mode++)
		if (mode->help != NULL && strstr(text, mode->name) == NULL)
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
		if (mode->help == NULL)
			continue;
		helps(mode);
		for (row = option_table; row->name != NULL; row++)
			if (is_settable(row) &&
			    (row->modes & MODE_BIT(mode->mode)) != 0)
				dumps(mode, row);
		ok(1, "%s: all can be dumped", mode->name);
	}
	completes("bash", "--%s");
	completes("zsh", "--%s");
	completes("fish", "-l %s");
	fixture_remove();
	return done_testing();
}
