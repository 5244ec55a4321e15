/* SPDX-License-Identifier: ISC */
/*
 * When "inetws check" prints: for a person each step when it is known; JSON and
 * the line for Nagios at the end, whether the check ends by itself or by a
 * signal.
 */
#ifndef MODES_CHECK_TELL_H
#define MODES_CHECK_TELL_H

#include "config/options.h"
#include "modes/check/check.h"

/* Prints the URL.  From here on signals are flags. */
void tell_begin(struct check *, const struct options *);

/* A step begins; a terminal shows which one. */
void tell_under_way(struct check *, enum check_step);

/* Shows a text on the terminal of standard error, unless that takes no output. */
void tell_progress(const char *);

/* Prints a step, which is over; all steps before one. */
void tell_step(struct check *, enum check_step);
void tell_before(struct check *, enum check_step);

/* A redirect: the steps begin again, with the URL c->at. */
void tell_redirect(struct check *);

/* Prints which of the other addresses connect. */
void tell_addresses(struct check *);

/*
 * Resolving a name cannot be interrupted, nor can reading a file that is a FIFO.
 * So between tell_at_once() and tell_flags() a signal ends the process in its
 * handler, after it has printed a result that tell_at_once() has prepared: all
 * that is known, and why there is no more.
 */
void tell_at_once(const struct check *, const struct error *why);
void tell_flags(void);

/* Prints the rest and the verdict.  The exit status. */
int tell_end(struct check *);

#endif
