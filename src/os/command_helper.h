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
	int fd;
	uint64_t asked;		/* questions so far: their numbers */
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
 * Runs the command once.  As command_run(); out has COMMAND_HELPER_OUT_MAX
 * bytes, and output that does not fit is an error (71).
 */
int command_helper_ask(struct command_helper *, char *out,
    int64_t deadline, struct error *);

/* Harmless if there is none. */
void command_helper_end(struct command_helper *);

#endif
