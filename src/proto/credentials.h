/* SPDX-License-Identifier: ISC */
/*
 * The credentials of a request: Basic (RFC 7617) or Bearer (RFC 6750); and the
 * lines of --auth-file.
 */
#ifndef PROTO_CREDENTIALS_H
#define PROTO_CREDENTIALS_H

#include <stddef.h>

#include "base/lines.h"
#include "base/str.h"

#define CREDENTIALS_MAX	1024	/* bytes of user, password or token, with NUL */

enum credentials_kind { CREDENTIALS_BASIC, CREDENTIALS_BEARER };

struct credentials {
	enum credentials_kind kind;
	char user[CREDENTIALS_MAX];	/* "" for a bearer token */
	char secret[CREDENTIALS_MAX];	/* password or token */
};

/*
 * Parses the value of a field Authorization.  0, or -1 if it is malformed, too
 * long, or of another scheme.
 */
int credentials_parse(struct credentials *, struct slice value);

/* A line of --auth-file: "USER:HASH" or "token:NAME:SHA256-IN-HEX". */
struct credentials_line {
	enum credentials_kind kind;
	struct slice name;	/* of the user */
	struct slice hash;	/* of crypt(3), or SHA-256 in hexadecimal */
};

/* Reads the next line.  1; 0 at the end; -1 if the line is malformed. */
int credentials_next(struct lines *, struct credentials_line *);

#endif
