/* SPDX-License-Identifier: ISC */
/*
 * What every mode begins with: descriptors first, then the log, since
 * syslog(3) keeps a descriptor that closing the leaked ones would take away.
 */
#ifndef RUN_START_H
#define RUN_START_H

#include "config/options.h"
#include "net/inherit.h"
#include "os/log.h"

/* Listeners for other purposes than the mode's: activation.door. */
enum start_door { DOOR_VISITORS, DOOR_METRICS };

/*
 * Opens or takes over what the words mean, and takes over what was handed over
 * for the doors, closes what was leaked, opens the log with the mode's level.
 * EXIT_ENDED, or the status to exit with, the reason being told.
 */
int start(struct activation *, const struct options *,
    const struct addr *words, unsigned int n, enum log_level);

/*
 * The same for a mode that neither listens nor serves a connection, and is
 * its own supervisor: under inetd that is a usage error.
 */
int start_alone(struct activation *, const struct options *, enum log_level);

/*
 * The sockets of a door: what was handed over for it, or what is opened now.
 * As net_listen().
 */
int start_door(const struct activation *, enum start_door,
    const struct addr *word, int backlog, int fds[2], struct why *);

/* Opens the log again, where it is, as changed options of a server want it. */
void start_log(const struct options *);

/* Could not start: tells why, and returns the status. */
int start_failed(const struct why *);

#endif
