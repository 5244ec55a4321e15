/* SPDX-License-Identifier: ISC */
/* Types of values: numbers, times, words, texts, files, programs. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "base/str.h"
#include "config/types.h"
#include "proto/http.h"

int
value_fail(const struct value *v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(v->err, v->errlen, fmt, ap);
	va_end(ap);
	return -1;
}

int
value_is_not(const struct value *v, const char *expected)
{
	char shown[80];

	return value_fail(v, "'%s' is not %s",
	    word_show(shown, sizeof(shown), v->text), expected);
}

int
value_set(const struct value *v)
{
	if (v->text == NULL && v->row->arg != NULL && !v->row->type->optional)
		return value_fail(v, "needs a value: %s", v->row->arg);
	return v->row->type->parse == NULL ? 0 : v->row->type->parse(v);
}

int
value_is_there(const void *field, const struct option *row)
{
	return *(const void *const *)field != NULL;
}

static int
is_not_zero(const void *field, const struct option *row)
{
	return *(const int *)field != 0;
}

static int
is_time(const void *field, const struct option *row)
{
	return *(const int64_t *)field != 0;
}

static int
is_min(const void *field, const struct option *row)
{
	return *(const int *)field == row->min;
}

static int
is_min_or_more(const void *field, const struct option *row)
{
	return *(const int *)field >= row->min;
}

/* "no" lets the command line undo a flag of a file. */
static int
flag_parse(const struct value *v)
{
	int *to = VALUE_AT(v, int);

	if (v->text == NULL || strcmp(v->text, "yes") == 0)
		*to = (int)v->row->min;
	else if (strcmp(v->text, "no") != 0)
		return value_is_not(v, "yes or no");
	else if (*to == v->row->min)
		*to = 0;
	return 0;
}

static void
flag_dump(const struct options *o, const struct option *row, FILE *f)
{
	if (*VALUE_OF(o, row, int) == row->min)
		fprintf(f, "%s\n", row->name);
}

/* A whole number min..max. */
static int
number_parse(const struct value *v)
{
	char expected[64];
	uint64_t n;

	snprintf(expected, sizeof(expected), "a number %" PRId64 "..%" PRId64,
	    v->row->min, v->row->max);
	if (slice_number(slice_of(v->text), v->row->min, v->row->max, &n) == -1)
		return value_is_not(v, expected);
	*VALUE_AT(v, unsigned int) = n;
	return 0;
}

static void
number_dump(const struct options *o, const struct option *row, FILE *f)
{
	fprintf(f, "%s %u\n", row->name, *VALUE_OF(o, row, unsigned int));
}

static int
count_parse(const struct value *v)
{
	int *to = VALUE_AT(v, int);

	if (v->text != NULL)
		return number_parse(v);
	*to += *to < v->row->max;
	return 0;
}

static void
count_dump(const struct options *o, const struct option *row, FILE *f)
{
	if (*VALUE_OF(o, row, int) != 0)
		number_dump(o, row, f);
}

/* Writes a size in the largest unit without a fraction.  Returns dst. */
static char *
size_print(char *dst, size_t size, uint32_t n)
{
	int shift = n % (1 << 20) == 0 ? 20 : n % (1 << 10) == 0 ? 10 : 0;

	snprintf(dst, size, "%" PRIu32 "%s", n >> shift,
	    shift == 20 ? "m" : shift == 10 ? "k" : "");
	return dst;
}

static int
size_parse(const struct value *v)
{
	char expected[64], min[16], max[16];
	uint64_t n;

	if (str_size(v->text, &n) == -1 || n < (uint64_t)v->row->min ||
	    n > (uint64_t)v->row->max) {
		snprintf(expected, sizeof(expected), "a size %s..%s",
		    size_print(min, sizeof(min), v->row->min),
		    size_print(max, sizeof(max), v->row->max));
		return value_is_not(v, expected);
	}
	*VALUE_AT(v, uint32_t) = n;
	return 0;
}

static void
size_dump(const struct options *o, const struct option *row, FILE *f)
{
	char text[16];

	fprintf(f, "%s %s\n", row->name, size_print(text, sizeof(text),
	    *VALUE_OF(o, row, uint32_t)));
}

static int
duration_parse(const struct value *v)
{
	if (v->text == NULL)
		*VALUE_AT(v, int64_t) = v->row->max;
	else if (str_duration(v->text, VALUE_AT(v, int64_t)) == -1)
		return value_is_not(v, v->row->type->expected);
	return 0;
}

