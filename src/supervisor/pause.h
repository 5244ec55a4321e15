/* SPDX-License-Identifier: ISC */
/*
 * When the system lacks something, accepting pauses for a moment, longer each
 * time: those who want to connect wait in the backlog meanwhile.
 */
#ifndef SUPERVISOR_PAUSE_H
#define SUPERVISOR_PAUSE_H

#include <stdint.h>
#include <string.h>

#include "os/log.h"

#define PAUSE_FIRST_MS		100
#define PAUSE_LONGEST_MS	1000
#define PAUSE_COMPLAIN_MS	10000

/* All zeros at first. */
struct pause {
	int ms;			/* the last one; 0: all is well */
	int64_t until;		/* 0: not paused */
	int64_t complain;	/* not before */
};

/* A call failed with this error; logs so, not too often. */
static inline void
pause_begin(struct pause *p, const char *call, int error, int64_t now)
{
	p->ms = p->ms == 0 ? PAUSE_FIRST_MS : p->ms * 2;
	if (p->ms > PAUSE_LONGEST_MS)
		p->ms = PAUSE_LONGEST_MS;
	p->until = now + p->ms;
	if (now < p->complain)
		return;
	p->complain = now + PAUSE_COMPLAIN_MS;
	log_event(LOG_L_WARN, "accept-paused", "call", call, "error",
	    strerror(error), NULL);
}

/* Something has succeeded: the next pause is a short one. */
static inline void
pause_succeeded(struct pause *p)
{
	p->ms = 0;
}

/* Have pauses become as long as they get? */
static inline int
pause_is_longest(const struct pause *p)
{
	return p->ms == PAUSE_LONGEST_MS;
}

/* Until when it pauses, or 0. */
static inline int64_t
pause_until(const struct pause *p, int64_t now)
{
	return now < p->until ? p->until : 0;
}

#endif
