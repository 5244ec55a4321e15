/* SPDX-License-Identifier: ISC */
/*
 * Runs a program to its end, with a time limit; its standard output is the
 * result.
 */
#ifndef OS_COMMAND_H
#define OS_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* What a command may take for one request where --handshake-timeout is off. */
#define COMMAND_LIMIT_MS	10000

/*
 * Runs argv, which is found by PATH, with this environment.  Its standard input
 * is /dev/null.  Its standard error is ours, or the log, as events with this
 * peer ("": none) at level LOG_L_WARN (os/stderr_log.h).  Its standard output
 * goes to out, NUL-terminated; what does not fit into size bytes is dropped.
 *
 * Returns its exit status, 0 to 255; or -1 and why:
 * 71: it cannot be run, was killed by a signal, or exited with 0 and its output
 *     has a NUL, which would hide the rest of it;
 * 75: it did not end by the deadline (of clock_ms()), or the descriptor stop
 *     (-1: none) became readable or ended; it and its process group were
 *     killed, if we may kill it, and its status is left if not.
 */
int command_run(char *const argv[], char *const env[], const char *peer,
    char *out, size_t size, int64_t deadline, int stop, struct error *);

/*
 * Does PATH lead to this program, and may we execute it?  0, or -1 with errno.
 */
int command_exists(const char *program);

#endif