static int
drain_parse(const struct value *v)
{
	if (strcmp(v->text, "leave") != 0)
		return duration_parse(v);
	*VALUE_AT(v, int64_t) = -1;
	return 0;
}

static void
duration_dump(const struct options *o, const struct option *row, FILE *f)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = { { "h", 3600000 }, { "m", 60000 }, { "s", 1000 },
	    { "ms", 1 } };
	int64_t ms = *VALUE_OF(o, row, int64_t);
	int i = ms == 0 ? 2 : 0;

	if (ms < 0) {
		fprintf(f, "%s leave\n", row->name);
		return;
	}
	while (ms % units[i].ms != 0)
		i++;
	fprintf(f, "%s %" PRId64 "%s\n", row->name, ms / units[i].ms,
	    units[i].unit);
}

/* The number of a word in "a|b", from 0, in any case; -1 if it is none. */
static int
choice_find(const char *choices, const char *word)
{
	struct slice s;
	int i;

	for (i = 0; ; i++, choices += s.len + 1) {
		s = (struct slice){ choices, strcspn(choices, "|") };
		if (slice_is_nocase(s, word))
			return i;
		if (choices[s.len] == '\0')
			return -1;
	}
}

static int
choice_parse(const struct value *v)
{
	char expected[100];
	int i = choice_find(v->row->choices, v->text);

	snprintf(expected, sizeof(expected), "one of %s", v->row->choices);
	if (i == -1)
		return value_is_not(v, expected);
	*VALUE_AT(v, int) = (int)v->row->min + i;
	return 0;
}

static int
switch_parse(const struct value *v)
{
	if (v->text != NULL && strcmp(v->text, "no") != 0)
		return choice_parse(v);
	*VALUE_AT(v, int) = v->text == NULL ? (int)v->row->min : 0;
	return 0;
}

static void
choice_dump(const struct options *o, const struct option *row, FILE *f)
{
	const char *word = row->choices;
	int n = *VALUE_OF(o, row, int) - (int)row->min;

	if (n < 0)
		return;
	while (n-- > 0)
		word += strcspn(word, "|") + 1;
	fprintf(f, "%s %.*s\n", row->name, (int)strcspn(word, "|"), word);
}

/* The names of facilities, and below their values in the same order. */
#define FACILITIES	"daemon|auth|authpriv|cron|ftp|lpr|mail|news|user|" \
    "uucp|local0|local1|local2|local3|local4|local5|local6|local7"

static const int facilities[] = {
	LOG_DAEMON, LOG_AUTH, LOG_AUTHPRIV, LOG_CRON, LOG_FTP, LOG_LPR,
	LOG_MAIL, LOG_NEWS, LOG_USER, LOG_UUCP, LOG_LOCAL0, LOG_LOCAL1,
	LOG_LOCAL2, LOG_LOCAL3, LOG_LOCAL4, LOG_LOCAL5, LOG_LOCAL6, LOG_LOCAL7
};

static int
facility_parse(const struct value *v)
{
	int i = 0;

	if (v->text != NULL && strcmp(v->text, "no") == 0) {
		*VALUE_AT(v, int) = 0;
		return 0;
	}
	if (v->text != NULL && strcmp(v->text, "yes") != 0)
		i = choice_find(FACILITIES, v->text);
	if (i == -1)
		return value_is_not(v, v->row->type->expected);
	*VALUE_AT(v, int) = facilities[i];
	return 0;
}

static void
facility_dump(const struct options *o, const struct option *row, FILE *f)
{
	const char *word = FACILITIES;
	int facility = *VALUE_OF(o, row, int), i;

	if (facility == 0)
		return;
	for (i = 0; facilities[i] != facility; i++)
		word += strcspn(word, "|") + 1;
	fprintf(f, "%s %.*s\n", row->name, (int)strcspn(word, "|"), word);
}

int
text_parse(const struct value *v)
{
	const struct option_type *type = v->row->type;

	if (v->text[0] == '\0' && type != &type_hosts &&
	    type != &type_servername)
		return value_fail(v, "must not be empty");
	if (type->fits != NULL && !type->fits(v->text))
		return value_is_not(v, type->expected);
	*VALUE_AT(v, const char *) = v->text;
	return 0;
}

void
text_dump(const struct options *o, const struct option *row, FILE *f)
{
	const char *text = *VALUE_OF(o, row, const char *);

	if (text != NULL)
		syntax_put(row->name, text, f);
}

/* A line break would begin a field of its own. */
static int
is_field_value(const char *s)
{
	return slice_is_field_value(slice_of(s));
}

static int
is_token(const char *s)
{
	return http_is_token(slice_of(s));
}

