/* SPDX-License-Identifier: ISC */
/*
 * A process that runs a command when its parent asks for it; the parent is in
 * the sandbox and must not run programs.  The process has no descriptor of its
 * parent but their socket and the log, and ends when the parent does.
 */
#ifndef OS_COMMAND_HELPER_H
#define OS_COMMAND_HELPER_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define COMMAND_HELPER_OUT_MAX	8192	/* bytes of output, with the NUL */

struct command_helper {
	pid_t pid;		/* 0: there is none */
	int fd;			/* readable when there may be an answer */
	uint64_t asked;		/* number of the last question */
	int64_t until;		/* of clock_ms(): then it is answered */
};

/*
 * Starts the process, before the sandbox is entered.  argv and env must stay.
 * forget(arg) is called in the new process, to wipe secrets that it does not
 * need.  0, or -1 with errno.
 */
int command_helper_start(struct command_helper *, char *const argv[],
    char *const env[], void (*forget)(void *arg), void *arg);

/*
 * Asks to run the command once, for at most ms milliseconds.  A command that
 * still runs for an earlier question is killed.  0, and ->asked is the number
 * of this question; or -1 and why.
 */
int command_helper_ask(struct command_helper *, int64_t ms, struct error *);

/*
 * Takes the answer to the question with this number, without waiting.  0: there
 * is none yet; there may be one when ->fd is readable, or at ->until.  1:
 * *status, out (of COMMAND_HELPER_OUT_MAX bytes) and why are as command_run()
 * returns them.  Output that does not fit is an error (71); so is a question
 * that was asked meanwhile (75).
 */
int command_helper_answer(struct command_helper *, uint64_t number,
    int *status, char *out, struct error *);

/*
 * Ends the process, and a command that it runs.  Does nothing if there is none.
 */
void command_helper_end(struct command_helper *);

#endif
