/* SPDX-License-Identifier: ISC */
/*
 * Logs the standard error of a program, line by line, if the log does not go to
 * standard error or is JSON.
 */
#ifndef OS_STDERR_LOG_H
#define OS_STDERR_LOG_H

#include "os/log.h"

/*
 * Starts a process that logs lines until all writers have closed the pipe.  It
 * is no child of this one.  The writing end (close-on-exec), for the program's
 * standard error; or -1: the program is to use ours.  peer may be "".
 */
int stderr_log_begin(enum log_level, const char *peer, const char *program);

#endif
