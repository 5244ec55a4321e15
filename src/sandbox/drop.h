/* SPDX-License-Identifier: ISC */
/*
 * The last step before serving: --chroot and --run-as.  Everything that needs
 * root or paths outside the new root is done before it (listeners, the log,
 * keys and authorities, the statistics page, the pid file, the service
 * manager's socket), the sandbox after it.
 */
#ifndef SANDBOX_DROP_H
#define SANDBOX_DROP_H

#include <sys/types.h>

#include "base/error.h"
#include "config/options.h"

/*
 * Changes root directory and user.  give, if not NULL, is called first with
 * the new user, to change the owner of files.  0, or -1 and why.
 */
int drop_privileges(const struct options *, void (*give)(uid_t, gid_t),
    struct error *);

#endif
