/* SPDX-License-Identifier: ISC */
/*
 * The verdict of "inetws check": of each step, and of all of them.
 */
#ifndef MODES_CHECK_JUDGE_H
#define MODES_CHECK_JUDGE_H

#include "base/out.h"
#include "modes/check/check.h"

enum check_level { CHECK_OK, CHECK_WARNING, CHECK_CRITICAL, CHECK_UNKNOWN };

/* Fills in the steps.  now: seconds since 1970. */
void check_judge(struct check *, const struct check_limits *, int64_t now);

/* What has failed, or where it was stopped; "" neither.  Returns dst. */
const char *check_why(const struct check *, char *dst, size_t);

/* The exit status, unless it is for Nagios. */
int check_status(const struct check *);

/* How many steps have a warning. */
unsigned int check_warnings(const struct check *);

/* advice.c: of a step that has failed, was stopped or has a warning. */
void check_advise(const struct check *, enum check_step, char *dst, size_t);

/* Of what was stopped: how it would have ended is not known. */
#define ADVICE_REST	"let the check run to its end to know more"

/* Of a fault on this host, or where nothing better is known. */
#define ADVICE_CORRECT \
	"correct what the message names; man inetws-troubleshooting has more"

/* next.c: when nothing is to be mended: how to use it. */
void check_advise_use(const struct check *, char *dst, size_t);

/* What to do, a line at a time, n from 0 on: there is one at least. */
void check_next(struct out *, const struct check *,
    void (*add)(struct out *, int n, const char *line));

/* Days until the first certificate of the chain expires; below 0: it has. */
int64_t check_days(const struct check *, int64_t now);

/* "expires in 9 days", "has expired" within two days; returns dst. */
const char *check_expiry(char *dst, size_t, int64_t days);

/* What to give to --ping-interval, ms; 0: what it is will do. */
int64_t check_ping_interval(const struct check *);

enum check_level check_level(const struct check *);

#endif
