/* SPDX-License-Identifier: ISC */
/* Types of values: addresses, URLs, header fields, secrets, proxies. */
#include <stdio.h>
#include <string.h>

#include "base/lines.h"
#include "base/str.h"
#include "config/types.h"
#include "proto/forward_proxy.h"
#include "proto/header.h"
#include "proto/interface.h"
#include "proto/ip.h"
#include "proto/origin.h"
#include "proto/overrides.h"

/* Bytes of an address, or of the URL of a proxy, as it is written. */
#define SHOWN_MAX	(ADDR_HOST_MAX + 64)

static int
has_any(const void *field, const struct option *row)
{
	return ((const struct opt_list *)field)->n > 0;
}

static int
listen_parse(const struct value *v)
{
	struct options *o = v->o;

	if (o->nlisten == OPT_LISTEN_MAX)
		return value_fail(v, "more than %d addresses", OPT_LISTEN_MAX);
	if (value_refuse_url(v, "an address") == -1 ||
	    addr_listen(&o->listen[o->nlisten], v->text, v->err,
	    v->errlen) == -1)
		return -1;
	o->nlisten++;
	return 0;
}

static void
listen_dump(const struct options *o, const struct option *row, FILE *f)
{
	char text[SHOWN_MAX];
	unsigned int i;

	for (i = 0; i < o->nlisten; i++)
		syntax_put(row->name, addr_print(text, sizeof(text),
		    &o->listen[i]), f);
}

/* A listener; not a single connection. */
static int
address_parse(const struct value *v)
{
	struct addr *a = value_alloc(v, sizeof(*a));

	if (a == NULL || value_refuse_url(v, "an address") == -1 ||
	    addr_listen(a, v->text, v->err, v->errlen) == -1)
		return -1;
	if (a->kind == ADDR_INETD || a->kind == ADDR_STDIO)
		return value_is_not(v, v->row->type->expected);
	*VALUE_AT(v, const struct addr *) = a;
	return 0;
}

static void
address_dump(const struct options *o, const struct option *row, FILE *f)
{
	const struct addr *a = *VALUE_OF(o, row, const struct addr *);
	char text[SHOWN_MAX];

	if (a != NULL)
		syntax_put(row->name, addr_print(text, sizeof(text), a), f);
}

/* An address, or "-- PROGRAM ARG..." in a file. */
static int
target_parse(const struct value *v)
{
	char **words = NULL;

	if (strncmp(v->text, "-- ", 3) == 0) {
		words = syntax_split(v->o, v->text + 3);
		if (words == NULL)
			return value_is_not(v, v->row->type->expected);
	} else if (value_refuse_url(v, "HOST:PORT or unix:/PATH") == -1 ||
	    addr_target(&v->o->target, v->text, v->err, v->errlen) == -1)
		return -1;
	v->o->program = words;
	return 0;
}

static void
target_dump(const struct options *o, const struct option *row, FILE *f)
{
	char text[SHOWN_MAX];

	if (o->program != NULL)
		syntax_put_words("target --", o->program, f);
	else
		syntax_put(row->name, addr_print(text, sizeof(text),
		    &o->target), f);
}

static int
is_target(const void *field, const struct option *row)
{
	const struct addr *a = field;

	return a->kind != ADDR_TCP || a->port != 0;
}

static int
url_set(const struct value *v)
{
	return value_refuse_address(v) == -1 || value_refuse_bare(v) == -1 ?
	    -1 : url_parse(VALUE_AT(v, struct url), v->text, v->err, v->errlen);
}

static int
is_url(const void *field, const struct option *row)
{
	return ((const struct url *)field)->path[0] != '\0';
}

/* User, password and query may be secret, and are not shown. */
static void
url_dump(const struct options *o, const struct option *row, FILE *f)
{
	const struct url *u = VALUE_OF(o, row, struct url);
	char text[SHOWN_MAX + URL_PATH_MAX];

	if (u->user[0] != '\0')
		fputs("# the URL's user and password are not shown\n", f);
	if (strchr(u->path, '?') != NULL)
		fputs("# the URL's query is not shown\n", f);
	syntax_put(row->name, url_print(text, sizeof(text), u), f);
}

static int
list_add(const struct value *v, const char *word, const char *from)
{
	struct opt_list *list = VALUE_AT(v, struct opt_list);

	if (list->n == OPT_LIST_MAX)
		return value_fail(v, "more than %d of them", OPT_LIST_MAX);
	list->from[list->n] = from;
	list->v[list->n++] = word;
	return 0;
}

static int
list_parse(const struct value *v)
{
	if (!v->row->type->fits(v->text))
		return value_is_not(v, v->row->type->expected);
	return list_add(v, v->text, NULL);
}

