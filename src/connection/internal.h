/* SPDX-License-Identifier: ISC */
/*
 * What the files of carry share: carry.c begins and ends a tunnel,
 * carry_session.c sees to its wire when that is lost, carry_wait.c to a stream
 * that comes later.
 */
#ifndef CONNECTION_INTERNAL_H
#define CONNECTION_INTERNAL_H

#include "connection/connection.h"

/* What ps(1) shows. */
void connection_show(const struct connection *, const char *state);

/* NULL for an empty string, which the log leaves out. */
const char *connection_word(const char *);

/* Events of the relay: a wire lost, somebody at the session's door, time. */
void connection_lost(struct connection *);
void connection_handoff(struct connection *);
void connection_time(struct connection *);

/* A message on the pair; RELAY_GET_STREAM, RELAY_OPENED, RELAY_RETURN_STREAM. */
void connection_channel(struct connection *);
void connection_get_stream(struct connection *);
void connection_opened(struct connection *);
void connection_return_stream(struct connection *);

#endif
