/* SPDX-License-Identifier: ISC */
/*
 * How each step of "inetws check" is judged: what its state is, and what was
 * found.  A step that is not touched was not tried.
 */
#ifndef MODES_CHECK_STEPS_H
#define MODES_CHECK_STEPS_H

#include "modes/check/check.h"

/* judge_path.c */
void judge_name(const struct check *, struct step *);
void judge_connect(const struct check *, struct step *);
void judge_proxy(const struct check *, struct step *);
void judge_tls(const struct check *, struct step *);
void judge_answer(const struct check *, struct step *);
void judge_upgrade(const struct check *, struct step *);

/* judge_tunnel.c */
void judge_extension(const struct check *, struct step *);
void judge_subprotocol(const struct check *, struct step *);
void judge_ping(const struct check *, struct step *);
void judge_message(const struct check *, struct step *);
void judge_target(const struct check *, struct step *);
void judge_resume(const struct check *, struct step *);
void judge_idle(const struct check *, struct step *);

/* judge.c: the state, and how long it took; more of what was found. */
void step_find(struct step *, enum step_state, int64_t us);
void step_say(struct step *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Which certificate of the chain expires first. */
unsigned int check_expires(const struct cert *);

#endif
