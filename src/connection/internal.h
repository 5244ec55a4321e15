/* SPDX-License-Identifier: ISC */
/*
 * What connection.c, which begins and ends a tunnel, resume.c, which replaces
 * a lost websocket, and pooled.c, which gets a stream later, share.
 */
#ifndef CONNECTION_INTERNAL_H
#define CONNECTION_INTERNAL_H

#include <poll.h>

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
 * Goes on over a new websocket, from the peer's position: 0, or -1 if that is
 * not kept.
 */
int connection_resume(struct connection *, const struct websocket *);

/*
 * redial.c, on the dialling side.  A path is looked for from a time on, or is
 * not any more; there is no time for it any more.  RELAY_DOUBTED,
 * RELAY_TRUSTED.
 */
void connection_search(struct connection *, int64_t first);
void connection_search_end(struct connection *);
void connection_search_late(struct connection *);
void connection_doubted(struct connection *);
void connection_trusted(struct connection *);

/*
 * Does what can be done, when something of connection_redial_poll() is ready or
 * at connection_redial_time().
 */
void connection_redial(struct connection *);
unsigned int connection_redial_poll(const struct connection *, struct pollfd *);
int64_t connection_redial_time(const struct connection *);

/*
 * Changes of the network.  There is a new websocket, or none; the supervisor
 * has told of a change that concerns this tunnel; a process without one looks
 * for itself.
 */
void connection_path_up(struct connection *);
void connection_path_lost(struct connection *);
void connection_network_changed(struct connection *);
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
