/* SPDX-License-Identifier: ISC */
/*
 * For the tests of the options: command lines as one string, files in a
 * folder of their own, and what is printed as a string.
 */
#ifndef OPTIONS_FIXTURE_H
#define OPTIONS_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

#include "base/str.h"
#include "config/settings.h"
#include "config/types.h"

static struct options o;
static struct error why;
static char dir[] = "/tmp/inetws-options.XXXXXX";

/* Splits a line at blanks ("~" stands for a blank) and parses it. */
__attribute__((unused))
static int
parse(const char *line)
{
	static char text[40000];
	static char *argv[1500];
	char *p = text, *word, *c;
	int argc = 0;

	options_free(&o);
	memset(&why, 0, sizeof(why));
	strlcpy(text, line, sizeof(text));
	while ((word = strsep(&p, " ")) != NULL && argc < 1499) {
		for (c = word; *c != '\0'; c++)
			if (*c == '~')
				*c = ' ';
		if (*word != '\0')
			argv[argc++] = word;
	}
	argv[argc] = NULL;
	return options_parse(&o, argc, argv, &why);
}

__attribute__((unused))
static int
runs(const char *line)
{
	int good = ok(parse(line) == OPT_RUN, "%s", line);

	if (!good)
		printf("# %s\n", why.text);
	return good;
}

__attribute__((unused))
static void
refused(const char *line, int status, const char *says)
{
	char shown[200];

	ok(parse(line) == -1, "refused: %s", str_escape(shown, sizeof(shown),
	    line, strlen(line)));
	is(why.status, status, "with its status");
	if (!ok(strstr(why.text, says) != NULL && strchr(why.text, '\n') ==
	    NULL, "saying %s", says))
		printf("# %s\n", why.text);
}

/* What parsing prints on stdout, in a static buffer. */
__attribute__((unused))
static const char *
printed(const char *line)
{
	static char text[40000];
	char name[100];
	FILE *f;
	int saved;
	size_t n;

	snprintf(name, sizeof(name), "%s/out", dir);
	fflush(stdout);
	saved = dup(1);
	if (freopen(name, "w", stdout) == NULL)
		abort();
	n = parse(line);
	fflush(stdout);
	dup2(saved, 1);
	close(saved);
	if ((int)n != OPT_DONE)
		ok(0, "%s: %s", line, why.text);
	f = fopen(name, "r");
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	unlink(name);
	return text;
}

/* Writes a file; returns its name, one of a few static buffers. */
__attribute__((unused))
static const char *
file(const char *text)
{
	static char names[4][100];
	static int n;
	char *name = names[n = (n + 1) % 4];
	FILE *f;

	snprintf(name, sizeof(names[0]), "%s/f%d", dir, n);
	f = fopen(name, "w");
	fputs(text, f);
	fclose(f);
	return name;
}

__attribute__((unused))
static const char *
line(const char *fmt, const char *a)
{
	static char text[400];

	snprintf(text, sizeof(text), fmt, a);
	return text;
}

/* A value that the option takes, "" for none, or NULL. */
__attribute__((unused))
static const char *
sample(const struct option *row)
{
	static const char *const samples[] = { "7", "100k", "1k", "/x",
	    "127.0.0.1:7", "X-A: b", "10.0.0.0/8", "example.org",
	    "http://h:7", "h:7:127.0.0.1", "h:7:i:8", "a:b", "prog arg" };
	static char word[64];
	struct options x;
	char err[300];
	struct value v = { &x, row, NULL, err, sizeof(err) };
	size_t i;
	int good;

	if (row->arg == NULL)
		return "";
	if (row->rule == &rule_ping)
		return "1h";
	if (option_choices(row) != NULL) {
		strlcpy(word, option_choices(row), sizeof(word));
		word[strcspn(word, "|")] = '\0';
		return word;
	}
	for (i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		options_init(&x);
		v.text = samples[i];
		good = value_set(&v) == 0;
		options_free(&x);
		if (good)
			return samples[i];
	}
	return NULL;
}

/* The next row of "a|b" that the mode has, or NULL at its end. */
__attribute__((unused))
static const struct option *
next_of(const char **names, const struct mode_row *mode)
{
	const struct option *row;
	size_t len;

	while (*names != NULL && (len = strcspn(*names, "|")) > 0) {
		if ((row = option_find(*names, len)) == NULL)
			abort();	/* there is no such option */
		*names += len + ((*names)[len] == '|');
		if (option_in_mode(row, mode->mode))
			return row;
	}
	return NULL;
}

__attribute__((unused))
static int
is_among(const char *names, const struct option *row,
    const struct mode_row *mode)
{
	const struct option *other;

	while ((other = next_of(&names, mode)) != NULL)
		if (other == row)
			return 1;
	return 0;
}

/* " --OPTION=SAMPLE" */
__attribute__((unused))
static void
add_option(char *dst, size_t size, const struct option *row)
{
	const char *value = sample(row);
	size_t n = strlen(dst) + 1;

	strlcat(dst, line(" --%s", row->name), size);
	if (*value != '\0')
		strlcat(dst, line("=%s", value), size);
	for (; dst[n] != '\0'; n++)
		if (dst[n] == ' ')
			dst[n] = '~';
}

/*
 * "inetws MODE OPERANDS --OTHER=SAMPLE...": the shortest command line that the
 * option, which is not in it, can be added to.
 */
__attribute__((unused))
static void
command_for(char *dst, size_t size, const struct mode_row *mode,
    const struct option *row)
{
	const struct option *other;
	const char *const *name, *names;
	int i;

	snprintf(dst, size, "inetws %s", mode->name);
	for (name = mode->operands; *name != NULL; name++)
		strlcat(dst, strcmp(*name, "target") == 0 ?
		    row->rule == &rule_program ? line(" -K %s",
		    file("target = -- cat\n")) : " h:1" :
		    strcmp(*name, "url") == 0 ? " ws://h/" : "", size);
	for (i = 0; i < 2; i++) {
		names = mode->needs[i].names;
		if (is_among(names, row, mode))
			continue;
		while ((other = next_of(&names, mode)) != NULL)
			if (other->needs == NULL &&
			    !is_among(row->excludes, other, mode) &&
			    !is_among(other->excludes, row, mode)) {
				add_option(dst, size, other);
				break;
			}
	}
	for (names = row->needs; (other = next_of(&names, mode)) != NULL; ) {
		if (next_of(&(const char *){ other->needs }, mode) != NULL)
			strlcat(dst, " --tls-cert=x", size);
		add_option(dst, size, other);
		break;
	}
	if (row->rule == &rule_chroot)
		strlcat(dst, " --run-as=nobody", size);
	if (row->rule == &rule_dials && mode->mode == MODE_GATE)
		strlcat(dst, " --accept-proxy", size);
}

static void
fixture_make(void)
{
	if (mkdtemp(dir) == NULL) {
		perror(dir);
		exit(1);
	}
}

static void
fixture_remove(void)
{
	char name[100];
	int i;

	options_free(&o);
	for (i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%s/f%d", dir, i);
		unlink(name);
	}
	rmdir(dir);
}

#endif