static int
files_parse(const struct value *v)
{
	return v->text[0] == '\0' ? value_fail(v, "must not be empty") :
	    list_add(v, v->text, NULL);
}

static void
list_dump(const struct options *o, const struct option *row, FILE *f)
{
	const struct opt_list *list = VALUE_OF(o, row, struct opt_list);
	unsigned int i;

	for (i = 0; i < list->n; i++)
		syntax_put(row->name, list->v[i], f);
}

static int
is_network(const char *word)
{
	struct cidr c;

	return strcmp(word, "unix") == 0 ||
	    cidr_parse(&c, slice_of(word)) == 0;
}

static int
resolve_parse(const struct value *v)
{
	struct override d;

	return override_resolve(&d, v->text, v->err, v->errlen) == -1 ? -1 :
	    list_add(v, v->text, NULL);
}

static int
connect_to_parse(const struct value *v)
{
	struct override d;

	return override_connect(&d, v->text, v->err, v->errlen) == -1 ? -1 :
	    list_add(v, v->text, NULL);
}

static enum header_for
header_is_for(const struct option *row)
{
	return row->type == &type_header ? HEADER_SERVER : HEADER_PROXY;
}

/* @FILE: each line is a field. */
static int
header_file(const struct value *v)
{
	char *text = value_file(v, v->text + 1), *field, message[300];
	struct value each = { v->o, v->row, NULL, message, sizeof(message) };
	struct lines lines;
	struct slice line;

	if (text == NULL)
		return -1;
	lines_begin(&lines, slice_of(text));
	while (lines_next(&lines, &line)) {
		field = text + (line.p - text);
		field[line.len] = '\0';
		if (header_check(field, header_is_for(v->row), message,
		    sizeof(message)) == -1 ||
		    list_add(&each, field, v->text) == -1)
			return value_fail(v, "%s:%u: %s", v->text + 1,
			    lines.number, message);
	}
	return 0;
}

static int
header_parse(const struct value *v)
{
	if (v->text[0] == '@')
		return header_file(v);
	return header_check(v->text, header_is_for(v->row), v->err,
	    v->errlen) == -1 ? -1 : list_add(v, v->text, NULL);
}

/*
 * Of fields from a file only "@FILE" is shown.  A field that may be a secret is
 * not shown: so is every field for a proxy.
 */
static void
header_dump(const struct options *o, const struct option *row, FILE *f)
{
	const struct opt_list *list = VALUE_OF(o, row, struct opt_list);
	const char *last = NULL;
	unsigned int i;

	for (i = 0; i < list->n; i++) {
		if (list->from[i] != NULL && list->from[i] != last)
			syntax_put(row->name, list->from[i], f);
		else if (list->from[i] == NULL &&
		    (row->type == &type_proxy_header ||
		    header_is_private(list->v[i])))
			fprintf(f, "# the %s %.*s is not shown\n", row->name,
			    (int)strcspn(list->v[i], ":"), list->v[i]);
		else if (list->from[i] == NULL)
			syntax_put(row->name, list->v[i], f);
		last = list->from[i];
	}
}

static int
has_control_character(const char *p)
{
	for (; *p != '\0'; p++)
		if (str_is_control(*p))
			return 1;
	return 0;
}

/* USER:PASSWORD (RFC 7617 2), or the first line of @FILE.  Never shown. */
static int
secret_parse(const struct value *v)
{
	struct opt_secret *to = VALUE_AT(v, struct opt_secret);
	int in_file = v->text[0] == '@';
	const char *file = in_file ? v->text + 1 : "";
	const char *colon = in_file ? ": " : "";
	char *text;

	to->file = in_file ? v->text : NULL;
	to->value = v->text;
	if (in_file) {
		if ((text = value_file(v, file)) == NULL)
			return -1;
		text[strcspn(text, "\r\n")] = '\0';
		to->value = text;
	}
	if (has_control_character(to->value))
		return value_fail(v, "%s%sholds a control character", file,
		    colon);
	if (strchr(to->value, ':') == NULL)
		return value_fail(v, "%s%sexpected USER:PASSWORD, there is no "
		    "colon", file, colon);
	if (strlen(to->value) > URL_USER_MAX)
		return value_fail(v, "%s%slonger than %d bytes", file, colon,
		    URL_USER_MAX);
	return 0;
}

static void
secret_dump(const struct options *o, const struct option *row, FILE *f)
{
	const struct opt_secret *s = VALUE_OF(o, row, struct opt_secret);

	if (s->file != NULL)
		syntax_put(row->name, s->file, f);
	else if (s->value != NULL)
		fprintf(f, "# the %s is not shown\n", row->name);
}

