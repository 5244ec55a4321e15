/* SPDX-License-Identifier: ISC */
/*
 * Private to sandbox_linux.c: the table of system calls.
 */
#ifndef OS_SANDBOX_LINUX_CALLS_H
#define OS_SANDBOX_LINUX_CALLS_H

#include "os/sandbox.h"

/* For a debugging build: refused calls are told. */
void sandbox_calls_prepare(void);

/*
 * From now on this process makes the role's system calls and no others.
 * no_new_privs must be set.  0, or -1 with errno.
 */
int sandbox_calls_enter(enum sandbox_role);

#endif
