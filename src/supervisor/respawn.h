/* SPDX-License-Identifier: ISC */
/*
 * When the next websocket is dialled ahead, from what became of the former
 * ones.
 * Times are milliseconds of the caller's clock.
 */
#ifndef SUPERVISOR_RESPAWN_H
#define SUPERVISOR_RESPAWN_H

#include <stdint.h>

#define RESPAWN_STEADY_MS	10000	/* parked for so long: it was good */
#define RESPAWN_REFUSED_MS	600000	/* until a server that does not park is
					 * asked again */

/* All zeros at first. */
struct respawn {
	unsigned int failed;	/* tries in a row that parked none */
	unsigned int tries;	/* the same, and those lost soon: the pause */
	int proved;		/* the last one was parked; until then there
				 * is only one try at a time */
	int64_t not_before;
};

/* A websocket was parked; was used; the server does not park it. */
void respawn_parked(struct respawn *);
void respawn_used(struct respawn *);
void respawn_unwanted(struct respawn *, int64_t now);

/*
 * One has ended unused: it had been parked since then, or never, since being
 * -1; or none could be tried at all.  After a pause that doubles, half a minute
 * at the most, there is another try.
 */
void respawn_ended(struct respawn *, int64_t since, int64_t now);
void respawn_failed(struct respawn *, int64_t now);

#endif
