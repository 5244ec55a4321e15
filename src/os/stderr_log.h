/* SPDX-License-Identifier: ISC */
/*
 * What a program says on standard error, where the log is something else:
 * each line becomes one of the log.
 */
#ifndef OS_STDERR_LOG_H
#define OS_STDERR_LOG_H

/*
 * Begins a process that listens, until nobody holds the other end any more.
 * Returns that end (close-on-exec) for the program to have as its standard
 * error; or -1: it shall have ours.
 */
int stderr_log_begin(const char *peer, const char *program);

#endif
