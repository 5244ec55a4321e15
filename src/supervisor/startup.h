/* SPDX-License-Identifier: ISC */
/*
 * What every mode begins with: descriptors first, then the log, since
 * syslog(3) keeps a descriptor that closing the leaked ones would take away.
 */
#ifndef SUPERVISOR_STARTUP_H
#define SUPERVISOR_STARTUP_H

#include "config/options.h"
#include "net/inherit.h"
#include "os/log.h"

/* Listeners for other purposes than the mode's: inherited.extra. */
enum startup_listener { LISTENER_VISITORS, LISTENER_METRICS };

/*
 * Opens or takes over what the words mean, and takes over what was handed over
 * for other listeners, closes what was leaked, opens the log with the mode's
 * level.
 * GO_ON, or the status to exit with, the reason being told.
 */
int startup(struct inherited *, const struct options *,
    const struct addr *words, unsigned int n, enum log_level);

/*
 * The same for a mode that neither listens nor serves a connection, and is
 * its own supervisor: under inetd that is a usage error.
 */
int startup_no_listener(struct inherited *, const struct options *,
    enum log_level);

/*
 * The sockets of a listener: what was handed over for it, or opened now, then
 * also the file to remove.  As net_listen().
 */
int startup_listener(const struct inherited *, enum startup_listener,
    const struct addr *word, int backlog, int fds[2], struct net_file *,
    struct error *);

/*
 * Behind --chroot and --run-as: can sockets be made in --visitors-dir?  Removes
 * those that a gate which was killed has left there.  0, or -1 and why.
 */
int startup_visitors_dir(const char *dir, struct error *);

/* Opens the log again, where it is, as changed options of a server want it. */
void startup_log(const struct options *);

/* A line of the log if --interface names what is not there now. */
void startup_interface(const struct options *);

/*
 * A connection that was handed over, on descriptor 0, by systemd or by a LISTEN
 * word, is reset when it is closed, until the relay says otherwise: an end before
 * that must not look as if all were delivered.
 */
void startup_reset(const struct options *);

/*
 * Could not start: tells why, and returns the status.  Usage errors (64, 78)
 * are "inetws: MESSAGE" on standard error; they are in the log too where it
 * is not there.  Everything else is an event of the log.
 */
int startup_failed(const struct options *, const struct error *);

/* The same after --chroot, which the message names if there is one. */
int startup_failed_inside(const struct options *, const struct error *);

/*
 * Puts text into huge pages, for all children to share, if the options want it;
 * statistics show what came of it.
 */
void startup_huge_text(const struct options *);

/*
 * Tries the sandbox, for statistics to show what is missing.  GO_ON, or
 * the status to exit with.
 */
int startup_try_sandbox(const struct options *);

#endif
