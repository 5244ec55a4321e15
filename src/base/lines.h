/* SPDX-License-Identifier: ISC */
/*
 * The lines of a text that users write, such as an --auth-file or a file of
 * header fields.
 */
#ifndef BASE_LINES_H
#define BASE_LINES_H

#include "base/str.h"

struct lines {
	struct slice rest;	/* what was not read yet */
	unsigned int number;	/* of the last line that was read, from 1 */
};

/*
 * Begins with a text, which must stay; a byte order mark before it is skipped.
 */
void lines_begin(struct lines *, struct slice text);

/*
 * Reads the next line that is neither empty nor a comment (it begins with '#'),
 * without the blanks around it and its LF or CRLF.  1, or 0 at the end.
 */
int lines_next(struct lines *, struct slice *line);

/* The length of the byte order mark that a text begins with: 0 or 3 bytes. */
size_t lines_skip_mark(struct slice text);

#endif
