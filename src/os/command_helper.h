/* SPDX-License-Identifier: ISC */
/*
 * A process that runs a command on request, for a parent whose sandbox no
 * longer permits it.  It keeps only the socket to its parent open, and ends
 * with it.
 */
#ifndef OS_COMMAND_HELPER_H
#define OS_COMMAND_HELPER_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define COMMAND_HELPER_OUT_MAX	8192	/* bytes of output, with its NUL */

struct command_helper {
	pid_t pid;		/* 0: there is none */
	int fd;			/* readable: an answer may be there */
	uint64_t asked;		/* questions so far: their numbers */
	int64_t until;		/* of clock_ms(): the last has its answer */
};

/*
 * To be called before the sandbox is entered.  argv and env must stay.
 * mute: the command's standard error is /dev/null.  forget is called in the
 * new process, with arg, to wipe secrets it does not need.  0, or -1 with
 * errno.
 */
int command_helper_start(struct command_helper *, char *const argv[],
    char *const env[], int mute, void (*forget)(void *arg), void *arg);

/*
 * Has the command run once, for so many milliseconds at most; one that still
 * runs for an earlier question is killed.  0: ->asked is the question's
 * number; or -1 and why.
 */
int command_helper_ask(struct command_helper *, int64_t ms, struct error *);

/*
 * Takes the answer to a question, without waiting.  1: *status is as that of
 * command_run(), and so are out, of COMMAND_HELPER_OUT_MAX bytes, and why;
 * output that does not fit is an error (71), and so is another question since
 * (75).  0: there is none yet; it may be when ->fd is readable, or at ->until.
 */
int command_helper_answer(struct command_helper *, uint64_t number,
    int *status, char *out, struct error *);

/* Ends a command that runs, too.  Harmless if there is none. */
void command_helper_end(struct command_helper *);

#endif
