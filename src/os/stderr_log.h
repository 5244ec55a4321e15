/* SPDX-License-Identifier: ISC */
/*
 * Logs the standard error of a program, line by line, if the log does not go to
 * standard error or is JSON.
 */
#ifndef OS_STDERR_LOG_H
#define OS_STDERR_LOG_H

/*
 * Starts a process that logs lines until all writers have closed the pipe.  The
 * writing end (close-on-exec), for the program's standard error; or -1: the
 * program is to use ours.
 */
int stderr_log_begin(const char *peer, const char *program);

#endif
