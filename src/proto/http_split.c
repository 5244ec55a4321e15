/* SPDX-License-Identifier: ISC */
/*
 * The library never gets a body, so what it reads about the length of one has
 * no effect; except that it refuses lengths that contradict each other.
 */
#include <sys/types.h>

#ifdef HTTP_PARSER_LLHTTP
#include <llhttp.h>
#else
#include <http_parser.h>
#endif
#include <stdio.h>

#include "proto/http_split.h"

#ifdef HTTP_PARSER_LLHTTP
#define PARSER		llhttp_t
#define SETTINGS	llhttp_settings_t
#define SETTINGS_INIT	llhttp_settings_init
#else
#define PARSER		http_parser
#define SETTINGS	http_parser_settings
#define SETTINGS_INIT	http_parser_settings_init
#endif

/* The state of the callbacks. */
struct filling {
	struct http_head *head;
	int in_value;		/* the last piece was one of a value */
};

/* Adds a piece to a slice; the pieces of one slice are adjacent. */
static void
extend(struct slice *s, const char *at, size_t len)
{
	if (s->p == NULL)
		s->p = at;
	s->len += len;
}

static int
on_url(PARSER *p, const char *at, size_t len)
{
	struct filling *fill = p->data;

	extend(&fill->head->target, at, len);
	return 0;
}

static int
on_status(PARSER *p, const char *at, size_t len)
{
	struct filling *fill = p->data;

	extend(&fill->head->reason, at, len);
	return 0;
}

static int
on_name(PARSER *p, const char *at, size_t len)
{
	struct filling *fill = p->data;
	struct http_head *h = fill->head;

	if (h->nfields == 0 || fill->in_value) {
		if (h->nfields == HTTP_FIELDS_MAX)
			return 1;
		h->nfields++;
		fill->in_value = 0;
	}
	extend(&h->field[h->nfields - 1].name, at, len);
	return 0;
}

static int
on_value(PARSER *p, const char *at, size_t len)
{
	struct filling *fill = p->data;
	struct http_head *h = fill->head;

	if (h->nfields == 0)
		return 1;
	fill->in_value = 1;
	extend(&h->field[h->nfields - 1].value, at, len);
	return 0;
}

static void
set_callbacks(SETTINGS *settings)
{
	SETTINGS_INIT(settings);
	settings->on_url = on_url;
	settings->on_status = on_status;
	settings->on_header_field = on_name;
	settings->on_header_value = on_value;
}

#ifdef HTTP_PARSER_LLHTTP

/* on_value() is not called for an empty value. */
static int
on_value_end(PARSER *p)
{
	struct filling *fill = p->data;

	fill->in_value = 1;
	return 0;
}

/*
 * At the end of a head with Upgrade the library stops with HPE_PAUSED_UPGRADE.
 */
static int
run(PARSER *p, struct filling *fill, const char *buf, size_t len,
    int is_answer, const char **why)
{
	SETTINGS settings;
	llhttp_errno_t error;
	size_t n = len;

	set_callbacks(&settings);
	settings.on_header_value_complete = on_value_end;
	llhttp_init(p, is_answer ? HTTP_RESPONSE : HTTP_REQUEST, &settings);
	p->data = fill;
	error = llhttp_execute(p, buf, len);
	if (error == HPE_PAUSED_UPGRADE)
		n = llhttp_get_error_pos(p) - buf;
	else if (error != HPE_OK) {
		*why = llhttp_get_error_reason(p);
		if (*why == NULL || **why == '\0')
			*why = llhttp_errno_name(error);
		return -1;
	}
	*why = "malformed head";
	return n == len ? 0 : -1;
}

const char *
http_library(void)
{
	static char text[32];

	snprintf(text, sizeof(text), "llhttp %d.%d.%d", LLHTTP_VERSION_MAJOR,
	    LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH);
	return text;
}

#else

static int
run(PARSER *p, struct filling *fill, const char *buf, size_t len,
    int is_answer, const char **why)
{
	SETTINGS settings;
	size_t n;

	set_callbacks(&settings);
	http_parser_init(p, is_answer ? HTTP_RESPONSE : HTTP_REQUEST);
	p->data = fill;
	n = http_parser_execute(p, &settings, buf, len);
	*why = "malformed head";
	if (HTTP_PARSER_ERRNO(p) != HPE_OK) {
		*why = http_errno_description(HTTP_PARSER_ERRNO(p));
		return -1;
	}
	return n == len ? 0 : -1;
}

const char *
http_library(void)
{
	static char text[32];
	unsigned long v = http_parser_version();

	snprintf(text, sizeof(text), "http-parser %lu.%lu.%lu", v >> 16 & 255,
	    v >> 8 & 255, v & 255);
	return text;
}

#endif

int
http_split(const char *buf, size_t len, int is_answer, struct http_head *head,
    const char **why)
{
	struct filling fill = { head, 0 };
	PARSER p;

	if (run(&p, &fill, buf, len, is_answer, why) == -1)
		return -1;
	head->minor = p.http_minor;
	if (is_answer)
		head->status = p.status_code;
	return 0;
}
