/* SPDX-License-Identifier: ISC */
/* Values that say how to dial and what to send, checked and put in place. */
#include <stdio.h>
#include <string.h>

#include "base/lines.h"
#include "config/table.h"
#include "proto/forward_proxy.h"
#include "proto/header.h"
#include "proto/overrides.h"

static int
add_header(struct opt_list *list, const char *line, const char *from,
    enum header_for whom, char *err, size_t errlen)
{
	if (header_check(line, whom, err, errlen) == -1)
		return -1;
	if (option_list_add(list, line, err, errlen) == -1) {
		snprintf(err, errlen, "more than %d headers", OPT_LIST_MAX);
		return -1;
	}
	list->from[list->n - 1] = from;
	return 0;
}

/* Each line of a file; word is its name with an '@' before it. */
static int
add_header_file(struct options *o, struct opt_list *list, const char *word,
    enum header_for whom, char *err, size_t errlen)
{
	char *text = file_read(o, word + 1, err, errlen), *field;
	struct lines lines;
	struct slice line;
	char message[300];

	if (text == NULL)
		return -1;
	lines_begin(&lines, slice_of(text));
	while (lines_next(&lines, &line)) {
		field = text + (line.p - text);
		field[line.len] = '\0';
		if (add_header(list, field, word, whom, message,
		    sizeof(message)) == -1) {
			snprintf(err, errlen, "%s:%u: %s", word + 1,
			    lines.number, message);
			return -1;
		}
	}
	return 0;
}

static int
set_header(struct options *o, struct opt_list *list, enum header_for whom,
    const char *value, char *err, size_t errlen)
{
	return value[0] == '@' ?
	    add_header_file(o, list, value, whom, err, errlen) :
	    add_header(list, value, NULL, whom, err, errlen);
}

/* RFC 7617 2: no control characters.  The words are never shown. */
static int
is_user(const char *s, char *err, size_t errlen)
{
	const char *p;

	for (p = s; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			break;
	if (*p != '\0')
		snprintf(err, errlen, "holds a control character");
	else if (strchr(s, ':') == NULL)
		snprintf(err, errlen, "expected USER:PASSWORD, there is no "
		    "colon");
	else if (strlen(s) > URL_USER_MAX)
		snprintf(err, errlen, "longer than %d bytes", URL_USER_MAX);
	else
		return 1;
	return 0;
}

/* USER:PASSWORD, or the first line of @FILE. */
static int
set_secret(struct options *o, struct opt_secret *to, const char *value,
    char *err, size_t errlen)
{
	char *text, message[200];

	to->file = NULL;
	if (value[0] != '@') {
		to->value = value;
		return is_user(value, err, errlen) ? 0 : -1;
	}
	if ((text = file_read(o, value + 1, err, errlen)) == NULL)
		return -1;
	text += lines_skip_mark(slice_of(text));
	text[strcspn(text, "\r\n")] = '\0';
	if (!is_user(text, message, sizeof(message))) {
		snprintf(err, errlen, "%s: %s", value + 1, message);
		return -1;
	}
	to->file = value;
	to->value = text;
	return 0;
}

static int
set_proxy(struct options *o, const struct proxy **to, const char *value,
    char *err, size_t errlen)
{
	struct proxy *p = options_alloc(o, sizeof(*p));

	if (p == NULL) {
		snprintf(err, errlen, "out of memory");
		return -1;
	}
	*to = p;
	return proxy_parse(p, value, err, errlen);
}

static int
set_noproxy(const char **to, const char *value, char *err, size_t errlen)
{
	const char *p;

	for (p = value; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return option_fail(err, errlen, value,
			    "a list of hosts");
	*to = value;
	return 0;
}

/* Where a connection goes instead of over the network. */
static int
set_socket(struct options *o, const struct addr **to, const char *value,
    char *err, size_t errlen)
{
	struct addr *a = options_alloc(o, sizeof(*a));
	char word[ADDR_PATH_MAX + 8];

	if (a == NULL) {
		snprintf(err, errlen, "out of memory");
		return -1;
	}
	if ((size_t)snprintf(word, sizeof(word), "unix:%s", value) >=
	    sizeof(word) || value[0] != '/')
		return option_fail(err, errlen, value, "a socket: expected "
		    "/PATH, of 107 bytes at most");
	*to = a;
	return addr_target(a, word, err, errlen);
}

static int
set_detour(struct opt_list *list, enum option_type type, const char *value,
    char *err, size_t errlen)
{
	struct override d;

	if ((type == T_RESOLVE ? override_resolve(&d, value, err, errlen) :
	    override_connect(&d, value, err, errlen)) == -1)
		return -1;
	return option_list_add(list, value, err, errlen);
}

int
option_set_dial(struct options *o, const struct option *row,
    const char *value, char *err, size_t errlen)
{
	void *field = (char *)o + row->offset;

	switch (row->type) {
	case T_HEADER:
		return set_header(o, field, HEADER_SERVER, value, err, errlen);
	case T_PROXY_HEADER:
		return set_header(o, field, HEADER_PROXY, value, err, errlen);
	case T_SECRET:
		return set_secret(o, field, value, err, errlen);
	case T_PROXY:
		return set_proxy(o, field, value, err, errlen);
	case T_NOPROXY:
		return set_noproxy(field, value, err, errlen);
	case T_SOCKET:
		return set_socket(o, field, value, err, errlen);
	case T_RESOLVE:
	case T_CONNECT_TO:
		return set_detour(field, row->type, value, err, errlen);
	default:
		return 0;
	}
}
