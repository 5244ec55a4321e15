/* SPDX-License-Identifier: ISC */
/*
 * Names of agents, as the last part of a path has them, and the lines of a
 * file that lists which agent may have which.
 */
#ifndef PROTO_AGENT_NAME_H
#define PROTO_AGENT_NAME_H

#include "base/lines.h"
#include "base/str.h"
#include "proto/line_table.h"

#define AGENT_NAME_MAX	129	/* terminated */
#define AGENT_HASH_MAX	65	/* terminated */
#define AGENT_NAME_SECRET	16	/* characters of a secret name */

/*
 * Is it 1 to 128 of A-Z a-z 0-9 . _ ~ ! $ & ' ( ) * + , ; = @ -, not beginning
 * with a dot?  Such a name is one of a file too.
 */
int agent_name_is_valid(struct slice);

/* The last part of a path.  0, or -1 if that is no name. */
int agent_name_of_path(char name[AGENT_NAME_MAX], struct slice path);

/*
 * The path of a name's listener in a directory.  0, or -1 if it has no room in
 * size bytes.
 */
#define AGENT_NAME_SUFFIX	".sock"
int agent_name_path(char *dst, size_t size, const char *dir, const char *name);

/* How a name that is a secret is shown: six characters and "...". */
char *agent_name_mask(char dst[AGENT_NAME_MAX], const char *name);

/*
 * The same in the text of a URL, in its place, where its last part is long
 * enough to be such a name.
 */
void agent_name_mask_url(char *url);

/* One line: "NAME SHA256-OF-SECRET-IN-HEX". */
struct agents_file_line {
	struct slice name, hash;
};

/* Reads the next line.  1; 0 at the end; -1 if the line is malformed. */
int agents_file_next(struct lines *, struct agents_file_line *);

/* The same for a table: the key is the name, the value the hash. */
extern const struct line_kind agents_file_lines;

#endif
