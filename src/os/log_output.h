/* SPDX-License-Identifier: ISC */
/*
 * Private to os: where the lines of the log go, to standard error or to
 * syslogd.  Neither may stop the process.  A line that finds no room (in a
 * child, within a moment; in a supervisor, at once) is lost and counted.
 */
#ifndef OS_LOG_OUTPUT_H
#define OS_LOG_OUTPUT_H

#include <stddef.h>

/*
 * Opens standard error (ident NULL), or syslogd, for lines with this ident and
 * facility of syslog(3).  A socket of syslogd that is open is kept, as its path
 * may be out of reach by now.  To be called after closefrom(3), because it
 * holds a descriptor open.
 */
void log_output_open(const char *ident, int facility);

/*
 * As log_share() and log_wait().
 */
void log_output_share(void);
void log_output_wait(void);

/*
 * Moves its descriptor to this number; closes that number if it has no
 * descriptor of its own.
 */
void log_output_move(int fd);

/*
 * The sandbox forbids connect(2) from now on: a syslogd that was restarted is
 * reached by its path.
 */
void log_output_restrict(void);

/*
 * Writes a line, with its newline; level as of syslog(3).  0, or -1: it is
 * lost.
 */
int log_output_write(int level, const char *line, size_t len);

/* Writes a line to standard error, wherever the log goes. */
int log_output_print(const char *line, size_t len);

/*
 * How many lines were lost since the last call, in all processes that were
 * forked after log_output_share().  log_output_lose() adds to that number.
 */
unsigned int log_output_lost(void);
void log_output_lose(unsigned int);

#endif
