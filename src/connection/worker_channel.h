/* SPDX-License-Identifier: ISC */
/*
 * What a child with a parked websocket and its supervisor tell each other over
 * the child's worker channel (net/fdpass.h).
 *
 *	child		supervisor
 *	park NAME	welcome, or full	a gate's, before its answer
 *	parked					one that has dialled
 *	no-park					... and may not wait there
 *			visitor ADDR, fd	you may serve this one
 *	taken					it is served, or was refused
 *	back					it was not touched: pass it on
 *
 * The supervisor keeps its copy of a visitor's descriptor until it is taken: if
 * the child dies before, it goes to the next child too.  The end of the channel
 * ends a child that waits.
 */
#ifndef CONNECTION_WORKER_CHANNEL_H
#define CONNECTION_WORKER_CHANNEL_H

#include <stdint.h>

#include "net/socket.h"

enum {
	WORKER_ASK_PARK = 'P',	/* "NAME AGENT HASH" */
	WORKER_PARKED = 'p',
	WORKER_NO_PARK = 'N',
	WORKER_TAKEN = 'T',
	WORKER_RETURNED = 'B',
	WORKER_MAY_PARK = 'W',
	WORKER_REFUSED = 'F',	/* text: why */
	WORKER_STREAM = 'V'	/* text: its address */
};

#define AGENT_NAME_MAX	129	/* terminated */
#define AGENT_ID_MAX	24
#define AGENT_HASH_MAX	65

/*
 * Asks whether a websocket of this name (of this agent, and admitted by this
 * line of --agents-file, "" unknown) may wait.  1; 0 and why not in one line;
 * -1 if the supervisor is gone or does not answer until the deadline.
 */
int worker_ask_park(int channel, const char *name, const char *agent_id,
    const char *hash, int64_t deadline, char *why, size_t size);

/* Sends a letter without a text.  A supervisor that is gone is no error. */
void worker_send(int channel, char letter);

/*
 * Takes a queued connection, if one is there: 1, its descriptor and address
 * ("-": none); 0 if not; -1 if the supervisor is gone.
 */
int worker_take_stream(int channel, int *fd, char peer[NET_NAME_MAX]);

#endif
