/* SPDX-License-Identifier: ISC */
/*
 * What "inetws check" prints: for a person, as JSON, and as a line for Nagios
 * and its kind.
 */
#ifndef MODES_CHECK_SHOW_H
#define MODES_CHECK_SHOW_H

#include "base/out.h"
#include "modes/check/check.h"

/* Those of these steps that were tried, from the one up to before the other. */
void check_show(struct out *, const struct check *, enum check_step from,
    enum check_step to, int64_t now, int colours);

/* Where a redirect has led to. */
void check_show_redirect(struct out *, const struct check *);

/* The addresses that were tried, but for the one that is used. */
void check_show_others(struct out *, const struct check *);

/* The verdict, and what to do. */
void check_result(struct out *, const struct check *, int colours);

const char *check_step_name(enum check_step);

void check_json(struct out *, const struct check *, int64_t now);
void check_nagios(struct out *, const struct check *,
    const struct check_limits *, int64_t now);

#endif
