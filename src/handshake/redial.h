/* SPDX-License-Identifier: ISC */
/*
 * A session's request for another websocket, over a path that is up already,
 * in steps that do not wait.  There is one at a time.
 */
#ifndef HANDSHAKE_REDIAL_H
#define HANDSHAKE_REDIAL_H

#include "handshake/attempt.h"
#include "handshake/websocket.h"

/*
 * Takes over the attempt's end and sends the request; --header-command is run
 * for it, and waited for.  All that is handed over must last until the answer.
 * 0, or -1 and why: the end is closed.
 */
int redial_ask(struct websocket *, struct attempt *, const struct options *,
    struct trust *, const struct extension *offer, struct error *);

/*
 * 1: the websocket is open; 0: it goes on when what redial_poll() sets is
 * ready; -1 and why: it is closed, and *http_status is that of the answer, or 0.
 * A redirect is followed as websocket_dial() does, which waits.  too_late: there
 * is no more time for it.
 */
int redial_step(int *http_status, int too_late);
void redial_poll(struct pollfd *);

#endif
