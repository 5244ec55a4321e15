/* SPDX-License-Identifier: ISC */
/*
 * What check does over an open websocket: pings, a small message, the target,
 * and whether a session goes on when its websocket is cut.
 */
#ifndef MODES_CHECK_MESSAGES_H
#define MODES_CHECK_MESSAGES_H

#include "modes/check/check.h"
#include "modes/check/probe.h"

/* Each fills in its facts; if it fails, also c->why and c->failed_at. */
void check_pings(struct check *, struct probe *, const struct options *);
void check_message(struct check *, struct probe *, const struct options *);

/* Waits a moment for the first bytes of the target, or for its end. */
void check_listen(struct check *, struct probe *);

/* Judges the target by what has come from it. */
void check_target(struct check *, const struct probe *);

/*
 * resume.c: cuts the websocket and dials another one for its session.  ours:
 * the offer that the session began with; theirs: the answer to it.
 */
void check_resume(struct check *, struct probe *, const struct options *,
    struct trust *, const struct extension *ours,
    const struct extension *theirs);

#endif
