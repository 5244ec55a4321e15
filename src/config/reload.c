/* SPDX-License-Identifier: ISC */
/* At HUP: parses the command line again, since its files may have changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/table.h"
#include "config/types.h"

/*
 * What --dump-config prints of an option; the caller frees it.  NULL: no
 * memory.
 */
static char *
dump_row(const struct options *o, const struct option *row)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (f == NULL)
		return NULL;
	row->type->dump(o, row, f);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

/* --- what dump does not show --- */

static int
url_same(const void *field, const void *other)
{
	const struct url *a = field, *b = other;

	return strcmp(a->user, b->user) == 0 && strcmp(a->path, b->path) == 0;
}

/* What is in a file does not count. */
static int
header_same(const void *field, const void *other)
{
	const struct opt_list *a = field, *b = other;
	unsigned int i;

	for (i = 0; i < a->n && i < b->n; i++)
		if (a->from[i] == NULL && b->from[i] == NULL &&
		    strcmp(a->v[i], b->v[i]) != 0)
			return 0;
	return 1;
}

static int
secret_same(const void *field, const void *other)
{
	const struct opt_secret *a = field, *b = other;

	return a->value == NULL || b->value == NULL || a->file != NULL ||
	    b->file != NULL || strcmp(a->value, b->value) == 0;
}

static int
proxy_same(const void *field, const void *other)
{
	const struct proxy *const *a = field, *const *b = other;

	return *a == NULL || *b == NULL || strcmp((*a)->user, (*b)->user) == 0;
}

static const struct {
	const struct option_type *type;
	int (*same)(const void *, const void *);
} secrets[] = {
	{ &type_url, url_same },
	{ &type_header, header_same },
	{ &type_proxy_header, header_same },
	{ &type_secret, secret_same },
	{ &type_proxy, proxy_same },
};

static int
same_secrets(const struct option *row, const void *a, const void *b)
{
	size_t i;

	for (i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (secrets[i].type == row->type)
			return secrets[i].same(a, b);
	return 1;
}

static int
is_same(const struct options *a, const struct options *b,
    const struct option *row)
{
	const char *of_a = (const char *)a + row->offset;
	const char *of_b = (const char *)b + row->offset;
	char *text_a, *text_b;
	int same;

	if (row->hup == HUP_FIXED_USE)
		return row->type->is_on(of_a, row) ==
		    row->type->is_on(of_b, row);
	if (!same_secrets(row, of_a, of_b))
		return 0;
	text_a = dump_row(a, row);
	text_b = dump_row(b, row);
	same = text_a != NULL && text_b != NULL &&
	    strcmp(text_a, text_b) == 0;
	free(text_a);
	free(text_b);
	return same;
}

#define BIT(hup)	(1u << (hup))

/* The name of the first option of these kinds that has changed, or NULL. */
static const char *
find_changed(const struct options *old, const struct options *new,
    unsigned int kinds)
{
	const struct option *row;

	for (row = option_table; row->name != NULL; row++)
		if ((kinds & BIT(row->hup)) != 0 && row->type->dump != NULL &&
		    option_in_mode(row, old->mode) && !is_same(old, new, row))
			return row->name;
	return NULL;
}

int
options_reload(struct options *o,
    int (*check)(const struct options *, struct error *), struct error *why)
{
	struct options new;
	const char *name;
	int argc = 0, renews;

	if (o->argv == NULL)
		return 0;
	while (o->argv[argc] != NULL)
		argc++;
	if (options_parse(&new, argc, o->argv, why) != OPT_RUN)
		return -1;
	name = find_changed(o, &new, BIT(HUP_FIXED) | BIT(HUP_FIXED_USE));
	if (name != NULL)
		error_set(why, EXIT_BADCONFIG, "%s has changed, which needs a "
		    "restart", name);
	if (name != NULL || (check != NULL && check(&new, why) == -1)) {
		options_blame(&new, why);
		options_free(&new);
		return -1;
	}
	renews = find_changed(o, &new, BIT(HUP_RENEWS)) != NULL;
	new.log.no_stderr = o->log.no_stderr;
	options_free(o);
	*o = new;
	return renews;
}