static int
is_token_or_empty(const char *s)
{
	return s[0] == '\0' || is_token(s);
}

/* A list of tokens, none of them twice (RFC 6455 4.1, item 10). */
static int
is_token_list(const char *s)
{
	struct slice list = slice_of(s), rest, element, other;

	if (s[0] == ',' || s[strlen(s) - 1] == ',' || strstr(s, ",,") != NULL)
		return 0;
	while (slice_next(&list, &element)) {
		if (!http_is_token(element) ||
		    (slice_is(element, "*") && strcmp(s, "*") != 0))
			return 0;
		for (rest = list; slice_next(&rest, &other);)
			if (other.len == element.len &&
			    memcmp(other.p, element.p, other.len) == 0)
				return 0;
	}
	return 1;
}

/* The path of a URL without query, as it is in a request line. */
static int
is_path(const char *s)
{
	if (s[0] != '/' || strlen(s) > URL_PATH_MAX)
		return 0;
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s >= 0x7f || *s == '?' || *s == '#')
			return 0;
	return 1;
}

static int
program_parse(const struct value *v)
{
	char **words = syntax_split(v->o, v->text);

	if (words == NULL)
		return value_is_not(v, v->row->type->expected);
	*VALUE_AT(v, char **) = words;
	return 0;
}

static void
program_dump(const struct options *o, const struct option *row, FILE *f)
{
	char **words = *VALUE_OF(o, row, char **);

	if (words != NULL)
		syntax_put_program(row->name, words, f);
}

static void
mode_dump(const struct options *o, const struct option *row, FILE *f)
{
	syntax_put(row->name, mode_name(o->mode), f);
}

#define DURATION	"a duration like 500ms, 25s, 5m, 0 for off, or 596h at most"

const struct option_type
    type_flag = { .parse = flag_parse, .dump = flag_dump, .is_on = is_min },
    type_count = { .parse = count_parse, .dump = count_dump,
	.is_on = is_not_zero, .repeatable = 1 },
    type_number = { .parse = number_parse, .dump = number_dump,
	.is_on = is_not_zero },
    type_size = { .parse = size_parse, .dump = size_dump },
    type_duration = { .parse = duration_parse, .dump = duration_dump,
	.is_on = is_time, .expected = DURATION },
    type_limit = { .parse = duration_parse, .dump = duration_dump,
	.is_on = is_time, .expected = DURATION, .optional = 1 },
    type_drain = { .parse = drain_parse, .dump = duration_dump,
	.is_on = is_time, .expected = "a duration like 30s, nor 'leave'" },
    type_choice = { .parse = choice_parse, .dump = choice_dump,
	.is_on = is_min_or_more },
    type_switch = { .parse = switch_parse, .dump = choice_dump,
	.is_on = is_min_or_more, .optional = 1 },
    type_facility = { .parse = facility_parse, .dump = facility_dump,
	.is_on = is_not_zero, .choices = FACILITIES, .optional = 1,
	.expected = "a facility of syslog: auth, authpriv, cron, daemon, ftp, "
	"lpr, mail, news, user, uucp or local0 to local7" },
    type_text = { .parse = text_parse, .dump = text_dump,
	.is_on = value_is_there, .fits = is_field_value,
	.expected = "free of control characters" },
    type_token = { .parse = text_parse, .dump = text_dump,
	.is_on = value_is_there, .fits = is_token,
	.expected = "a token (letters, digits and !#$%&'*+-.^_`|~)" },
    type_servername = { .parse = text_parse, .dump = text_dump,
	.is_on = value_is_there, .fits = is_token_or_empty,
	.expected = "a token, nor empty" },
    type_tokens = { .parse = text_parse, .dump = text_dump,
	.is_on = value_is_there, .fits = is_token_list,
	.expected = "a list of tokens: expected NAME,NAME..., each once, "
	"or * alone" },
    type_path = { .parse = text_parse, .dump = text_dump,
	.is_on = value_is_there, .fits = is_path,
	.expected = "a path: expected /PATH, percent-encoded, without ? and #" },
    type_file = { .parse = text_parse, .dump = text_dump,
	.is_on = value_is_there, .complete = COMPLETE_FILE },
    type_program = { .parse = program_parse, .dump = program_dump,
	.is_on = value_is_there, .complete = COMPLETE_FILE,
	.expected = "PROGRAM [ARG...] with its quotes closed" },
    type_action = { .parse = NULL },
    type_config = { .complete = COMPLETE_FILE },
    type_mode = { .dump = mode_dump };
