/* SPDX-License-Identifier: ISC */
/*
 * Signals as flags.  The signals that a process handles are blocked except
 * within signals_poll() and signals_write().  So none is lost between a look at a
 * flag and the next wait, and no other system call is interrupted.
 */
#ifndef OS_SIGNALS_H
#define OS_SIGNALS_H

#include <poll.h>
#include <stdint.h>

/*
 * For every process, first of all.  CHLD gets its default, as exit statuses
 * could not be waited for otherwise.  PIPE is ignored; so is USR1 until
 * signals_supervisor(), since a user may send it to all processes with our
 * name.  INT, QUIT and HUP stay ignored if the launcher ignores them (nohup(1),
 * a shell for commands in the background, sftp(1)).
 */
void signals_begin(void);

/*
 * For the supervisor: TERM, INT, QUIT, HUP, USR1, USR2, CHLD, and INFO if the
 * system has it, become flags; PIPE is ignored.
 */
void signals_supervisor(void);

/*
 * For a child of the supervisor, first of all after the fork.  The flags of the
 * parent are cleared.  TERM and USR2 are flags; a TERM that came since the fork
 * is not lost.  QUIT ends the process at once.  INT, HUP, USR1, CHLD and PIPE
 * have no effect: a terminal sends some of them to the whole process group, and
 * the supervisor decides what they mean.
 */
void signals_child(void);

/*
 * For a process that another one needs: TERM and QUIT end it at once, INT and
 * HUP of a terminal do not.
 */
void signals_helper(void);

/*
 * For a process without a supervisor (connect, inetd, check): TERM, INT and HUP
 * are flags, and each of them ends it; PIPE is ignored.
 */
void signals_single(void);

/*
 * Until the next signals_single(): TERM, INT and HUP, unless ignored, call
 * end() at once, wherever the process is.  It may only call what
 * signal-safety(7) lists, and must end the process.
 */
void signals_at_once(void (*end)(int signo));

/* Before an exec: all signals get their defaults, and none is blocked. */
void signals_default(void);

/*
 * The number of the signal that ends this process (TERM; single: INT or HUP
 * too), or 0.
 */
int signal_terminated(void);

/*
 * Is TERM a flag just now, so that it has no effect in a call that waits outside
 * signals_poll()?
 */
int signals_are_flags(void);

/* Did TERM (single: or INT) come more than once? */
int signal_again(void);

/*
 * Was it HUP alone?  Then the terminal of this process is gone, but what was
 * written before may still be read.
 */
int signal_hung_up(void);

/*
 * The child that the last CHLD named, or 0.  When several children end at once,
 * only one of them may be named.
 */
int signal_child(void);

/* Did this signal come since the last call for it? */
int signal_taken(int signo);

/*
 * The same for signals that ask for statistics: USR1, and INFO if there is one.
 */
int signal_report_wanted(void);

/*
 * poll(2), within which signals are delivered.  timeout in milliseconds, -1: no
 * limit.  -1 with EINTR if a signal came, now or in signals_write(), and no
 * descriptor was ready.  If
 * descriptors are ready, their number; then pending signals are delivered in
 * every 16th call only.
 */
int signals_poll(struct pollfd *, nfds_t, int timeout);

/*
 * Waits until a descriptor is ready.  Their number; or -1 with errno: ETIMEDOUT
 * from the deadline on (of clock_ms()), even if one is ready; EINTR if none is
 * ready and signal_terminated().
 */
int signals_wait(struct pollfd *, nfds_t, int64_t deadline);

/*
 * Writes all of a text; waits in signals_wait() while there is no room, as the
 * reader may have stopped.  0, or -1 with errno; EINTR: a signal ended it.
 */
int signals_write(int fd, const char *, size_t);

#endif
