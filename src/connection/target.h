/* SPDX-License-Identifier: ISC */
/*
 * The stream half as dialled: a target, or a program that is run.
 */
#ifndef CONNECTION_TARGET_H
#define CONNECTION_TARGET_H

#include <stddef.h>

#include "connection/connection.h"

/* Where it goes, for people: c->target. */
void target_name(struct connection *);

/*
 * Dials o->target or runs o->program, by --connect-timeout.  head is the
 * request that it is done for, without the token of --bearer-subprotocol: a
 * program gets it as its environment.  NULL: there is none.  0, or -1 and why
 * (75 at the deadline).
 */
int target_dial(struct connection *, const struct http_head *, struct io *,
    struct error *);

/*
 * Dials o->target, a server's from --interface; an agent's is of its own host.
 * As net_dial_found().
 */
int target_connect(const struct options *, int64_t deadline, struct error *);

/*
 * At the start: can the program be executed, or is the target an address of a
 * family that is not to be dialled?  0, or -1 and why (64).
 */
int target_check(const struct options *, struct error *);

/*
 * What a peer may know of a target that could not be dialled: neither address
 * nor path.
 */
const char *target_reason(const struct error *);

/* There will be no tunnel: resets the stream, ends its program. */
void target_drop(struct connection *, struct io *);

/*
 * The tunnel is over and the stream is closed.  A program that has seen its
 * end may take --linger to finish; then, or at once if the tunnel was cut
 * off, it is sent HUP.  One that lives on after that wants to.
 */
void target_end(struct connection *, int cut_off);

#endif
