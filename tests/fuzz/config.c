/* SPDX-License-Identifier: ISC */
/*
 * The configuration file: what is accepted, dumped and read again must be
 * accepted and dump the same, but for comments, which tell what is not shown.
 * Or the words of a command line, one a line: what is refused is refused with
 * printable words.
 */
#include "config/settings.h"
#include "config/types.h"
#include "fuzz.h"

#define TEXT_MAX	16384
#define WORDS_MAX	64

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

/* Help, the version and completions go nowhere. */
static void
words(char *text)
{
	static struct options o;
	static FILE *nowhere;
	char *argv[WORDS_MAX + 2] = { (char *)"inetws" };
	struct error why = { 0, "" };
	const char *p;
	int argc = 1, r;

	if (nowhere == NULL)
		CHECK((nowhere = freopen("/dev/null", "w", stdout)) != NULL);
	for (; *text != '\0' && argc <= WORDS_MAX; text += strcspn(text, "\n")) {
		if (*text == '\n')
			*text++ = '\0';
		argv[argc++] = text;
	}
	r = options_parse(&o, argc, argv, &why);
	if (r == -1) {
		CHECK(why.status != 0 && why.text[0] != '\0');
		/* A name of a file may be beyond ASCII. */
		for (p = why.text; *p != '\0'; p++)
			CHECK((unsigned char)*p >= ' ' && *p != 0x7f);
	} else if (r == OPT_RUN) {
		CHECK(o.mode != MODE_NONE);
		options_dump(&o, nowhere);
		options_free(&o);
	}
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
	/* "header @FILE" would open files, and so would --config */
	for (i = 0; i < size; i++)
		if (text[i] == '@' || (text[i] == '/' && data[0] >= 240))
			text[i] = 'A';
	if (data[0] >= 240) {
		words(text);
		free(text);
		return 0;
	}
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
