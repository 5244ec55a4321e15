/* SPDX-License-Identifier: ISC */
/*
 * What "inetws check" prints: show.c for a person, json.c as JSON and as a line
 * for Nagios.
 */
#ifndef MODES_CHECK_SHOW_H
#define MODES_CHECK_SHOW_H

#include "base/out.h"
#include "modes/check/check.h"

/* The steps that were tried, of from up to, and without, to. */
void check_show(struct out *, const struct check *, enum check_step from,
    enum check_step to, int64_t now, int colours);

/* Where redirects led to. */
void check_show_redirect(struct out *, const struct check *);

/* The other addresses of the host that were tried. */
void check_show_others(struct out *, const struct check *);

/* The verdict, and what to do. */
void check_result(struct out *, const struct check *, int colours);

/* The name of a step: "connect". */
const char *check_step_name(enum check_step);

/* The whole result as JSON; as a line for Nagios.  now: seconds since 1970. */
void check_json(struct out *, const struct check *, int64_t now);
void check_nagios(struct out *, const struct check *,
    const struct check_limits *, int64_t now);

/* In the line for Nagios '|' and newline have a meaning: '/' instead. */
char check_nagios_char(char);

#endif
