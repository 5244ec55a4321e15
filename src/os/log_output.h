/* SPDX-License-Identifier: ISC */
/*
 * Where lines of the log go: standard error or syslogd.  Neither may hold up
 * the process that writes: a line that finds no room, in a child within a
 * moment, in a supervisor at once, is lost, and counted.
 */
#ifndef OS_LOG_OUTPUT_H
#define OS_LOG_OUTPUT_H

#include <stddef.h>

/*
 * Standard error, or with an ident syslogd, for lines of this facility of
 * syslog(3).  A socket that is open already is kept, as its path may be out of
 * reach now.  To be called after closefrom(3): a descriptor is held open.
 */
void log_output_open(const char *ident, int facility);

/*
 * Before children are forked that log: they count lost lines together.  From
 * then on this process waits for no log; a child of it may again, for one line,
 * after log_output_wait().
 */
void log_output_share(void);
void log_output_wait(void);

/* Moves the descriptor to this number, or closes that if there is none. */
void log_output_move(int fd);

/*
 * Connects to a syslogd that was restarted by sending to its path only: what
 * connect(2) does is forbidden from now on.
 */
void log_output_restrict(void);

/* Writes a line that ends in a newline; level is syslog(3)'s.  0, or -1. */
int log_output_write(int level, const char *line, size_t len);

/* The same on standard error, wherever the log goes. */
int log_output_print(const char *line, size_t len);

/*
 * How many lines were lost since the last call, in all processes forked after
 * log_output_share().  log_output_lose() adds some: a line that says how many
 * may be lost too.
 */
unsigned int log_output_lost(void);
void log_output_lose(unsigned int);

#endif
