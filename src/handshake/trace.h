/* SPDX-License-Identifier: ISC */
/*
 * The steps of a handshake for a person (-v), on standard error: "* " and
 * the time for a step, "> " for a request's lines, "< " for an answer's.
 */
#ifndef HANDSHAKE_TRACE_H
#define HANDSHAKE_TRACE_H

#include <stddef.h>
#include <stdint.h>

struct trace {
	int verbose;		/* 0: nothing is said */
	int64_t start;		/* of clock_ms() */
	int masked;		/* the path's last part may be a secret */
	int waits;		/* for a reader; if not, lines may be lost */
};

void trace_step(const struct trace *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The lines of a head, escaped, without secrets: of those in its last
 * `fields' bytes, the empty line's CRLF included, only the names.
 */
void trace_head(const struct trace *, char mark, const char *head,
    size_t len, size_t fields);

#endif
