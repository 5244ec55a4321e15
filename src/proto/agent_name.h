/* SPDX-License-Identifier: ISC */
/*
 * Names of agents: the last segment of a request's path; and the lines of
 * --agents-file, which lists names and the hashes of their secrets.
 */
#ifndef PROTO_AGENT_NAME_H
#define PROTO_AGENT_NAME_H

#include "base/lines.h"
#include "base/str.h"
#include "proto/line_table.h"

#define AGENT_NAME_MAX	129	/* bytes, with the NUL */
#define AGENT_HASH_MAX	65	/* bytes, with the NUL */
#define AGENT_NAME_SECRET	16	/* least characters of a secret name */

/*
 * Has it 1 to 128 of the characters A-Z a-z 0-9 . _ ~ ! $ & ' ( ) * + , ; = @
 * -, and no dot at its beginning?  Such a name can also be the name of a file.
 */
int agent_name_is_valid(struct slice);

/* Copies the last segment of a path.  0, or -1 if it is not a valid name. */
int agent_name_of_path(char name[AGENT_NAME_MAX], struct slice path);

/*
 * Writes the path of a name's listener, "DIR/NAME.sock".  0, or -1 if it does
 * not fit.
 */
#define AGENT_NAME_SUFFIX	".sock"
int agent_name_path(char *dst, size_t size, const char *dir, const char *name);

/*
 * How a name that is a secret is shown: six characters and "...".  Returns dst.
 */
char *agent_name_mask(char dst[AGENT_NAME_MAX], const char *name);

/*
 * Shortens the last segment of a URL in the same way, in place, if it is long
 * enough to be a secret name.
 */
void agent_name_mask_url(char *url);

/* A line of --agents-file: "NAME SHA256-OF-SECRET", in hexadecimal digits. */
struct agents_file_line {
	struct slice name, hash;
};

/* Reads the next line.  1; 0 at the end; -1 if the line is malformed. */
int agents_file_next(struct lines *, struct agents_file_line *);

/*
 * How a line_table reads these lines: the key is the name, the value the hash.
 */
extern const struct line_kind agents_file_lines;

#endif
