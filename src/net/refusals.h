/* SPDX-License-Identifier: ISC */
/*
 * Refused connections whose answer is under way: closing one with unread bytes
 * resets it (RFC 1122 4.2.2.13), and the reset may overtake the answer.
 */
#ifndef NET_REFUSALS_H
#define NET_REFUSALS_H

#include <stdint.h>

#define REFUSALS_MAX	16

struct refusals {
	struct refused {
		int fd;
		int64_t until;
	} at[REFUSALS_MAX];
	unsigned int first, n;		/* oldest first, in a circle */
};

/*
 * Ends our direction of a connection and keeps it for a moment; takes it over.
 * The oldest one is closed when there are too many.
 */
void refusals_add(struct refusals *, int fd, int64_t now);

/* Closes those whose time has come, or all. */
void refusals_close(struct refusals *, int64_t now);
void refusals_close_all(struct refusals *);

/* When the next one's time comes, or CLOCK_NEVER. */
int64_t refusals_time(const struct refusals *);

#endif
