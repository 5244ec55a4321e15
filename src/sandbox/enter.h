/* SPDX-License-Identifier: ISC */
/*
 * The sandbox as the options have it.
 */
#ifndef SANDBOX_ENTER_H
#define SANDBOX_ENTER_H

#include "config/options.h"
#include "sandbox/sandbox.h"

/*
 * Before the first fork, and when options have changed: if it fails then, it
 * is as it was before.  EXIT_ENDED, or the status to exit with, the
 * reason being told.
 */
int enter_prepare(const struct options *, enum sandbox_role);

/*
 * In a child that has both halves and its door.  EXIT_ENDED, or the status to
 * exit with, the reason being told: the tunnel must not begin then.
 */
int enter_sandbox(const struct options *);

#endif
