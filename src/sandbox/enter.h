/* SPDX-License-Identifier: ISC */
/*
 * The sandbox according to the options.
 */
#ifndef SANDBOX_ENTER_H
#define SANDBOX_ENTER_H

#include "config/options.h"
#include "sandbox/sandbox.h"

/*
 * Before the first fork, and when options have changed; after a failure what
 * was prepared before stays.  EXIT_ENDED, or the exit status; the reason is
 * logged.
 */
int enter_prepare(const struct options *, enum sandbox_role);

/*
 * In a child that has both halves and its handoff socket.  EXIT_ENDED, or
 * the exit status, the reason being logged: the tunnel must not begin then.
 */
int enter_sandbox(const struct options *);

#endif
