/* SPDX-License-Identifier: ISC */
/*
 * Texts that the table and the page of HTML have in common.  Those with a dst
 * return it.
 */
#ifndef STATS_RENDER_H
#define STATS_RENDER_H

#include "stats/report.h"

/* The text itself, or "-" if it is "". */
const char *render_dash(const char *);

/* "12ms"; "-" if ms is negative, which is unknown. */
char *render_rtt(char *dst, size_t size, int64_t ms);

/* "user@address" */
const char *render_peer(char *dst, size_t size, const struct report_row *);

/* "12.3s"; "-" if ms is 0, as there was none. */
char *render_gap(char *dst, size_t size, int64_t ms);

/* "256k/16m": the windows up and down; "-" without a session. */
char *render_window(char *dst, size_t size, const struct report_row *);

/* "12 open, 1 lost, 3 visitors waiting": numbers that are not 0. */
void render_states(struct out *, const struct report *);

/* "; 3 lost, 2 resumed, longest gap 12.3s"; nothing if none was lost. */
void render_resumes(struct out *, const struct report *);

#endif
