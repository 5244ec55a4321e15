/* SPDX-License-Identifier: ISC */
/*
 * What a program says on standard error, where the log is something else:
 * each line becomes one of the log.
 */
#ifndef RUN_SAID_H
#define RUN_SAID_H

/*
 * Begins a process that listens, until nobody holds the other end any more.
 * Returns that end (close-on-exec) for the program to have as its standard
 * error; or -1: it shall have ours.
 */
int said_begin(const char *peer, const char *program);

#endif
