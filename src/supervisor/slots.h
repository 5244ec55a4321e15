/* SPDX-License-Identifier: ISC */
/*
 * The supervisor's part of the statistics: makes the page, where "status"
 * finds it if that can be, gives each child a slot, and logs what is there.
 */
#ifndef SUPERVISOR_SLOTS_H
#define SUPERVISOR_SLOTS_H

#include <sys/types.h>

#include <stdint.h>

#include "stats/page.h"

struct slots {
	struct slot_tables *tables;
	unsigned int given, n;		/* slots from given on are free */
	unsigned int ninherited;	/* tunnels of an earlier supervisor */
	int64_t look;			/* at them, not before */
};

/*
 * A page for at most max connections, raised later or not; without a page all
 * below works too, and counts nothing.  0, or -1 without memory.
 */
int slots_begin(struct slots *, unsigned int max, const struct stats_about *);

/* The file goes unless tunnels are left: so many of ours, or inherited ones. */
void slots_end(struct slots *, unsigned int active);

/*
 * How many tunnels of an earlier supervisor there were at the last look; looks,
 * if that is some time ago: 1 if there are fewer now; when it may look again,
 * or CLOCK_NEVER.
 */
unsigned int slots_inherited(const struct slots *);
int slots_look(struct slots *, int64_t now);
int64_t slots_look_time(const struct slots *);

/*
 * A child's slot, STATS_SLOT_NONE if there is none left; it comes back when the
 * child is gone.
 */
int slots_take(struct slots *);
void slots_give_back(struct slots *, int slot);

/* Logs every tunnel and the sums: for a process of its own. */
void slots_log(unsigned int active);

/* Logs what a child that was killed could not log any more. */
void slots_log_killed(pid_t, int signo, int slot);

#endif
