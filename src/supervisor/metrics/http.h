/* SPDX-License-Identifier: ISC */
/*
 * One request to the address of --metrics, in a process of its own.
 */
#ifndef SUPERVISOR_METRICS_HTTP_H
#define SUPERVISOR_METRICS_HTTP_H

#include "net/io.h"
#include "proto/http.h"
#include "supervisor/supervisor.h"

/*
 * Answers and closes within a few seconds, however slow the other side is.
 * draining: the instance takes no new connections.
 */
void metrics_serve(int fd, const struct options *, const struct service *,
    int draining);

/* The page at --metrics-path or --health-path, to a request for one of them. */
void metrics_answer(struct io *, const struct options *,
    const struct http_head *);

#endif
