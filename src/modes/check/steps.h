/* SPDX-License-Identifier: ISC */
/*
 * The functions that judge the steps of "inetws check": each fills in state,
 * time and text of its step.  A step that they leave as it is was not tried.
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

/* judge.c: sets the state and the time; adds to the text, as printf(3). */
void step_find(struct step *, enum step_state, int64_t us);
void step_say(struct step *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The number of the certificate in the chain that expires first. */
unsigned int check_expires(const struct cert *);

#endif
