/* SPDX-License-Identifier: ISC */
/*
 * Signals as flags.  The signals that a process handles are blocked
 * everywhere but inside signals_poll(), so that none is lost between testing
 * a flag and going to sleep, and no other call is ever interrupted.
 */
#ifndef OS_SIGNALS_H
#define OS_SIGNALS_H

#include <poll.h>
#include <stdint.h>

/*
 * For every process, first of all: CHLD has its default, without which no exit
 * status could be waited for, and PIPE is ignored; so is USR1, which asks a
 * supervisor for its tunnels and may be sent to all processes of the name.  INT,
 * QUIT and HUP that a launcher ignores (nohup(1), a shell in the background,
 * sftp(1)) stay ignored throughout.
 */
void signals_begin(void);

/*
 * For the supervisor, once: TERM INT QUIT HUP USR1 USR2 CHLD, and INFO where
 * there is one, become flags, PIPE is ignored.
 */
void signals_supervisor(void);

/*
 * For a child of the supervisor, first thing after the fork: forgets what the
 * parent saw; TERM and USR2 are flags, INT HUP USR1 CHLD PIPE do nothing (a
 * terminal sends them to the whole group, and the supervisor decides), QUIT
 * ends it at once.  A TERM sent in between is not lost.
 */
void signals_child(void);

/*
 * For a process that lives as long as another one needs it: TERM and QUIT end
 * it at once, INT and HUP of a terminal do not.
 */
void signals_helper(void);

/*
 * For a process without a supervisor (connect, inetd): TERM INT HUP are flags
 * that mean the same, PIPE is ignored.
 */
void signals_single(void);

/*
 * Until signals_single() is called again: TERM INT HUP, unless ignored, call
 * this at once, which may only do what sigaction(2) allows, and is to end the
 * process.
 */
void signals_at_once(void (*)(int signo));

/* Before an exec: all have their defaults, nothing is blocked. */
void signals_default(void);

/* TERM once it came (signals_single(): or INT, HUP), else 0.  Stays so. */
int signal_terminated(void);

/* Did TERM (signals_single(): or INT) come more than once? */
int signal_again(void);

/*
 * True if it was only HUP: the user of this process is gone, but what was
 * written before may still be read.
 */
int signal_hung_up(void);

/*
 * The child that CHLD named last, or 0; when several end at once, the signal
 * may name just one of them.
 */
int signal_child(void);

/* Has it come since the last call for it? */
int signal_taken(int signo);

/* The same for those that ask for statistics: USR1, and INFO where it is. */
int signal_report_wanted(void);

/*
 * poll(2), the one place where signals come in: -1 and EINTR if one did while
 * nothing was ready.  If descriptors are ready their number is returned; under
 * constant load pending signals are still let in every few calls.
 * timeout in milliseconds, -1 for ever.
 */
int signals_poll(struct pollfd *, nfds_t, int timeout);

/*
 * Waits until a descriptor is ready, and returns how many are; or -1 with
 * errno: ETIMEDOUT at the deadline (of clock_ms()), even if one is ready then;
 * EINTR if nothing is ready and signal_terminated().
 */
int signals_wait(struct pollfd *, nfds_t, int64_t deadline);

/*
 * Writes all of it, and waits for room in signals_wait(): whoever reads may
 * have stopped.  0; or -1 with errno, EINTR if a signal ended it.
 */
int signals_write(int fd, const char *, size_t);

#endif
