/* SPDX-License-Identifier: ISC */
/*
 * When the next wire is dialled ahead, from what became of the former ones.
 * Times are milliseconds of the caller's clock.
 */
#ifndef SUPERVISOR_RESPAWN_H
#define SUPERVISOR_RESPAWN_H

#include <stdint.h>

#define RESPAWN_STEADY_MS	10000	/* of waiting, which prove a wire good */
#define RESPAWN_REFUSED_MS	600000	/* until a server is asked again whether wires
				 * may wait there */

/* All zeros at first. */
struct respawn {
	unsigned int failed;	/* tries in a row that none came to wait by */
	unsigned int tries;	/* the same, and wires lost soon: the pause */
	int proved;		/* the last one came to wait; until then there
				 * is only one try at a time */
	int64_t not_before;
};

/* A wire has come to wait, has a visitor, may not wait there. */
void respawn_parked(struct respawn *);
void respawn_used(struct respawn *);
void respawn_unwanted(struct respawn *, int64_t now);

/*
 * One has ended without a visitor: it had waited since then, or not come to
 * wait, since being -1; or could not be tried at all.  After a pause that
 * doubles, half a minute at the most, there is another try.
 */
void respawn_ended(struct respawn *, int64_t since, int64_t now);
void respawn_failed(struct respawn *, int64_t now);

#endif
