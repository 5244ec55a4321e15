/* SPDX-License-Identifier: ISC */
/*
 * Text put together in a buffer of the caller, escaped for JSON, HTML or
 * Prometheus.  A piece that does not fit is left out, and cut is set.
 */
#ifndef BASE_OUT_H
#define BASE_OUT_H

#include <stddef.h>

struct out {
	char *p;
	size_t size, len;	/* size at least 1; p[len] is NUL */
	int cut;		/* something did not fit */
};

void out_begin(struct out *, char *buf, size_t size);
void out_add(struct out *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The length, or -1 if something did not fit. */
int out_length(const struct out *);

/* A JSON string with its quotes; all but printable ASCII is escaped. */
void out_json(struct out *, const char *);

/* A member of a JSON object, null where it is "". */
void out_member(struct out *, const char *name, const char *value);

/* For element content and quoted attributes. */
void out_html(struct out *, const char *);

/* A label value of Prometheus' text format, without its quotes. */
void out_label(struct out *, const char *);

#endif
