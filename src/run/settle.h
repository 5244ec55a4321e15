/* SPDX-License-Identifier: ISC */
/*
 * The last step before serving: --chroot and --run-as.  All that needs rights
 * or paths of the machine comes before it (listeners, the log, keys and
 * authorities, the statistics page, the pid file, the service manager's
 * socket), the sandbox behind it.
 */
#ifndef RUN_SETTLE_H
#define RUN_SETTLE_H

#include "proto/why.h"
#include "run/options.h"

/* EXIT_ENDED, or the status to exit with, the reason being told. */
int settle(const struct options *);

/*
 * What is behind it could not begin: tells why, and where files were looked
 * for; returns the status.
 */
int settle_failed(const struct options *, const struct why *);

#endif
