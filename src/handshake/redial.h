/* SPDX-License-Identifier: ISC */
/*
 * A session's request for another websocket, over a path that is up already,
 * in steps that do not wait.  There is one at a time.
 */
#ifndef HANDSHAKE_REDIAL_H
#define HANDSHAKE_REDIAL_H

#include "handshake/attempt.h"
#include "handshake/websocket.h"

#define REDIAL_POLL_MAX	ATTEMPT_POLL_MAX

/*
 * Takes over the attempt's end; the request is sent in the steps, when
 * --header-command, which is run for it, has ended.  All that is handed over
 * must last until the answer.  0, or -1 and why: the end is closed.
 */
int redial_ask(struct websocket *, struct attempt *, const struct options *,
    struct trust *, const struct extension *offer, struct error *);

/*
 * Does what can be done now; a redirect is followed as websocket_dial() does.
 * 1: the websocket is open, and the caller's; 0: it goes on when one of those
 * that redial_poll() sets, at most REDIAL_POLL_MAX, is ready, or at
 * redial_time(); -1 and why: it is closed.  *http_status is that of the last
 * answer to this request, or 0.
 */
int redial_step(int *http_status);
unsigned int redial_poll(struct pollfd *);
int64_t redial_time(void);

/*
 * Since when, of clock_ms(), the request has been out and its path has not even
 * acknowledged it; CLOCK_NEVER if that is not so, or is not known.
 */
int64_t redial_unheard_since(void);

/* Is the address that it is sent from still this host's? */
int redial_holds(void);

/* It is not needed; or it fails, for want of time, and why is set. */
void redial_end(void);
void redial_cancel(int *http_status);

#endif
