/* SPDX-License-Identifier: ISC */
/*
 * What a child that waits for a visitor and its supervisor say to each other
 * over the child's pair (os/pass.h).
 *
 *	child		supervisor
 *	park NAME	welcome, or full	a gate's, before its answer
 *	parked					one that has dialled
 *	no-park					... and may not wait there
 *			visitor ADDR, fd	you may have this one
 *	taken					he is served, or was told why not
 *	back					he was not touched: the next
 *
 * The supervisor keeps its copy of a visitor's descriptor until he is taken:
 * if the child dies before, he goes to the next too.  The end of the pair
 * ends a child that waits.
 */
#ifndef CONNECTION_WORKER_CHANNEL_H
#define CONNECTION_WORKER_CHANNEL_H

#include <stdint.h>

#include "net/socket.h"

enum {
	WORKER_ASK_PARK = 'P',	/* "NAME OWNER HASH" */
	WORKER_PARKED = 'p',
	WORKER_NO_PARK = 'N',
	WORKER_TAKEN = 'T',
	WORKER_RETURNED = 'B',
	WORKER_MAY_PARK = 'W',
	WORKER_REFUSED = 'F',	/* text: why */
	WORKER_STREAM = 'V'	/* text: his address */
};

#define AGENT_NAME_MAX	129	/* terminated */
#define AGENT_ID_MAX	24
#define AGENT_HASH_MAX	65

/*
 * Asks whether a wire of this name (of this agent, and let in by this line of
 * --agents-file, "" unknown) may wait.  1; 0 and why not in one line; -1 if
 * the supervisor is gone or does not answer until the deadline.
 */
int worker_ask_park(int pair, const char *name, const char *owner, const char *hash,
    int64_t deadline, char *why, size_t size);

/* Says something without a text.  A supervisor that is gone is no error. */
void worker_send(int pair, char letter);

/*
 * Takes a visitor, if one is there: 1, his descriptor and address ("-" if he
 * has none); 0 if not; -1 if the supervisor is gone.
 */
int worker_take_stream(int pair, int *fd, char peer[NET_NAME_MAX]);

#endif
