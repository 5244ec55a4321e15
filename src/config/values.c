/* SPDX-License-Identifier: ISC */
/* One value, checked and put into its place. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/table.h"
#include "proto/ip.h"
#include "proto/origin.h"

#define SHOWN	80	/* of an offending value in a message */

int
option_fail(char *err, size_t errlen, const char *value, const char *expected)
{
	char shown[SHOWN];

	snprintf(err, errlen, "'%s' is not %s",
	    option_show(shown, sizeof(shown), value), expected);
	return -1;
}

/* The field of a row. */
static void *
field(struct options *o, const struct option *row)
{
	return (char *)o + row->offset;
}

/* RFC 9110 5.6.2. */
static int
is_token(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] >= 0x7f ||
		    strchr("\"(),/:;<=>?@[\\]{}", s[i]) != NULL)
			return 0;
	return len > 0;
}

/* RFC 9110 5.5: a line break would begin a field of its own. */
static int
is_field_value(const char *s)
{
	for (; *s != '\0'; s++)
		if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
			return 0;
	return 1;
}

/* The path of a URL, as a request line can hold it. */
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
set_number(unsigned int *to, const struct option *row, const char *value,
    char *err, size_t errlen)
{
	char expected[64];
	uint64_t n;

	snprintf(expected, sizeof(expected), "a number %" PRId64 "..%" PRId64,
	    row->min, row->max);
	if (slice_number(slice_of(value), row->min, row->max, &n) == -1)
		return option_fail(err, errlen, value, expected);
	*to = n;
	return 0;
}

static int
set_size(uint32_t *to, const struct option *row, const char *value, char *err,
    size_t errlen)
{
	char expected[64];
	uint64_t n;

	if (str_size(value, &n) == -1 || n < (uint64_t)row->min ||
	    n > (uint64_t)row->max) {
		snprintf(expected, sizeof(expected), "a size %" PRId64 "k..%"
		    PRId64 "m", row->min >> 10, row->max >> 20);
		return option_fail(err, errlen, value, expected);
	}
	*to = n;
	return 0;
}

static int
set_duration(int64_t *to, const char *value, int drain, char *err,
    size_t errlen)
{
	if (drain && strcmp(value, "leave") == 0)
		*to = -1;
	else if (str_duration(value, to) == -1)
		return option_fail(err, errlen, value, drain ?
		    "a duration like 30s, nor 'leave'" :
		    "a duration like 500ms, 25s, 5m, 1h or 0 for off");
	return 0;
}

/* A flag may say yes or no, so that a command line can undo a file. */
static int
set_flag(int *to, const struct option *row, const char *value, char *err,
    size_t errlen)
{
	if (value == NULL || strcmp(value, "yes") == 0)
		*to = row->min;
	else if (strcmp(value, "no") != 0)
		return option_fail(err, errlen, value, "yes or no");
	else if (*to == row->min)
		*to = 0;
	return 0;
}

static int
set_count(int *to, const struct option *row, const char *value, char *err,
    size_t errlen)
{
	unsigned int n;

	if (value == NULL)
		*to += *to < row->max;
	else if (set_number(&n, row, value, err, errlen) == -1)
		return -1;
	else
		*to = n;
	return 0;
}

static int
set_choice(int *to, const struct option *row, const char *value, char *err,
    size_t errlen)
{
	const char *word = row->arg;
	char expected[64];
	size_t len;
	int i;

	for (i = 0; ; i++) {
		len = strcspn(word, "|");
		if (strlen(value) == len && memcmp(word, value, len) == 0) {
			*to = i;
			return 0;
		}
		if (word[len] == '\0')
			break;
		word += len + 1;
	}
	snprintf(expected, sizeof(expected), "one of %s", row->arg);
	return option_fail(err, errlen, value, expected);
}

static int
set_string(const char **to, enum option_type type, const char *value,
    char *err, size_t errlen)
{
	if (value[0] == '\0') {
		snprintf(err, errlen, "may not be empty");
		return -1;
	}
	if (type == T_TEXT && !is_field_value(value))
		return option_fail(err, errlen, value,
		    "free of control characters");
	if (type == T_TOKEN && !is_token(value, strlen(value)))
		return option_fail(err, errlen, value,
		    "a token (letters, digits and !#$%&'*+-.^_`|~)");
	if (type == T_PATH && !is_path(value))
		return option_fail(err, errlen, value, "a path: expected /PATH, "
		    "percent-encoded, without ? and #");
	*to = value;
	return 0;
}

static int
set_listen(struct options *o, const char *value, char *err, size_t errlen)
{
	if (o->nlisten == OPT_LISTEN_MAX) {
		snprintf(err, errlen, "more than %d addresses",
		    OPT_LISTEN_MAX);
		return -1;
	}
	if (addr_listen(&o->listen[o->nlisten], value, err, errlen) == -1)
		return -1;
	o->nlisten++;
	return 0;
}

/* Listeners beside those of -l; a connection is none. */
static int
set_address(const struct addr **to, struct options *o, const char *value,
    char *err, size_t errlen)
{
	struct addr *a = options_alloc(o, sizeof(*a));

	if (a == NULL) {
		snprintf(err, errlen, "out of memory");
		return -1;
	}
	if (addr_listen(a, value, err, errlen) == -1)
		return -1;
	if (a->kind == ADDR_INETD || a->kind == ADDR_STDIO)
		return option_fail(err, errlen, value, "an address: expected "
		    "HOST:PORT, PORT, unix:/PATH, fd:N or systemd:NAME");
	*to = a;
	return 0;
}

int
option_list_add(struct opt_list *list, const char *value, char *err,
    size_t errlen)
{
	if (list->n == OPT_LIST_MAX) {
		snprintf(err, errlen, "more than %d of them", OPT_LIST_MAX);
		return -1;
	}
	list->v[list->n++] = value;
	return 0;
}

