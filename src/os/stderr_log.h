/* SPDX-License-Identifier: ISC */
/*
 * The standard error of a program, where the log goes elsewhere or is JSON:
 * each line becomes a line of the log.
 */
#ifndef OS_STDERR_LOG_H
#define OS_STDERR_LOG_H

/*
 * Starts a process that reads lines until all writers have closed the pipe.
 * Returns the writing end (close-on-exec) for the program's standard error; or
 * -1: the program uses ours.
 */
int stderr_log_begin(const char *peer, const char *program);

#endif
