/* SPDX-License-Identifier: ISC */
/*
 * A request as environment variables of a program, with the names of CGI (RFC
 * 3875 4.1).
 */
#ifndef PROTO_CGI_H
#define PROTO_CGI_H

#include <stddef.h>

#include "proto/http.h"

#define CGI_BYTES	(3 * HTTP_HEAD_MAX + 4096)	/* any head fits */
#define CGI_VARS_MAX	(HTTP_FIELDS_MAX + 24)

/* Strings "NAME=value"; var points into bytes. */
struct cgi {
	unsigned int n;
	char *var[CGI_VARS_MAX];
	size_t len;
	char bytes[CGI_BYTES];
};

/* Begins without variables. */
void cgi_begin(struct cgi *);

/* Adds one variable; one that does not fit is left out. */
void cgi_set(struct cgi *, const char *name, struct slice value);

/*
 * Adds REMOTE_ADDR and REMOTE_PORT for a peer "IP:PORT" or "[IPV6]:PORT"; only
 * REMOTE_ADDR if there is no port; none for other peers, such as a Unix socket.
 */
void cgi_peer(struct cgi *, const char *peer);

/* Adds SSL_CLIENT_VERIFY and SSL_CLIENT_S_DN for a verified certificate. */
void cgi_client(struct cgi *, const char *subject);

/*
 * Adds REQUEST_METHOD, REQUEST_URI, QUERY_STRING, SERVER_PROTOCOL, and each
 * field as HTTP_NAME; values of one name are joined by commas (RFC 3875
 * 4.1.18).  These fields are left out: credentials; those of the websocket
 * handshake; Proxy, because programs read HTTP_PROXY as a setting; and names
 * with other characters than letters, digits and '-', which could be mistaken
 * for another field.
 */
void cgi_request(struct cgi *, const struct http_head *);

/*
 * Could a program take this variable ("NAME=value") for a part of the request?
 * Such a variable of our own environment must not be passed on.
 */
int cgi_is_reserved(const char *var);

#endif
