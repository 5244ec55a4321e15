/* SPDX-License-Identifier: ISC */
/*
 * The same command line once more, when the files it names have changed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/table.h"

/* What was done with these at the start cannot be undone. */
static const char *const fixed[] = {
	"mode", "listen", "visitors", "visitors-dir", "warm", "stats-file",
	"metrics", "syslog", "pidfile", "run-as", "chroot", "no-sandbox", NULL
};

/* Is the line, as of --dump-config, about this option? */
static int
is_about(const char *line, const char *name)
{
	size_t len = strlen(name);

	return strncmp(line, name, len) == 0 &&
	    (line[len] == ' ' || line[len] == '\n');
}

/* The next line about this option, or NULL. */
static const char *
next(const char *text, const char *name)
{
	while (text != NULL && *text != '\0' && !is_about(text, name)) {
		text = strchr(text, '\n');
		if (text != NULL)
			text++;
	}
	return text == NULL || *text == '\0' ? NULL : text;
}

static int
same(const char *a, const char *b, const char *name)
{
	size_t len;

	for (;;) {
		a = next(a, name);
		b = next(b, name);
		if (a == NULL || b == NULL)
			return a == b;
		len = strcspn(a, "\n");
		if (strncmp(a, b, len + 1) != 0)
			return 0;
		a += len;
		b += len;
	}
}

/* All of them as one text, which is the caller's, or NULL. */
static char *
dump(const struct options *o)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (f == NULL)
		return NULL;
	options_dump(o, f);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

/* The name of what has changed and may not, or NULL. */
static const char *
changed(const struct options *old, const struct options *new)
{
	char *a = dump(old), *b = dump(new);
	const char *name = NULL;
	int i;

	if (a == NULL || b == NULL)
		name = "memory";
	for (i = 0; name == NULL && fixed[i] != NULL; i++)
		if (!same(a, b, fixed[i]))
			name = fixed[i];
	if (name == NULL && (old->tls.own_cert == NULL) != (new->tls.own_cert == NULL))
		name = "tls-cert";
	free(a);
	free(b);
	return name;
}

int
options_again(struct options *o,
    int (*check)(const struct options *, struct error *), struct error *why)
{
	struct options new;
	const char *name;
	int argc = 0;

	if (o->argv == NULL)
		return 0;
	while (o->argv[argc] != NULL)
		argc++;
	if (options_parse(&new, argc, o->argv, why) != OPT_RUN)
		return -1;
	if ((name = changed(o, &new)) != NULL) {
		options_free(&new);
		return error_set(why, EXIT_BADCONFIG, "%s has changed, which "
		    "needs a new start", name);
	}
	if (check != NULL && check(&new, why) == -1) {
		options_free(&new);
		return -1;
	}
	new.log.no_stderr = o->log.no_stderr;
	options_free(o);
	*o = new;
	return 0;
}
