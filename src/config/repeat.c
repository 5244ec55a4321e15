/* SPDX-License-Identifier: ISC */
/* The command line for another mode, as it can be pasted into a shell. */
#include <stdio.h>
#include <string.h>

#include "config/settings.h"
#include "config/types.h"
#include "proto/header.h"

/* Characters that mean nothing to a shell, but for [ and ]. */
#define PLAIN	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789-._/:@,+=%[]"

void
options_quote(struct out *o, const char *word)
{
	if (word[0] != '\0' && word[strspn(word, PLAIN)] == '\0' &&
	    strpbrk(word, "[]") == NULL) {
		out_add(o, "%s", word);
		return;
	}
	out_add(o, "'");
	for (; *word != '\0'; word++)
		if (*word == '\'')
			out_add(o, "'\\''");
		else
			out_add(o, "%c", *word);
	out_add(o, "'");
}

static void
leave_out(struct out *o, const char *what)
{
	out_add(o, "%s%s", o->len > 0 ? ", " : "", what);
}

static int
is_secret(const struct setting *s)
{
	if (s->value == NULL || s->value[0] == '@')
		return 0;
	return s->row->type == &type_secret ||
	    s->row->type == &type_proxy_header ||
	    (s->row->type == &type_header && header_is_private(s->value));
}

static void
repeat(const struct setting *s, struct out *command, struct out *left_out)
{
	const struct option *row = s->row;
	char name[80], shown[URL_PATH_MAX];
	const char *value = s->value;
	struct proxy proxy;
	char err[ERROR_LINE_MAX];

	snprintf(name, sizeof(name), "--%s", row->name);
	if (is_secret(s)) {
		leave_out(left_out, name);
		return;
	}
	if (row->type == &type_proxy && proxy_parse(&proxy, value, err,
	    sizeof(err)) == 0 && proxy.user[0] != '\0') {
		leave_out(left_out, "the user and password of --proxy");
		value = proxy_print(shown, sizeof(shown), &proxy);
	}
	if (row->letter != '\0' && !row->type->optional)
		snprintf(name, sizeof(name), "-%c", row->letter);
	out_add(command, "%s", name);
	if (value != NULL) {
		out_add(command, row->type->optional || row->arg == NULL ?
		    "=" : " ");
		options_quote(command, value);
	}
	out_add(command, " ");
}

void
options_repeat(const struct options *o, enum mode mode, struct out *command,
    struct out *left_out)
{
	struct command_line line;
	char url[URL_PATH_MAX + 512];
	struct error ignored;
	unsigned int i;
	const struct option *row;

	if (o->argv == NULL || o->argv[0] == NULL ||
	    command_line_parse(&line, o->argv + 1, &ignored) == -1)
		line.set.n = 0;
	for (i = 0; i < line.set.n; i++) {
		row = line.set.v[i].row;
		if (option_in_mode(row, mode) && row->type != &type_mode &&
		    row->type != &type_action && row->group != GROUP_LOGGING)
			repeat(&line.set.v[i], command, left_out);
	}
	options_quote(command, url_print(url, sizeof(url), &o->url));
	if (o->url.user[0] != '\0')
		leave_out(left_out, "the user and password of the URL");
	if (strchr(o->url.path, '?') != NULL)
		leave_out(left_out, "the query of the URL");
}
