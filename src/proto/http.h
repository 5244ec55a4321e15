/* SPDX-License-Identifier: ISC */
/*
 * HTTP/1.1 message heads (RFC 9112), strictly: the one file behind this
 * header is the only one that knows http-parser.
 *
 * The parser is fed as bytes arrive and looks at each byte once.  It refuses:
 * bare LF, bare CR, NUL and other control characters, obs-fold, blanks before
 * the colon, versions other than HTTP/1.1 (and, in answers, HTTP/1.0), heads
 * over HTTP_HEAD_MAX bytes and more than HTTP_FIELDS_MAX fields.
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

/* A parsed head; the slices point into the caller's buffer. */
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
	size_t seen;			/* bytes already looked at */
	int is_answer;
	int plain;			/* set after http_begin(): not a
					 * handshake, so a request may be
					 * HEAD, OPTIONS, and of HTTP/1.0 */
	int no_body;			/* likewise: whatever tells of one has
					 * no meaning (RFC 9110 9.3.6) */
	int part;			/* private to http.c from here on */
	size_t skipped;			/* an empty line that comes first */
	int prev_cr;
	unsigned int nfields;
};

void http_begin(struct http_parser_state *, int is_answer);

/*
 * Looks at buf[0..len), which begins with the head and has only grown since
 * the last call.  One empty line before a request is ignored (RFC 9112 2.2).
 * >0: the head is complete and that many bytes long (what follows belongs to
 * the caller), head is filled in.  0: needs more.  <0: malformed; *status is
 * the HTTP status to answer with (400, 405 and 501 for methods other than GET
 * in requests, 414 and 431 for too much, 505 for the version) and err says in
 * one line of printable ASCII what offends.  Never 0 once len is HTTP_HEAD_MAX.
 * After an answer other than 0 http_begin() comes first.
 */
ssize_t http_parse(struct http_parser_state *, const char *buf, size_t len,
    struct http_head *head, int *status, char *err, size_t errlen);

/*
 * The values of all fields of one name, which HTTP_LIST() gives, or the elements
 * of the lists that these are, as slice_next() finds them: 1 and the next one, or
 * 0 at the end.
 */
struct http_list {
	const char *name;
	unsigned int next;	/* field to look at */
	struct slice rest;	/* of a list */
};

#define HTTP_LIST(of)	{ .name = (of) }

int http_next_field(const struct http_head *, struct http_list *,
    struct slice *value);
int http_next_element(const struct http_head *, struct http_list *,
    struct slice *element);

/*
 * The single value of a field.  1 and *value set, 0 if absent, -1 if it
 * stands there more than once.
 */
int http_field(const struct http_head *, const char *name,
    struct slice *value);

/*
 * A request target as path and query: it may come with scheme and host, which
 * every server must accept, and which replaces Host (RFC 9112 3.2.2).  0, and
 * *host is set if there is one; or -1: malformed.
 */
int http_target(struct slice sent, struct slice *host, struct slice *target);

/* The path of a request target alone; of a malformed one all of it. */
struct slice http_path(struct slice sent);

/* What a 503 of ours says: a place may be free at any moment. */
#define HTTP_RETRY_AFTER	1	/* seconds */

/*
 * Retry-After (RFC 9110 10.2.3) in seconds, 0 if there is none.  A date counts
 * from the answer's own Date; from now, seconds since 1970, if it has none.
 */
uint32_t http_retry_after(const struct http_head *, int64_t now);

/* Does any field of this name hold this token in its list? */
int http_has_token(const struct http_head *, const char *name,
    const char *token);

/*
 * The schemes of the challenges in a field (RFC 9110 11.6.1), as "Basic,
 * Digest"; 1 if this scheme is among them, else 0.
 */
int http_offers(const struct http_head *, const char *field,
    const char *scheme, char *list, size_t size);

/* Is it a token of RFC 9110 5.6.2: at least one byte, and only tchars? */
int http_is_token(struct slice);

/* The title of a page in HTML, without blanks around it.  Is there one? */
int http_page_title(struct slice page, struct slice *title);

/*
 * What Host may be (RFC 9110 7.2), and the host of a request target: a name of
 * RFC 3986 3.2.2 or an address in brackets, and perhaps a port; or empty
 * (RFC 9112 3.2).
 */
int http_is_host(struct slice);

/* The library that takes heads apart, with its version. */
const char *http_library(void);

/* The standard reason phrase of a status, "" if unknown. */
const char *http_reason(int status);

#endif
