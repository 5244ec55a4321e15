/* SPDX-License-Identifier: ISC */
/*
 * A request as environment variables, the way CGI names them (RFC 3875 4.1).
 */
#ifndef PROTO_CGI_H
#define PROTO_CGI_H

#include <stddef.h>

#include "proto/http.h"

#define CGI_BYTES	(3 * HTTP_HEAD_MAX + 4096)	/* any head fits */
#define CGI_VARS_MAX	(HTTP_FIELDS_MAX + 24)

/* "NAME=value" strings; they point into bytes. */
struct cgi {
	unsigned int n;
	char *var[CGI_VARS_MAX];
	size_t len;
	char bytes[CGI_BYTES];
};

void cgi_begin(struct cgi *);

/* Adds one variable; one that does not fit is left out. */
void cgi_set(struct cgi *, const char *name, struct slice value);

/*
 * REMOTE_ADDR and REMOTE_PORT of "ip:port" or "[v6]:port", the former alone of
 * an address without port; other peers have neither.
 */
void cgi_peer(struct cgi *, const char *peer);

/* SSL_CLIENT_VERIFY and SSL_CLIENT_S_DN of a certificate that is verified. */
void cgi_client(struct cgi *, const char *subject);

/*
 * REQUEST_METHOD, REQUEST_URI, QUERY_STRING, SERVER_PROTOCOL, and the fields
 * as HTTP_NAME, values of one name joined by commas (RFC 3875 4.1.18).  Left
 * out are credentials, what belongs to the handshake alone, Proxy (programs
 * would take HTTP_PROXY for a setting), and names with other characters than
 * letters, digits and '-', which could pass for another field.
 */
void cgi_request(struct cgi *, const struct http_head *);

/*
 * Is this variable ("NAME=value") one that could be taken for a word of the
 * request?  Such ones must not be handed on from elsewhere.
 */
int cgi_is_reserved(const char *var);

#endif
