/* SPDX-License-Identifier: ISC */
/*
 * What connection.c, which begins and ends a tunnel, resume.c, which replaces
 * a lost websocket, and parked.c, which gets a stream later, share.
 */
#ifndef CONNECTION_INTERNAL_H
#define CONNECTION_INTERNAL_H

#include <poll.h>

#include "connection/connection.h"

/* What ps(1) shows. */
void connection_show(const struct connection *, const char *state);

/* NULL for an empty string, which the log leaves out. */
const char *connection_field(const char *);

/* RELAY_LOST. */
void connection_lost(struct connection *);

/* RELAY_CONTROL of a session: a new websocket is handed over. */
void connection_handoff(struct connection *);

/* RELAY_HINT. */
void connection_hint(struct connection *);

/* RELAY_TIME. */
void connection_time(struct connection *);

/*
 * Goes on over a new websocket, from the peer's position: 0, or -1 if that is
 * not kept.
 */
int connection_resume(struct connection *, const struct websocket *);

/* redial.c, on the dialling side: a path is looked for from this time on. */
void connection_search(struct connection *, int64_t first);

/* It is not looked for any more. */
void connection_search_end(struct connection *);

/* There is no time left: what is on its way has failed. */
void connection_search_late(struct connection *);

/* RELAY_DOUBTED, RELAY_TRUSTED. */
void connection_doubted(struct connection *);
void connection_trusted(struct connection *);

/*
 * Does what can be done, when something of connection_redial_poll() is ready or
 * at connection_redial_time().
 */
void connection_redial(struct connection *);
unsigned int connection_redial_poll(const struct connection *, struct pollfd *);
int64_t connection_redial_time(const struct connection *);

/* Which changes of the network concern it: those of a new websocket's path. */
void connection_path_up(struct connection *);

/* ... all, as there is no websocket. */
void connection_path_lost(struct connection *);

/* There was a change that concerns this tunnel. */
void connection_network_changed(struct connection *);

/* Was there one?  For a process without a supervisor, which looks itself. */
void connection_look_at_network(struct connection *);

/*
 * A message on the channel; RELAY_GET_STREAM, RELAY_OPENED,
 * RELAY_RETURN_STREAM.
 */
void connection_channel(struct connection *);
void connection_get_stream(struct connection *);
void connection_opened(struct connection *);
void connection_return_stream(struct connection *);

#endif
