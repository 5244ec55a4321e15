/* SPDX-License-Identifier: ISC */
/*
 * What a child with a parked websocket and its supervisor send each other over
 * the child's worker channel (net/fdpass.h).
 *
 *	child		supervisor
 *	ASK_PARK	MAY_PARK, or REFUSED	a gate's, before its answer
 *	ASK_PLACE	PLACE, or REFUSED	a server's extra child, likewise
 *	PARKED					one that has dialled
 *	NO_PARK					... where parking is refused
 *	RETRY_AFTER				... and was refused
 *			STREAM			a visitor for this child
 *	TAKEN					it is served, or was refused; an
 *						agent's: its websocket is used
 *	RETURNED				it was not touched
 *
 * Whose a visitor is: the supervisor keeps a copy of its descriptor.  A child
 * neither reads, writes nor shuts it down before TAKEN was sent successfully.
 * The supervisor offers it to another child after RETURNED, or after it has
 * read the channel to its end without TAKEN; after TAKEN, if the channel cannot
 * be read to its end, and after it has closed its own end, never.  The end of
 * the channel ends a child that waits for a visitor, and no other.  A message
 * that a child's state does not allow ends the child.
 */
#ifndef CONNECTION_WORKER_CHANNEL_H
#define CONNECTION_WORKER_CHANNEL_H

#include <stdint.h>

#include "net/socket.h"

enum worker_letter {
	WORKER_ASK_PARK = 'P',	/* "NAME AGENT HASH" */
	WORKER_ASK_PLACE = 'E',
	WORKER_PARKED = 'p',
	WORKER_NO_PARK = 'N',
	WORKER_RETRY_AFTER = 'R',	/* "SECONDS" */
	WORKER_TAKEN = 'T',
	WORKER_RETURNED = 'B',
	WORKER_MAY_PARK = 'W',
	WORKER_PLACE = 'O',
	WORKER_REFUSED = 'F',	/* text: "SECONDS WHY": when to try again */
	WORKER_STREAM = 'V'	/* text: its address */
};

/*
 * A child takes its visitor or returns it within this time, in ms; where it
 * waits for a PROXY header, which has --connect-timeout, within both.
 */
#define WORKER_TAKE_MS	8000

#define AGENT_NAME_MAX	129	/* terminated */
#define AGENT_ID_MAX	24
#define AGENT_HASH_MAX	65

/*
 * Asks whether a websocket of this name (of this agent, and admitted by this
 * line of --agents-file, "" unknown) may be parked.  1; 0 and why not in one
 * line, and after how many seconds to try again; -1 if the supervisor is gone
 * or does not answer until the deadline, with the same.
 */
int worker_ask_park(int channel, const char *name, const char *agent_id,
    const char *hash, int64_t deadline, char *why, size_t size,
    unsigned int *again);

/*
 * Asks, in an extra child (supervisor.h), whether there is a place for it, by
 * now or soon.  1; 0 or -1 and why not, as above.
 */
int worker_ask_place(int channel, int64_t deadline, char *why, size_t size,
    unsigned int *again);

/*
 * Sends a letter without a text.  0, also if there is no channel (-1); -1 with
 * errno: it has not been sent.
 */
int worker_send(int channel, enum worker_letter);

/* Has the supervisor closed its end, if there is a channel? */
int worker_is_left(int channel);

/* Tells the Retry-After of an answer, in seconds, if there is a channel. */
void worker_retry_after(int channel, uint32_t seconds);

/*
 * Takes a visitor, if one is there: 1, its descriptor and address
 * ("-": none); 0 if not; -1 if the supervisor is gone.
 */
int worker_take_stream(int channel, int *fd, char peer[NET_NAME_MAX]);

#endif
