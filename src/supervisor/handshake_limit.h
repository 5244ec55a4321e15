/* SPDX-License-Identifier: ISC */
/*
 * How many children may be in their handshakes.  That one is beyond it shows
 * on the statistics page, which is looked at only when the limit is reached.
 */
#ifndef SUPERVISOR_HANDSHAKE_LIMIT_H
#define SUPERVISOR_HANDSHAKE_LIMIT_H

#include <sys/types.h>

#include "config/options.h"

/* Children that were in their handshake when this was last looked at. */
struct handshake_limit {
	struct in_handshake *of;
	int *place;			/* there, by number of the child */
	unsigned int n, room, look;
};

/* For children of numbers below room; grow: for more.  0, or -1. */
int handshake_limit_grow(struct handshake_limit *, unsigned int room);
void handshake_limit_end(struct handshake_limit *);

/* A child with this number has begun, with its slot; is gone. */
void handshake_limit_begun(struct handshake_limit *, unsigned int child,
    pid_t, int slot);
void handshake_limit_ended(struct handshake_limit *, unsigned int child);

/*
 * Is there room for one more, by --max-handshakes?  A child whose timeouts must
 * have ended its handshake long ago is killed for it: it is stopped, or hangs.
 */
int handshake_limit_allows(struct handshake_limit *, const struct options *);

#endif
