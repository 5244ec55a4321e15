/* SPDX-License-Identifier: ISC */
/*
 * A program that answers a question: it is run to its end within a time
 * limit, and its standard output is the answer.
 */
#ifndef OS_COMMAND_H
#define OS_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * Runs argv, found by PATH, with this environment, /dev/null as its input and
 * our standard error (/dev/null if mute).  What it writes goes to out,
 * terminated; what does not fit is thrown away.  Its exit status, 0 to 255;
 * or -1 and why: 71 if it cannot be run, was killed by a signal, or exited with
 * 0 after it wrote a NUL, which would hide the output behind it; 75 at the
 * deadline (of clock_ms()), or when the descriptor stop, unless -1, becomes
 * readable or ends: it and its process group are killed.
 */
int command_run(char *const argv[], char *const env[], int mute, char *out,
    size_t size, int64_t deadline, int stop, struct error *);

/*
 * Would execvp(3) find this program, and may it be executed?  0, or -1 with
 * errno.
 */
int command_exists(const char *program);

#endif
