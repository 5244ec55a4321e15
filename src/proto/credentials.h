/* SPDX-License-Identifier: ISC */
/*
 * What a request offers as proof of who sends it (RFC 7617, RFC 6750), and
 * the lines of a file that lists the users.
 */
#ifndef PROTO_CREDENTIALS_H
#define PROTO_CREDENTIALS_H

#include <stddef.h>

#include "base/lines.h"
#include "base/str.h"

#define CREDENTIALS_MAX	1024	/* bytes of an Authorization value */

enum credentials_kind { CREDENTIALS_BASIC, CREDENTIALS_BEARER };

struct credentials {
	enum credentials_kind kind;
	char user[CREDENTIALS_MAX];	/* "" for a bearer token */
	char secret[CREDENTIALS_MAX];	/* password or token */
};

/* Reads the value of Authorization.  0, or -1 if it is neither or malformed. */
int credentials_parse(struct credentials *, struct slice value);

/* One line of an --auth-file: "user:HASH" or "token:NAME:SHA256-IN-HEX". */
struct credentials_line {
	enum credentials_kind kind;
	struct slice name;	/* of the user */
	struct slice hash;
};

/* Reads the next line.  1; 0 at the end; -1 if the line is malformed. */
int credentials_next(struct lines *, struct credentials_line *);

#endif
