/* SPDX-License-Identifier: ISC */
/*
 * The opening handshake of RFC 6455 section 4: what a request and an answer
 * must contain, and how ours are written.
 */
#ifndef WS_UPGRADE_H
#define WS_UPGRADE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/addr.h"
#include "proto/http.h"
#include "ws/extension.h"

#define UPGRADE_KEY_LEN		24	/* base64 of 16 bytes */
#define UPGRADE_ACCEPT_LEN	28	/* base64 of a SHA-1 */

/* What a valid request asks for; slices point into the head's buffer. */
struct upgrade_request {
	char key[UPGRADE_KEY_LEN + 1];
	struct slice target;		/* path and query, begins with '/' */
	struct slice host;
	struct slice origin;		/* p is NULL if there is none */
	struct slice subprotocol;	/* to answer; p is NULL: none */
	int has_offer;			/* a valid "inetws" offer is in offer */
	struct extension offer;
	unsigned int offered_version;	/* highest of the extension, or 0 */
	/* of a redial, also in another version, as of a process that began its
	 * tunnel before an upgrade; "": it is none */
	char session[EXTENSION_SESSION_LEN + 1];
};

/*
 * Checks a request head (RFC 6455 4.2.1): GET, one Host, Upgrade websocket,
 * Connection upgrade, version 13, one key of 16 bytes, no body, lists of
 * subprotocols and extensions that are well formed.  Returns 0; or the HTTP
 * status to refuse with (400, 405, 426), and err in one line.
 * A request that is no upgrade at all gets 426.
 * The subprotocol is for the caller to choose (subprotocol.h).
 */
int upgrade_check_request(struct upgrade_request *, const struct http_head *,
    char *err, size_t errlen);

/* The Sec-WebSocket-Accept value for a key (RFC 6455 4.2.2). */
void upgrade_accept(char accept[UPGRADE_ACCEPT_LEN + 1], const char *key);

/*
 * Writes the 101 answer.  answer NULL: the extension is declined.  Returns
 * the length, or -1 if it does not fit.
 */
int upgrade_write_answer(char *dst, size_t size,
    const struct upgrade_request *, const struct extension *answer);

/*
 * Writes a refusal with a one-line text body, Connection: close,
 * Content-Length, and for 426 Sec-WebSocket-Version and Upgrade, for 405 Allow
 * and for 503 Retry-After unless extra has one.  extra is "" or whole field
 * lines, each ending in CRLF.  now, seconds since 1970, becomes Date, which all
 * but a 5xx must have (RFC 9110 6.6.1); 0: none.  Control characters in text
 * become '?'.  Returns the length, or -1 if it does not fit.
 */
int upgrade_write_refusal(char *dst, size_t size, int status, int64_t now,
    const char *extra, const char *text);

/* What a request of ours has besides the fixed lines. */
struct upgrade_offer {
	char key[UPGRADE_KEY_LEN + 1];
	const char *subprotocol;	/* NULL: none is offered */
	const char *user_agent;		/* NULL: inetws/VERSION */
	const char *origin;		/* NULL: none */
	const char *user;		/* "user:pass"; NULL or "": none */
	const char *extra;		/* lines of header_add(), or "" */
	int is_none;			/* a plain GET: no field of RFC 6455 */
	const struct extension *offer;	/* NULL: none */
};

/* A fresh key for 16 random bytes. */
void upgrade_key(char key[UPGRADE_KEY_LEN + 1], const unsigned char raw[16]);

/*
 * Writes the request for a URL; o->user becomes Authorization: Basic.
 * An Origin or Authorization in extra replaces ours; extra comes last of all.
 * The length, or -1 if it does not fit or the URL's path holds what no request
 * line may.
 */
int upgrade_write_request(char *dst, size_t size, const struct url *,
    const struct upgrade_offer *);

struct upgrade_answer {
	unsigned int elements;		/* named inetws */
	int has_extension;
	struct extension extension;	/* as answered, valid */
	struct slice subprotocol;
};

/*
 * Checks a 101 head against what was offered (RFC 6455 4.1): accept value,
 * Upgrade, Connection, no subprotocol or extension that was not offered.
 * 0, or -1 with err in one line.  A malformed or unknown "inetws" answer is
 * an error too, for the peer would go on by its rules; but one without an id
 * or with ours comes from a plain peer that echoes, and counts as none.
 */
int upgrade_check_answer(struct upgrade_answer *, const struct http_head *,
    const struct upgrade_offer *, char *err, size_t errlen);

/* The exit status that an answer other than 101 leads to. */
int upgrade_exit_status(int http_status);

/* May this answer be followed to its Location? */
int upgrade_is_redirect(int http_status);

/*
 * Writes a line of a head for a person: escaped, cut to size (at least 64),
 * "..." in place of credentials, queries and session names.  Returns dst.
 */
char *upgrade_show_line(char *dst, size_t size, struct slice line);

#endif