static int
add_origin(struct opt_list *list, const char *value, char *err, size_t errlen)
{
	if (!origin_is_word(value))
		return option_fail(err, errlen, value, "a host, HOST:PORT, "
		    "https://HOST or *");
	return option_list_add(list, value, err, errlen);
}

static int
add_network(struct opt_list *list, const char *value, char *err,
    size_t errlen)
{
	struct cidr c;

	if (strcmp(value, "unix") != 0 &&
	    cidr_parse(&c, slice_of(value)) == -1)
		return option_fail(err, errlen, value, "an address, a network like "
		    "10.0.0.0/8, or unix");
	return option_list_add(list, value, err, errlen);
}

static int
set_real_ip(int *to, const char *value, char *err, size_t errlen)
{
	static const char *const name[] = REAL_IP_NAMES;
	int i;

	for (i = REAL_IP_X_FORWARDED_FOR; i <= REAL_IP_FORWARDED; i++)
		if (slice_is_nocase(slice_of(value), name[i])) {
			*to = i;
			return 0;
		}
	return option_fail(err, errlen, value, "X-Forwarded-For, X-Real-IP or "
	    "Forwarded");
}

static int
set_version(int *to, const char *value, char *err, size_t errlen)
{
	if (value == NULL || strcmp(value, "v1") == 0)
		*to = 1;
	else if (strcmp(value, "v2") == 0)
		*to = 2;
	else if (strcmp(value, "no") == 0)
		*to = 0;
	else
		return option_fail(err, errlen, value, "v1 or v2");
	return 0;
}

static int
set_program(struct options *o, char ***to, const char *value, char *err,
    size_t errlen)
{
	if ((*to = words_split(o, value)) == NULL)
		return option_fail(err, errlen, value,
		    "PROGRAM [ARG...] with its quotes closed");
	return 0;
}

/* An address, or "-- PROGRAM ARG..." in a file. */
static int
set_target(struct options *o, const char *value, char *err, size_t errlen)
{
	char **words = NULL;

	if (strncmp(value, "-- ", 3) == 0) {
		words = words_split(o, value + 3);
		if (words == NULL)
			return option_fail(err, errlen, value,
			    "-- PROGRAM [ARG...] with its quotes closed");
	} else if (addr_target(&o->target, value, err, errlen) == -1)
		return -1;
	o->program = words;
	return 0;
}

int
option_set(struct options *o, const struct option *row, const char *value,
    char *err, size_t errlen)
{
	if (value == NULL && row->arg != NULL) {
		snprintf(err, errlen, "needs a value: %s", row->arg);
		return -1;
	}
	switch (row->type) {
	case T_FLAG:
		return set_flag(field(o, row), row, value, err, errlen);
	case T_COUNT:
		return set_count(field(o, row), row, value, err, errlen);
	case T_NUMBER:
		return set_number(field(o, row), row, value, err, errlen);
	case T_SIZE:
		return set_size(field(o, row), row, value, err, errlen);
	case T_DURATION:
	case T_DRAIN:
		return set_duration(field(o, row), value,
		    row->type == T_DRAIN, err, errlen);
	case T_LIMIT:
		return option_limit(field(o, row), row, value, err, errlen);
	case T_FACILITY:
		return option_facility(field(o, row), value, err, errlen);
	case T_CHOICE:
		return set_choice(field(o, row), row, value, err, errlen);
	case T_TEXT:
	case T_TOKEN:
	case T_PATH:
	case T_FILE:
	case T_PAGE:
		return set_string(field(o, row), row->type, value, err,
		    errlen);
	case T_LISTEN:
		return set_listen(o, value, err, errlen);
	case T_ADDRESS:
		return set_address(field(o, row), o, value, err, errlen);
	case T_HEADER:
	case T_PROXY_HEADER:
	case T_SECRET:
	case T_PROXY:
	case T_NOPROXY:
	case T_SOCKET:
	case T_RESOLVE:
	case T_CONNECT_TO:
		return option_set_dial(o, row, value, err, errlen);
	case T_ORIGIN:
		return add_origin(field(o, row), value, err, errlen);
	case T_NETWORK:
		return add_network(field(o, row), value, err, errlen);
	case T_REAL_IP:
		return set_real_ip(field(o, row), value, err, errlen);
	case T_VERSION_12:
		return set_version(field(o, row), value, err, errlen);
	case T_PROGRAM:
		return set_program(o, field(o, row), value, err, errlen);
	case T_TARGET:
		return set_target(o, value, err, errlen);
	case T_URL:
		return url_parse(&o->url, value, err, errlen);
	case T_MODE:		/* settled before the others */
	case T_CONFIG:
	case T_DUMP:
	case T_HELP:
	case T_VERSION:
	case T_COMPLETIONS:
		break;
	}
	return 0;
}

/* One allocation of many, in a list. */
struct options_block {
	struct options_block *next;
	char *memory[];		/* aligned for pointers */
};

void *
options_alloc(struct options *o, size_t size)
{
	struct options_block *b = malloc(sizeof(*b) + size);

	if (b == NULL)
		return NULL;
	b->next = o->owned;
	o->owned = b;
	return b->memory;
}

void
options_free(struct options *o)
{
	struct options_block *b;

	while ((b = o->owned) != NULL) {
		o->owned = b->next;
		free(b);
	}
}

void
options_init(struct options *o)
{
	const struct option *row;
	char err[100];

	memset(o, 0, sizeof(*o));
	for (row = option_table; row->name != NULL; row++)
		if (row->def != NULL)
			option_set(o, row, row->def, err, sizeof(err));
	o->timeouts.ping = -1;	/* until the interval is known */
}
