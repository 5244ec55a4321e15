/* SPDX-License-Identifier: ISC */
/*
 * Private to sandbox_linux.c: the table of system calls.
 */
#ifndef SANDBOX_LINUX_CALLS_H
#define SANDBOX_LINUX_CALLS_H

struct sock_fprog;

/*
 * Before a fork: puts the program together, for a process that dials or does
 * not, and has a program to hang up or has not.  In a debugging build refused
 * calls are told from now on.
 */
void sandbox_calls_prepare(int dials, int has_program);

/* What was put together; NULL where there is no table for the architecture. */
const struct sock_fprog *sandbox_calls_program(void);

/*
 * From now on this process makes those system calls and no others.
 * no_new_privs must be set.  0, or -1 with errno.
 */
int sandbox_calls_enter(void);

#endif
