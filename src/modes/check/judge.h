/* SPDX-License-Identifier: ISC */
/*
 * The verdict of "inetws check", for each step and for all of them, and the
 * advice.
 */
#ifndef MODES_CHECK_JUDGE_H
#define MODES_CHECK_JUDGE_H

#include "base/out.h"
#include "modes/check/check.h"

enum check_level { CHECK_OK, CHECK_WARNING, CHECK_CRITICAL, CHECK_UNKNOWN };

/* Fills in the steps by the facts.  now: seconds since 1970. */
void check_judge(struct check *, const struct check_limits *, int64_t now);

/* What failed, or in which step it was stopped; "" if neither.  Returns dst. */
const char *check_why(const struct check *, char *dst, size_t);

/* The exit status, but for --nagios. */
int check_status(const struct check *);

/* How many steps have a warning. */
unsigned int check_warnings(const struct check *);

/*
 * advice.c: what to do about a step that failed, was stopped or has a warning.
 */
void check_advise(const struct check *, enum check_step, char *dst, size_t);

/* The advice for a step that was stopped. */
#define ADVICE_REST	"let the check run to its end to know more"

/* The advice for an error on this host, or if nothing better is known. */
#define ADVICE_CORRECT \
	"correct what the message names; man inetws-troubleshooting has more"

/* next.c: if nothing failed, a command that uses the URL. */
void check_advise_use(const struct check *, char *dst, size_t);

/*
 * next.c: calls add() for each line of what to do, n from 0; there is one at
 * least.
 */
void check_next(struct out *, const struct check *,
    void (*add)(struct out *, int n, const char *line));

/*
 * Days until the first certificate of the chain expires; negative: since then.
 */
int64_t check_days(const struct check *, int64_t now);

/* "expires in 9 days", "has expired" within two days; returns dst. */
const char *check_expiry(char *dst, size_t, int64_t days);

/*
 * The --ping-interval that the path needs, in ms; 0: the default is short
 * enough.
 */
int64_t check_ping_interval(const struct check *);

/* The status for --nagios. */
enum check_level check_level(const struct check *);

#endif
