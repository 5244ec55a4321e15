/* SPDX-License-Identifier: ISC */
/*
 * The lines of a text file in memory that people write: a user file, a file
 * of header fields.
 */
#ifndef BASE_LINES_H
#define BASE_LINES_H

#include "base/str.h"

struct lines {
	struct slice rest;	/* what was not read yet */
	unsigned int number;	/* of the line that was read last, from 1 */
};

/* The text must stay.  A byte order mark at its beginning is skipped. */
void lines_begin(struct lines *, struct slice text);

/*
 * Reads the next line that is neither empty nor a comment (a '#' as its first
 * character), without blanks around it nor its end of line (LF or CRLF).  1, or
 * 0 at the end.
 */
int lines_next(struct lines *, struct slice *line);

/* How much of a text is a byte order mark at its beginning: 0 or 3 bytes. */
size_t lines_skip_mark(struct slice text);

#endif
