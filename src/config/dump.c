/* SPDX-License-Identifier: ISC */
/* What is in force, in the configuration file's syntax. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/table.h"
#include "proto/header.h"

#define BLANKS	" \t\r"

/* The place of a row's field. */
static const void *
field(const struct options *o, const struct option *row)
{
	return (const char *)o + row->offset;
}

static void
put_quoted(const char *s, FILE *f)
{
	putc('"', f);
	for (; *s != '\0'; s++) {
		if (*s == '\n') {
			fputs("\\n", f);
			continue;
		}
		if (*s == '"' || *s == '\\')
			putc('\\', f);
		putc(*s, f);
	}
	putc('"', f);
}

/* Quoted where the parser would otherwise read something else. */
static void
put_value(const char *s, FILE *f)
{
	size_t len = strlen(s);

	if (len == 0 || strchr("=\"" BLANKS, s[0]) != NULL ||
	    strchr("\\" BLANKS, s[len - 1]) != NULL ||
	    strchr(s, '\n') != NULL)
		put_quoted(s, f);
	else
		fputs(s, f);
}

static void
put(const char *name, const char *value, FILE *f)
{
	fprintf(f, "%s ", name);
	put_value(value, f);
	putc('\n', f);
}

static void
put_program(const char *name, char *const *words, FILE *f)
{
	fputs(name, f);
	for (; *words != NULL; words++) {
		putc(' ', f);
		if (**words == '\0' || strpbrk(*words, "\"\\\n" BLANKS) != NULL)
			put_quoted(*words, f);
		else
			fputs(*words, f);
	}
	putc('\n', f);
}

/* Nothing else ever shows these either. */
static void
put_url(const char *name, const struct url *u, FILE *f)
{
	char text[ADDR_HOST_MAX + URL_PATH_MAX + 64];

	if (u->user[0] != '\0')
		fputs("# the URL's user and password are not shown\n", f);
	if (strchr(u->path, '?') != NULL)
		fputs("# the URL's query is not shown\n", f);
	put(name, url_print(text, sizeof(text), u), f);
}

static void
put_duration(const char *name, int64_t ms, FILE *f)
{
	if (ms < 0)
		fprintf(f, "%s leave\n", name);
	else if (ms % 1000 != 0)
		fprintf(f, "%s %" PRId64 "ms\n", name, ms);
	else if (ms == 0 || ms % 60000 != 0)
		fprintf(f, "%s %" PRId64 "s\n", name, ms / 1000);
	else if (ms % 3600000 != 0)
		fprintf(f, "%s %" PRId64 "m\n", name, ms / 60000);
	else
		fprintf(f, "%s %" PRId64 "h\n", name, ms / 3600000);
}

static void
put_size(const char *name, uint32_t n, FILE *f)
{
	if (n % (1 << 20) == 0)
		fprintf(f, "%s %" PRIu32 "m\n", name, n >> 20);
	else if (n % (1 << 10) == 0)
		fprintf(f, "%s %" PRIu32 "k\n", name, n >> 10);
	else
		fprintf(f, "%s %" PRIu32 "\n", name, n);
}

static void
put_choice(const struct option *row, int n, FILE *f)
{
	const char *word = row->arg;

	while (n-- > 0)
		word += strcspn(word, "|") + 1;
	fprintf(f, "%s %.*s\n", row->name, (int)strcspn(word, "|"), word);
}

static void
put_target(const struct option *row, const struct options *o, FILE *f)
{
	char text[ADDR_HOST_MAX + 64];

	if (o->program != NULL)
		put_program("target --", o->program, f);
	else
		put(row->name, addr_print(text, sizeof(text), &o->target), f);
}

static void
put_address(const char *name, const struct addr *a, FILE *f)
{
	char text[ADDR_HOST_MAX + 64];

	if (a != NULL)
		put(name, addr_print(text, sizeof(text), a), f);
}

static void
put_listeners(const struct option *row, const struct options *o, FILE *f)
{
	char text[ADDR_HOST_MAX + 64];
	unsigned int i;

	for (i = 0; i < o->nlisten; i++)
		put(row->name, addr_print(text, sizeof(text), &o->listen[i]),
		    f);
}

/*
 * Whatever a file holds stays there, and what is a secret is not shown; what
 * only a proxy gets is taken for one.
 */
static void
put_headers(const char *name, const struct opt_list *list, int secret, FILE *f)
{
	const char *last = NULL;
	unsigned int i;

	for (i = 0; i < list->n; i++) {
		if (list->from[i] != NULL && list->from[i] != last)
			put(name, list->from[i], f);
		else if (list->from[i] == NULL && (secret ||
		    header_is_private(list->v[i])))
			fprintf(f, "# the %s %.*s is not shown\n", name,
			    (int)strcspn(list->v[i], ":"), list->v[i]);
		else if (list->from[i] == NULL)
			put(name, list->v[i], f);
		last = list->from[i];
	}
}

