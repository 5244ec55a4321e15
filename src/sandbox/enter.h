/* SPDX-License-Identifier: ISC */
/*
 * The sandbox as the options have it.
 */
#ifndef RUN_CONFINE_H
#define RUN_CONFINE_H

#include "config/options.h"
#include "sandbox/sandbox.h"

/*
 * Before the first fork, and when options have changed: if it fails then, it
 * is as it was before.  EXIT_ENDED, or the status to exit with, the
 * reason being told.
 */
int confine_prepare(const struct options *, enum sandbox_role);

/*
 * In a child that has both halves and its door.  EXIT_ENDED, or the status to
 * exit with, the reason being told: the tunnel must not begin then.
 */
int confine(const struct options *);

#endif
