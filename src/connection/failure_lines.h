/* SPDX-License-Identifier: ISC */
/*
 * Lines of the log about connections that failed before they were tunnels.
 * Anyone can cause any number of them, so only some a second are written.  The
 * supervisor keeps the count, tells each child when it is forked whether it
 * may log such a line, and learns from its exit status whether it wanted to:
 * no child can use up what others may log.
 */
#ifndef CONNECTION_FAILURE_LINES_H
#define CONNECTION_FAILURE_LINES_H

#include <stdint.h>

#include "base/error.h"

#define FAILURE_LINES_A_SECOND	100

/* The supervisor's side.  All zeros at first; times are of clock_ms(). */
struct failure_lines {
	int64_t second;			/* whose lines are counted */
	unsigned int lines;		/* that may have been written in it */
	uint64_t left_out;		/* not written, and not told yet */
};

/* May a child that is forked now log one?  The grant, or 0. */
int64_t failure_lines_grant(struct failure_lines *, int64_t now);

/* A child with this grant has ended: did it want to log one? */
void failure_lines_ended(struct failure_lines *, int64_t grant, int wanted,
    int64_t now);

/*
 * How many have been left out, to be told once a second at most: 0 if none, or
 * it is too early.  time: when it is not, or CLOCK_NEVER.
 */
uint64_t failure_lines_left_out(struct failure_lines *, int64_t now);
int64_t failure_lines_time(const struct failure_lines *);

/* Does the exit status of a child say that it wanted to?  Without that. */
int failure_lines_was_wanted(int exit_status);
int failure_lines_status(int exit_status);

/*
 * The child's side.  allow: what it was told; without that it may.  ask: may
 * this one be logged now?  exit_status: what to exit with, for the supervisor.
 */
void failure_lines_allow(int allowed);
int failure_lines_ask(void);
int failure_lines_exit_status(int exit_status);

/* The same question for a failure of which those of its kind are limited, too. */
int failure_lines_ask_for(const char *peer, const struct error *);

/*
 * Logs of which kinds some were left out, where their minute is over
 * (stats_repeats_take()): by the supervisor's clock, and before another failure
 * is logged, where there is no supervisor.
 */
void failure_lines_tell_repeated(int64_t now);

#endif
