/* SPDX-License-Identifier: ISC */
/*
 * check, over a websocket that is open: pings, a small message, the target; and
 * whether a session goes on when its websocket is cut.
 */
#ifndef MODES_CHECK_MESSAGES_H
#define MODES_CHECK_MESSAGES_H

#include "modes/check/check.h"
#include "modes/check/probe.h"

/* Each fills in its facts, and c->why with c->failed_at if it failed. */
void check_pings(struct check *, struct probe *, const struct options *);
void check_message(struct check *, struct probe *, const struct options *);

/* Gives the target a moment to say something, or to end. */
void check_listen(struct check *, struct probe *);

/* By what has come of it until now. */
void check_target(struct check *, const struct probe *);

/*
 * resume.c: cuts the websocket and dials another one for the session; ours is
 * the offer that it began with, theirs the answer.
 */
void check_resume(struct check *, struct probe *, const struct options *,
    struct trust *, const struct extension *ours,
    const struct extension *theirs);

#endif
