/* SPDX-License-Identifier: ISC */
/*
 * Complete heads, taken apart by a library: http-parser, or its successor
 * llhttp (make HTTP_PARSER=llhttp).
 */
#ifndef PROTO_HTTP_SPLIT_H
#define PROTO_HTTP_SPLIT_H

#include "proto/http.h"

/*
 * Fills in all but the method; head must be zeroed.  What it finds lies in buf.
 * 0; or -1, and *why says what the library found wrong.
 */
int http_split(const char *buf, size_t len, int is_answer, struct http_head *,
    const char **why);

#endif
