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
#define RESPAWN_RETRY_AFTER_MS	30000
#define RESPAWN_REFUSED_MS	600000	/* until a server that does not park is
					 * asked again */

/* All zeros at first. */
struct respawn {
	unsigned int failed;	/* tries in a row that parked none */
	unsigned int tries;	/* the same, and those lost soon: the pause */
	int proved;		/* the last one was parked; until then there
				 * is only one try at a time */
	int64_t not_before;
	int64_t retry_after;	/* ms that the peer asked for, 0: none */
};

/* A websocket was parked; was used; the server does not park it. */
void respawn_parked(struct respawn *);
void respawn_used(struct respawn *);
void respawn_unwanted(struct respawn *, int64_t now);

/* New options: what became of the former ones means nothing. */
void respawn_renew(struct respawn *);

/*
 * One is refused, with a Retry-After of so many seconds: the pause after it is
 * as long, up to RESPAWN_RETRY_AFTER_MS, and a moment at random more.
 */
void respawn_retry_after(struct respawn *, uint32_t seconds);

/*
 * One has ended unused: it had been parked since then, or never, since being
 * -1; or none could be tried at all.  After a pause that doubles, half a minute
 * at the most, there is another try.
 */
void respawn_ended(struct respawn *, int64_t since, int64_t now);
void respawn_failed(struct respawn *, int64_t now);

#endif
