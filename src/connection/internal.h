/* SPDX-License-Identifier: ISC */
/*
 * What connection.c, which begins and ends a tunnel, resume.c, which replaces
 * a lost websocket, and parked.c, which gets a stream later, share.
 */
#ifndef CONNECTION_INTERNAL_H
#define CONNECTION_INTERNAL_H

#include <poll.h>

#include "connection/connection.h"

/* connection.c: sets the process title, which ps(1) shows, to this state. */
void connection_show(const struct connection *, const char *state);

/*
 * connection.c: a line of the log about what has failed, unless there are too
 * many of its kind.
 */
void connection_log_failed(const struct connection *, const char *event,
    const struct error *why);

/* connection.c: NULL for an empty string, since the log leaves out NULL. */
const char *connection_field(const char *);

/*
 * resume.c: what follows from events of relay().
 *
 * connection_lost()	RELAY_LOST: the websocket is lost, the session goes on
 * connection_handoff()	RELAY_CONTROL of a session: another process hands over a
 *			new websocket
 * connection_hint()	RELAY_HINT: the supervisor needs places, has new options,
 *			has seen a change of the network, or has ended
 * connection_time()	RELAY_TIME
 */
void connection_lost(struct connection *);
void connection_handoff(struct connection *);
void connection_hint(struct connection *);
void connection_time(struct connection *);

/*
 * resume.c: the session goes on over a new websocket, from the peer's position
 * that came with it.  0, or -1 if what was sent from there on is not kept.
 */
int connection_resume(struct connection *, const struct websocket *);

/*
 * redial.c, only on the dialling side: the search for a new path
 * (connection/paths.h).
 *
 * connection_search()		a path is searched for, from the time first on
 * connection_search_end()	the search ends, without a result
 * connection_search_late()	the deadline has come: connections that are not
 *				up by now have failed
 */
void connection_search(struct connection *, int64_t first);
void connection_search_end(struct connection *);
void connection_search_late(struct connection *);

/* redial.c: RELAY_DOUBTED begins a search, and RELAY_TRUSTED ends it. */
void connection_doubted(struct connection *);
void connection_trusted(struct connection *);

/*
 * redial.c: connection_redial() continues the search.  It is to be called when
 * one of the descriptors of connection_redial_poll(), which returns how many
 * there are (at most PATHS_POLL_MAX), is ready, or at the time of
 * connection_redial_time() (clock_ms(); CLOCK_NEVER).
 */
void connection_redial(struct connection *);
unsigned int connection_redial_poll(const struct connection *, struct pollfd *);
int64_t connection_redial_time(const struct connection *);

/*
 * redial.c: which changes of the network the supervisor tells this process:
 * those of the new websocket's path, or, while there is no websocket, all.
 */
void connection_path_up(struct connection *);
void connection_path_lost(struct connection *);

/* redial.c: the network has changed in a way that concerns this tunnel. */
void connection_network_changed(struct connection *);

/*
 * redial.c: a process without a supervisor looks itself whether the network has
 * changed, and if so calls the function above.  One whose supervisor has ended
 * begins with that.
 */
void connection_look_at_network(struct connection *);
void connection_left(struct connection *);

/*
 * parked.c: a stream that comes later.
 *
 * connection_parked()		a websocket begins to wait
 * connection_renewed()		the supervisor may have new options: one that
 *				waits with old ones is closed
 * connection_channel()		the supervisor has sent a message
 * connection_get_stream()	RELAY_GET_STREAM
 * connection_opened()		RELAY_OPENED
 * connection_return_stream()	RELAY_RETURN_STREAM
 */
void connection_parked(struct connection *);
void connection_renewed(struct connection *);
void connection_channel(struct connection *);
void connection_get_stream(struct connection *);
void connection_opened(struct connection *);
void connection_return_stream(struct connection *);

#endif