static int
proxy_set(const struct value *v)
{
	struct proxy *p = value_alloc(v, sizeof(*p));

	if (p == NULL || proxy_parse(p, v->text, v->err, v->errlen) == -1)
		return -1;
	*VALUE_AT(v, const struct proxy *) = p;
	return 0;
}

static void
proxy_dump(const struct options *o, const struct option *row, FILE *f)
{
	const struct proxy *p = *VALUE_OF(o, row, const struct proxy *);
	char text[SHOWN_MAX] = "";

	if (p == NULL)
		return;
	if (p->user[0] != '\0')
		fprintf(f, "# the %s's user and password are not shown\n",
		    row->name);
	if (p->kind != PROXY_NONE)
		proxy_print(text, sizeof(text), p);
	syntax_put(row->name, text, f);
}

static int
is_proxy(const void *field, const struct option *row)
{
	const struct proxy *const *p = field;

	return *p != NULL && (*p)->kind != PROXY_NONE;
}

static int
is_hosts(const char *word)
{
	return !has_control_character(word);
}

static int
is_interface(const char *word)
{
	struct interface i;

	return interface_parse(&i, word) == 0;
}

/* The path of a Unix socket. */
static int
socket_parse(const struct value *v)
{
	struct addr *a = value_alloc(v, sizeof(*a));
	char word[ADDR_PATH_MAX + 8];

	if (a == NULL)
		return -1;
	if ((size_t)snprintf(word, sizeof(word), "unix:%s", v->text) >=
	    sizeof(word) || v->text[0] != '/')
		return value_is_not(v, v->row->type->expected);
	*VALUE_AT(v, const struct addr *) = a;
	return addr_target(a, word, v->err, v->errlen);
}

static void
socket_dump(const struct options *o, const struct option *row, FILE *f)
{
	const struct addr *a = *VALUE_OF(o, row, const struct addr *);

	if (a != NULL)
		syntax_put(row->name, a->path, f);
}

const struct option_type
    type_listen = { .parse = listen_parse, .dump = listen_dump,
	.complete = COMPLETE_UNIX, .repeatable = 1 },
    type_address = { .parse = address_parse, .dump = address_dump,
	.is_on = value_is_there, .complete = COMPLETE_UNIX,
	.expected = "an address: expected HOST:PORT, PORT, unix:/PATH, fd:N "
	"or systemd:NAME" },
    type_target = { .parse = target_parse, .dump = target_dump,
	.is_on = is_target,
	.expected = "-- PROGRAM [ARG...] with its quotes closed" },
    type_url = { .parse = url_set, .dump = url_dump, .is_on = is_url },
    type_header = { .parse = header_parse, .dump = header_dump,
	.is_on = has_any, .complete = COMPLETE_AT_FILE, .repeatable = 1 },
    type_proxy_header = { .parse = header_parse, .dump = header_dump,
	.is_on = has_any, .complete = COMPLETE_AT_FILE, .repeatable = 1 },
    type_secret = { .parse = secret_parse, .dump = secret_dump,
	.is_on = value_is_there, .complete = COMPLETE_AT_FILE },
    type_proxy = { .parse = proxy_set, .dump = proxy_dump, .is_on = is_proxy },
    type_hosts = { .parse = text_parse, .dump = text_dump,
	.is_on = value_is_there, .fits = is_hosts,
	.expected = "a list of hosts" },
    type_interface = { .parse = text_parse, .dump = text_dump,
	.is_on = value_is_there, .fits = is_interface,
	.expected = "an interface or an address of this host: expected NAME, "
	"ADDR, if!NAME or host!ADDR" },
    type_socket = { .parse = socket_parse, .dump = socket_dump,
	.is_on = value_is_there,
	.expected = "a socket: expected /PATH, of 107 bytes at most",
	.complete = COMPLETE_FILE },
    type_files = { .parse = files_parse, .dump = list_dump, .is_on = has_any,
	.complete = COMPLETE_FILE, .repeatable = 1 },
    type_resolve = { .parse = resolve_parse, .dump = list_dump,
	.is_on = has_any, .repeatable = 1 },
    type_connect_to = { .parse = connect_to_parse, .dump = list_dump,
	.is_on = has_any, .repeatable = 1 },
    type_origin = { .parse = list_parse, .dump = list_dump, .is_on = has_any,
	.fits = origin_is_word,
	.expected = "a host, HOST:PORT, https://HOST or *", .repeatable = 1 },
    type_network = { .parse = list_parse, .dump = list_dump, .is_on = has_any,
	.fits = is_network,
	.expected = "an address, a network like 10.0.0.0/8, or unix",
	.repeatable = 1 };
