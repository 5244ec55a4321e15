/* SPDX-License-Identifier: ISC */
/*
 * Heads of HTTP/1.1 messages (RFC 9112): a strict parser (http.c), and what is
 * read from a parsed head (http_field.c).
 *
 * The parser gets the bytes as they arrive and looks at each byte once.  It
 * refuses: LF without CR, CR without LF, NUL and other control characters,
 * obs-fold, blanks before the colon, versions other than HTTP/1.1 (and, in
 * answers, HTTP/1.0), heads of more than HTTP_HEAD_MAX bytes, and more than
 * HTTP_FIELDS_MAX fields.
 */
#ifndef PROTO_HTTP_H
#define PROTO_HTTP_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define HTTP_HEAD_MAX	16384	/* bytes, with the empty line */
#define HTTP_FIELDS_MAX	100

struct http_field {
	struct slice name, value;	/* value without blanks around it */
};

/* A parsed head; the slices point into the buffer of http_parse(). */
struct http_head {
	int minor;			/* of HTTP/1.minor: 0 or 1 */
	int status;			/* of an answer; 0 in a request */
	struct slice reason;		/* of an answer */
	struct slice method;		/* of a request */
	struct slice target;		/* of a request, as sent */
	unsigned int nfields;
	struct http_field field[HTTP_FIELDS_MAX];
};

struct http_parser_state {
	size_t seen;			/* bytes that were looked at */
	int is_answer;

	/* The caller may set these after http_begin(). */
	int plain;			/* 1: the request need not be one of a
					 * websocket: it may be HEAD or OPTIONS,
					 * and HTTP/1.0 */
	int no_body;			/* 1: of an answer without a body, as to
					 * CONNECT: fields about one are
					 * ignored (RFC 9110 9.3.6) */

	/* Private to http.c. */
	int part;
	size_t skipped;			/* bytes of an empty line before it */
	int prev_cr;			/* the last byte was a CR */
	unsigned int nfields;
};

/* Begins the head of a request, or of an answer. */
void http_begin(struct http_parser_state *, int is_answer);

/*
 * Looks at buf[0..len), which begins with the head; since the last call bytes
 * were only added.  One empty line before a request is ignored (RFC 9112 2.2).
 *
 * > 0: the head is complete and has this length; *head is filled in. 0: the
 * head is not complete yet; never if len is HTTP_HEAD_MAX. -1: it is
 * malformed.  *status is the HTTP status to answer with: 400; 405 or 501 for
 * the method; 414 or 431 if it is too long; 505 for the version.  err says why,
 * in one line of printable ASCII.
 *
 * Unless it returned 0, http_begin() must be called before the next call.
 */
ssize_t http_parse(struct http_parser_state *, const char *buf, size_t len,
    struct http_head *head, int *status, char *err, size_t errlen);

/*
 * Goes through all fields of one name: struct http_list l = HTTP_LIST("Via").
 * http_next_field() takes the next value; http_next_element() the next element,
 * where each value is a comma-separated list (slice_next()).  1, or 0 at the
 * end.
 */
struct http_list {
	const char *name;
	unsigned int next;	/* number of the field to look at */
	struct slice rest;	/* of the list that is being read */
};

#define HTTP_LIST(of)	{ .name = (of) }

int http_next_field(const struct http_head *, struct http_list *,
    struct slice *value);
int http_next_element(const struct http_head *, struct http_list *,
    struct slice *element);

/*
 * The value of a field that may be there once only.  1 and *value; 0 if the
 * head has no such field; -1 if it has several.
 */
int http_field(const struct http_head *, const char *name,
    struct slice *value);

/*
 * Is this method, "HEAD", that of a request of which these bytes have come, be it
 * malformed or cut short?  One empty line before it counts as nothing (RFC 9112
 * 2.2).
 */
int http_is_method(struct slice came, const char *method);

/*
 * Takes a request target apart.  It may have scheme and host before the path
 * (absolute-form, RFC 9112 3.2.2), which servers must accept; this host then
 * replaces that of Host.  0: *target is path and query, *host is set if there
 * is one; or -1 if it is malformed.
 */
int http_target(struct slice sent, struct slice *host, struct slice *target);

/* The path of a request target, without its query; of a malformed one all. */
struct slice http_path(struct slice sent);

/* Retry-After of our answers 503, in seconds: a place may be free soon. */
#define HTTP_RETRY_AFTER	1

/*
 * Retry-After (RFC 9110 10.2.3) in seconds, 0 if there is none.  If it is a
 * date, it is compared with the answer's Date, or, without one, with now
 * (seconds since 1970).
 */
uint32_t http_retry_after(const struct http_head *, int64_t now);

/* Has the list of any field with this name this token, in any case? */
int http_has_token(const struct http_head *, const char *name,
    const char *token);

/*
 * Writes the authentication schemes of a field such as WWW-Authenticate (RFC
 * 9110 11.6.1) to list, as "Basic, Digest".  Is scheme among them?
 */
int http_offers(const struct http_head *, const char *field,
    const char *scheme, char *list, size_t size);

/* Is it a token (RFC 9110 5.6.2)? */
int http_is_token(struct slice);

/*
 * Finds the title of a page of HTML, without blanks around it.  1, or 0: none.
 */
int http_page_title(struct slice page, struct slice *title);

/*
 * Is it a valid value of Host (RFC 9110 7.2): a host of RFC 3986 3.2.2, with or
 * without a port, or empty (RFC 9112 3.2)?
 */
int http_is_host(struct slice);

/* The library that parses heads, with its version: "llhttp 9.2.1". */
const char *http_library(void);

/* The standard reason phrase of a status, "" if unknown. */
const char *http_reason(int status);

#endif
