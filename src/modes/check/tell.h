/* SPDX-License-Identifier: ISC */
/*
 * What "inetws check" says while it goes on, and at its end, however that comes:
 * to a person each step when it is known, to machines all of it at the end.
 */
#ifndef MODES_CHECK_TELL_H
#define MODES_CHECK_TELL_H

#include "config/options.h"
#include "modes/check/check.h"

/* First of all: the URL.  From here on signals are flags. */
void tell_begin(struct check *, const struct options *);

/* This step is under way; on a terminal that is seen. */
void tell_under_way(struct check *, enum check_step);

/* It is over, and says what has come of it; also all before it. */
void tell_step(struct check *, enum check_step);
void tell_before(struct check *, enum check_step);

/* The path begins anew, at c->at. */
void tell_redirect(struct check *);

/* Which of the other addresses connect. */
void tell_addresses(struct check *);

/*
 * Until tell_flags() a signal ends the process at once, wherever it is; then
 * all that is known is said, and that the name in this URL was looked up.
 */
void tell_at_once(const struct check *, const char *url);
void tell_flags(void);

/* All that was not said yet, and the verdict.  The exit status. */
int tell_end(struct check *);

#endif
