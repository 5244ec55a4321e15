/* SPDX-License-Identifier: ISC */
/*
 * What connection.c, which begins and ends a tunnel, resume.c, which replaces
 * a lost websocket, and pooled.c, which gets a stream later, share.
 */
#ifndef CONNECTION_INTERNAL_H
#define CONNECTION_INTERNAL_H

#include "connection/connection.h"

/* What ps(1) shows. */
void connection_show(const struct connection *, const char *state);

/* NULL for an empty string, which the log leaves out. */
const char *connection_field(const char *);

/*
 * Events of the relay: a websocket lost, a hand-over, a session may have to
 * give way, time.
 */
void connection_lost(struct connection *);
void connection_handoff(struct connection *);
void connection_give_way(struct connection *);
void connection_time(struct connection *);

/*
 * A message on the channel; RELAY_GET_STREAM, RELAY_OPENED,
 * RELAY_RETURN_STREAM.
 */
void connection_channel(struct connection *);
void connection_get_stream(struct connection *);
void connection_opened(struct connection *);
void connection_return_stream(struct connection *);

#endif
