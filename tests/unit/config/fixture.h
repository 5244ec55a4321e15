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
#include "config/table.h"

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
