/* SPDX-License-Identifier: ISC */
/* Lists of settings, and applying them to struct options. */
#include <stdio.h>
#include <string.h>

#include "config/settings.h"
#include "config/types.h"

int
setting_fail(const struct setting *s, struct error *why, const char *err)
{
	if (s->file != NULL)
		return error_set(why, EXIT_BADCONFIG, "%s:%d: %s: %s", s->file,
		    s->line, s->row->name, err);
	if (s->row->place == P_FILE)	/* an operand */
		return error_set(why, EXIT_BADUSAGE, "%s: %s", s->row->arg,
		    err);
	return error_set(why, EXIT_BADUSAGE, "--%s: %s", s->row->name, err);
}

int
settings_add(struct settings *set, struct setting one)
{
	if (set->n == OPT_SETTINGS_MAX)
		return -1;
	set->v[set->n++] = one;
	return 0;
}

/* Have two options the same member in struct options? */
static int
is_same(const struct option *a, const struct option *b)
{
	return a == b || (a->type == b->type && a->type != &type_action &&
	    a->offset == b->offset);
}

const struct setting *
settings_find(const struct settings *set, const struct option *row)
{
	const struct setting *s;

	for (s = set->v + set->n; s-- > set->v; )
		if (is_same(s->row, row))
			return s;
	return NULL;
}

const struct setting *
settings_of_file(const struct settings *set, const struct option *row,
    const char *file)
{
	const struct setting *s;

	for (s = set->v + set->n; s-- > set->v; )
		if (s->row == row && s->file == file)
			return s;
	return NULL;
}

int
settings_apply(struct options *o, const struct settings *set,
    struct error *why)
{
	const struct setting *s;
	char err[300], modes[100];
	struct value v = { .o = o, .err = err, .errlen = sizeof(err) };

	for (s = set->v; s < set->v + set->n; s++) {
		v.row = s->row;
		v.text = s->value;
		if (!option_in_mode(s->row, o->mode)) {
			value_fail(&v, "belongs to %s, not to %s",
			    modes_print(modes, sizeof(modes), s->row->modes,
			    " and "), mode_name(o->mode));
			return setting_fail(s, why, err);
		}
		if ((s->value != NULL &&
		    word_is_pasted(s->value, err, sizeof(err))) ||
		    value_set(&v) == -1)
			return setting_fail(s, why, err);
	}
	return 0;
}

/* Drops the value of an option. */
static void
forget(struct options *o, const struct option *row)
{
	memset((char *)o + row->offset, 0, row->size);
}

/* Has the URL of a setting another origin than that of *o? */
static int
leads_elsewhere(const struct options *o, const struct setting *s)
{
	struct options other;
	char err[300];
	struct value v = { &other, s->row, s->value, err, sizeof(err) };
	int elsewhere;

	memset(&other, 0, sizeof(other));
	elsewhere = value_set(&v) == 0 &&
	    !url_same_origin(&o->url, &other.url);
	options_free(&other);
	return elsewhere;
}

/*
 * Does a setting of the command line replace a value of a file, so that the
 * options that belong to it must be dropped?  For --proxy always: in its place
 * the file may have meant the proxy of the environment.
 */
static int
is_other(const struct options *o, const struct setting *s)
{
	if (s->row->type == &type_proxy)
		return 1;
	return s->row->type->is_on((const char *)o + s->row->offset, s->row) &&
	    (s->row->type != &type_url || leads_elsewhere(o, s));
}

void
settings_replace(struct options *o, const struct settings *cli)
{
	const struct option *other;
	const struct setting *s;
	const char *names;

	for (s = cli->v; s < cli->v + cli->n; s++) {
		if ((names = s->row->replaces) != NULL && is_other(o, s))
			while ((other = option_next(&names)) != NULL)
				forget(o, other);
		if (s->row->type == &type_files)
			forget(o, s->row);
	}
}

/* --- errors that are found after options_parse() --- */

/* The lines of files that are in use. */
struct options_lines {
	unsigned int n;
	struct setting of[];
};

int
settings_keep(struct options *o, const struct settings *files,
    const struct settings *cli)
{
	const struct setting *s;

	o->lines = options_alloc(o, sizeof(*o->lines) +
	    files->n * sizeof(o->lines->of[0]));
	if (o->lines == NULL)
		return -1;
	o->lines->n = 0;
	for (s = files->v; s < files->v + files->n; s++)
		if (settings_find(cli, s->row) == NULL)
			o->lines->of[o->lines->n++] = *s;
	return 0;
}

/* Does a text, behind the name of an option, begin with this value? */
static int
is_of_value(const char *text, const char *value)
{
	size_t len = value == NULL ? 0 : strlen(value);

	return len > 0 && text[0] == ' ' &&
	    strncmp(text + 1, value, len) == 0 &&
	    (text[1 + len] == ':' || text[1 + len] == ' ');
}

/* The line that "--NAME VALUE: ..." or "FILE: ..." is about, or NULL. */
static const struct setting *
find_line(const struct options_lines *lines, const char *text,
    const struct option *row, size_t len)
{
	const struct setting *s, *found = NULL;
	char operand[sizeof(((struct error *)NULL)->text) + 1];
	unsigned int i;

	snprintf(operand, sizeof(operand), " %s", text);
	for (i = 0; lines != NULL && i < lines->n; i++) {
		s = &lines->of[i];
		if (row == NULL ? s->row->place == P_FILE &&
		    s->row->type == &type_file &&
		    is_of_value(operand, s->value) : is_same(s->row, row) &&
		    (found == NULL || !is_of_value(text + len, found->value)))
			found = s;
	}
	return found;
}

void
options_blame(const struct options *o, struct error *why)
{
	struct error bare = *why;
	size_t len = strspn(bare.text, NAME_CHARS);
	const struct option *row = len <= 2 ||
	    strncmp(bare.text, "--", 2) != 0 ? NULL :
	    option_find(bare.text + 2, len - 2);
	const struct setting *s = find_line(o->lines, bare.text, row, len);

	if (s != NULL)
		error_set(why, bare.status == EXIT_BADUSAGE ? EXIT_BADCONFIG :
		    bare.status, "%s:%d: %s%s%s", s->file, s->line,
		    s->row->name, row == NULL ? " " : "", row == NULL ?
		    bare.text : bare.text + len);
}

void
options_init(struct options *o)
{
	char err[100];
	struct value v = { .o = o, .err = err, .errlen = sizeof(err) };

	memset(o, 0, sizeof(*o));
	for (v.row = option_table; v.row->name != NULL; v.row++)
		if ((v.text = v.row->def) != NULL)
			value_set(&v);
	o->timeouts.ping = -1;	/* until the interval is known */
}
