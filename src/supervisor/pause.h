/* SPDX-License-Identifier: ISC */
/*
 * When the system lacks something, accepting pauses for a moment, longer each
 * time: those who want to connect wait in the backlog meanwhile.
 */
#ifndef SUPERVISOR_PAUSE_H
#define SUPERVISOR_PAUSE_H

#include <stdint.h>

/* All zeros at first. */
struct pause {
	int ms;			/* the last one; 0: all is well */
	int64_t until;		/* 0: not paused */
	int64_t complain;	/* not before */
};

/* A call failed with this error; logs so, not too often. */
void pause_begin(struct pause *, const char *call, int error, int64_t now);

/* Something has succeeded: the next pause is a short one. */
void pause_succeeded(struct pause *);

/* Have pauses become as long as they get? */
int pause_is_longest(const struct pause *);

/* Until when it pauses, or 0. */
int64_t pause_until(const struct pause *, int64_t now);

#endif
