/* SPDX-License-Identifier: ISC */
/*
 * Private to proto: the library that parses complete heads, http-parser or its
 * successor llhttp (make HTTP_PARSER=llhttp).  Only http_split.c includes its
 * header.
 */
#ifndef PROTO_HTTP_SPLIT_H
#define PROTO_HTTP_SPLIT_H

#include "proto/http.h"

/*
 * Parses a complete head of len bytes.  *head must be zeroed; all but method is
 * filled in, with slices of buf.  0; or -1 and *why, which is a constant
 * string.
 */
int http_split(const char *buf, size_t len, int is_answer, struct http_head *,
    const char **why);

#endif