static void
put_secret(const char *name, const struct opt_secret *s, FILE *f)
{
	if (s->file != NULL)
		put(name, s->file, f);
	else if (s->value != NULL)
		fprintf(f, "# the %s is not shown\n", name);
}

static void
put_proxy(const char *name, const struct proxy *p, FILE *f)
{
	char text[ADDR_HOST_MAX + 32] = "";

	if (p == NULL)
		return;
	if (p->user[0] != '\0')
		fprintf(f, "# the %s's user and password are not shown\n",
		    name);
	if (p->kind != PROXY_NONE)
		proxy_print(text, sizeof(text), p);
	put(name, text, f);
}

static void
put_list(const char *name, const struct opt_list *list, FILE *f)
{
	unsigned int i;

	for (i = 0; i < list->n; i++)
		put(name, list->v[i], f);
}

static void
put_row(const struct options *o, const struct option *row, FILE *f)
{
	static const char *const real_ip[] = REAL_IP_NAMES;
	const void *p = field(o, row);

	switch (row->type) {
	case T_FLAG:
		if (*(const int *)p == row->min)
			fprintf(f, "%s\n", row->name);
		break;
	case T_COUNT:
		if (*(const int *)p != 0)
			fprintf(f, "%s %d\n", row->name, *(const int *)p);
		break;
	case T_NUMBER:
		fprintf(f, "%s %u\n", row->name, *(const unsigned int *)p);
		break;
	case T_SIZE:
		put_size(row->name, *(const uint32_t *)p, f);
		break;
	case T_DURATION:
	case T_DRAIN:
	case T_LIMIT:
		put_duration(row->name, *(const int64_t *)p, f);
		break;
	case T_FACILITY:
		if (*(const int *)p != 0)
			fprintf(f, "%s %s\n", row->name,
			    option_facility_name(*(const int *)p));
		break;
	case T_CHOICE:
		put_choice(row, *(const int *)p, f);
		break;
	case T_TEXT:
	case T_TOKEN:
	case T_PATH:
	case T_FILE:
	case T_NOPROXY:
	case T_PAGE:
		if (*(const char *const *)p != NULL)
			put(row->name, *(const char *const *)p, f);
		break;
	case T_LISTEN:
		put_listeners(row, o, f);
		break;
	case T_HEADER:
	case T_PROXY_HEADER:
		put_headers(row->name, p, row->type == T_PROXY_HEADER, f);
		break;
	case T_SECRET:
		put_secret(row->name, p, f);
		break;
	case T_PROXY:
		put_proxy(row->name, *(const struct proxy *const *)p, f);
		break;
	case T_SOCKET:
		if (*(const struct addr *const *)p != NULL)
			put(row->name, (*(const struct addr *const *)p)->path,
			    f);
		break;
	case T_ADDRESS:
		put_address(row->name, *(const struct addr *const *)p, f);
		break;
	case T_ORIGIN:
	case T_NETWORK:
	case T_RESOLVE:
	case T_CONNECT_TO:
		put_list(row->name, p, f);
		break;
	case T_REAL_IP:
		if (*(const int *)p != REAL_IP_NONE)
			put(row->name, real_ip[*(const int *)p], f);
		break;
	case T_VERSION_12:
		if (*(const int *)p != 0)
			fprintf(f, "%s v%d\n", row->name, *(const int *)p);
		break;
	case T_PROGRAM:
		if (*(char **const *)p != NULL)
			put_program(row->name, *(char **const *)p, f);
		break;
	case T_MODE:
		put(row->name, mode_name(o->mode), f);
		break;
	case T_TARGET:
		put_target(row, o, f);
		break;
	case T_URL:
		put_url(row->name, &o->url, f);
		break;
	case T_CONFIG:		/* none of these stands in a file */
	case T_DUMP:
	case T_HELP:
	case T_VERSION:
	case T_COMPLETIONS:
		break;
	}
}

/* Mode and operands first, as a person would write it. */
void
options_dump(const struct options *o, FILE *f)
{
	static const enum option_place order[] = { P_FILE, P_ANY };
	const struct option *row;
	size_t i;

	for (i = 0; i < 2; i++)
		for (row = option_table; row->name != NULL; row++)
			if (row->place == order[i] &&
			    (row->modes & MODE_BIT(o->mode)) != 0)
				put_row(o, row, f);
}
