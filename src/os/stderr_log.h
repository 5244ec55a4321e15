/* SPDX-License-Identifier: ISC */
/*
 * Logs the standard error of a program, an event "program-stderr" for each
 * line.  That is done if the log goes somewhere else than to standard error, or
 * if it is JSON there, which other text would break.
 */
#ifndef OS_STDERR_LOG_H
#define OS_STDERR_LOG_H

#include "os/log.h"

/*
 * Starts a process that reads a pipe, and logs its lines at this level until
 * all writers have closed it.  That process is no child of this one, so nobody
 * has to wait for it.  peer and program are values of the events; with peer ""
 * they have none.
 *
 * Returns the writing end (close-on-exec), which becomes the program's standard
 * error and which the caller closes; or -1: the program shall use our standard
 * error, because there is no need of a process, or none could be started.
 */
int stderr_log_begin(enum log_level, const char *peer, const char *program);

#endif
