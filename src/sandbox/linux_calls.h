/* SPDX-License-Identifier: ISC */
/*
 * Private to linux.c: the table of system calls.
 */
#ifndef SANDBOX_LINUX_CALLS_H
#define SANDBOX_LINUX_CALLS_H

#include <sys/types.h>

struct sock_fprog;

/*
 * Before a fork: assembles the filter, for a process that dials or not and has
 * a program to hang up or not.
 */
void sandbox_calls_prepare(int dials, int has_program);

/* The assembled filter; NULL where there is no table for the architecture. */
const struct sock_fprog *sandbox_calls_program(void);

/*
 * The program's process, whose group may be sent HUP; 0: there is none.  For a
 * filter with a program; to be called before sandbox_calls_enter().
 */
void sandbox_calls_set_program(pid_t);

/*
 * From now on this process makes the listed system calls and no others.
 * no_new_privs must be set.  0, or -1 with errno; ENOSYS: there is no table,
 * or the kernel has no such filters.
 */
int sandbox_calls_enter(void);

/* In a debugging build: logs a refused call, and exits with 71. */
void sandbox_calls_tell_refused(void);

#endif
