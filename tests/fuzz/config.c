/* SPDX-License-Identifier: ISC */
/*
 * The configuration file: what is accepted, dumped and read again must be
 * accepted and dump the same, but for comments, which tell what is not shown.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/settings.h"
#include "config/types.h"

#define TEXT_MAX	16384

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct settings set;

/* Parses text, which it changes; returns what options_dump() says, or NULL. */
static char *
round_trip(char *text, enum mode mode)
{
	static struct options o;
	static const struct settings none;
	const struct mode_row *row;
	struct error why;
	char *dump = NULL;
	size_t len;
	unsigned int i;
	FILE *f;

	memset(&set, 0, sizeof(set));
	options_init(&o);
	o.mode = mode;
	o.timeouts.ping = 0;
	addr_target(&o.target, "h:1", why.text, sizeof(why.text));
	url_parse(&o.url, "ws://h", why.text, sizeof(why.text));
	if (file_parse(&set, "fuzz", text, &why) == -1) {
		if (why.status != EXIT_BADCONFIG)
			abort();
		return NULL;
	}
	for (i = 0; i < set.n; i++) {
		row = set.v[i].row->type != &type_mode ||
		    set.v[i].value == NULL ? NULL : mode_find(set.v[i].value);
		if (row != NULL)
			o.mode = row->mode;
	}
	if (settings_apply(&o, &set, &why) == 0 &&
	    effect_check(&o, &set, &none, &why) == 0) {
		f = open_memstream(&dump, &len);
		options_dump(&o, f);
		fclose(f);
	}
	options_free(&o);
	return dump;
}

/* Takes the lines away that begin with '#'; every line has its end. */
static void
strip_comments(char *text)
{
	char *to = text, *end;

	for (; *text != '\0'; text = end) {
		end = strchr(text, '\n') + 1;
		if (*text == '#')
			continue;
		memmove(to, text, end - text);
		to += end - text;
	}
	*to = '\0';
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum mode modes[] = { MODE_SERVER, MODE_CLIENT,
	    MODE_CONNECT };
	char *text, *first, *again, *second;
	size_t i;

	if (size == 0 || size > TEXT_MAX)
		return 0;
	text = malloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	/* "header @FILE" would open files */
	for (i = 0; i < size; i++)
		if (text[i] == '@')
			text[i] = 'A';
	first = round_trip(text, modes[data[0] % 3]);
	if (first != NULL && strlen(first) < OPT_FILE_MAX) {
		again = strdup(first);
		second = round_trip(again, MODE_SERVER);
		if (second == NULL)
			abort();
		strip_comments(first);
		strip_comments(second);
		if (strcmp(first, second) != 0)
			abort();
		free(again);
		free(second);
	}
	free(first);
	free(text);
	return 0;
}
