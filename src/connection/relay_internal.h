/* SPDX-License-Identifier: ISC */
/*
 * What relay.c, which works, relay_poll.c, which waits, and relay_ends.c, which
 * knows what is new, share.
 */
#ifndef CONNECTION_RELAY_INTERNAL_H
#define CONNECTION_RELAY_INTERNAL_H

#include "connection/relay.h"

/* What is not known to block. */
enum { STREAM_R = 1, STREAM_W = 2, WEBSOCKET_R = 4, WEBSOCKET_W = 8 };

/*
 * Waits until something can be done, or only looks if busy.  RELAY_CONTROL or
 * RELAY_WATCHED if such a descriptor is ready, else RELAY_TIME.
 */
enum relay_event relay_wait(struct relay *, int64_t until, int busy);

#endif
