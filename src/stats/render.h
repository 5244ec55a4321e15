/* SPDX-License-Identifier: ISC */
/* Texts that a table and a page have in common; each returns dst. */
#ifndef STATS_RENDER_H
#define STATS_RENDER_H

#include "stats/report.h"

/* "-" for "". */
const char *render_dash(const char *);

/* "12ms", "-" if unknown. */
char *render_rtt(char *dst, size_t size, int64_t ms);

/* "user@address" */
const char *render_peer(char *dst, size_t size, const struct report_row *);

/* "12s", "-" if there was none. */
char *render_gap(char *dst, size_t size, int64_t ms);

/* "256k/16m", up and down, "-" without a session. */
char *render_window(char *dst, size_t size, const struct report_row *);

/* "12 open, 1 lost": the states that occur. */
void render_states(struct out *, const struct report *);

/* "; 2 resumed, longest gap 12s": nothing if no websocket was lost. */
void render_resumes(struct out *, const struct report *);

#endif
