/* SPDX-License-Identifier: ISC */
/*
 * A text that is built in a buffer of the caller, piece by piece; with escapes
 * for JSON, HTML and the format of Prometheus.  A piece that does not fit is
 * left out as a whole, and cut is set.
 */
#ifndef BASE_OUT_H
#define BASE_OUT_H

#include <stddef.h>

struct out {
	char *p;
	size_t size, len;	/* size is 1 or more; p[len] is NUL */
	int cut;		/* a piece did not fit */
};

/* Begins with an empty text. */
void out_begin(struct out *, char *buf, size_t size);

/* Adds a piece, as printf(3) writes it. */
void out_add(struct out *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The length of the text, or -1 if a piece did not fit. */
int out_length(const struct out *);

/* Adds a JSON string with its quotes; all but printable ASCII is escaped. */
void out_json(struct out *, const char *);

/*
 * Adds a member of a JSON object, "name":"value", or "name":null if it is "".
 */
void out_member(struct out *, const char *name, const char *value);

/* Adds text for the content of an HTML element, or a quoted attribute. */
void out_html(struct out *, const char *);

/* Adds a label value of Prometheus' text format, without its quotes. */
void out_label(struct out *, const char *);

#endif
