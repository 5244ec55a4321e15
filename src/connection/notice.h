/* SPDX-License-Identifier: ISC */
/*
 * What connect tells a person who watches a terminal, in place of lines of the
 * log.
 */
#ifndef CONNECTION_NOTICE_H
#define CONNECTION_NOTICE_H

#include "connection/connection.h"

/* Does a person read what this process writes to standard error? */
int notice_is_read(const struct connection *);

/* A sentence of its own line, also where ssh(1) has made the terminal raw. */
void notice(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * The websocket is lost, or in doubt, since then: c->notice_at is when the
 * person is to be told that; told; there is one again, or the old one has
 * spoken.
 */
void notice_plan(struct connection *, int64_t since);
void notice_lost(struct connection *);
void notice_resumed(struct connection *);
void notice_trusted(struct connection *);

#endif
