/* SPDX-License-Identifier: ISC */
/*
 * The sandbox according to the options: --sandbox and what files they name.
 */
#ifndef SANDBOX_ENTER_H
#define SANDBOX_ENTER_H

#include <stddef.h>

#include "config/options.h"
#include "sandbox/sandbox.h"

#define ENTER_MISSING_MAX	64

/*
 * Before the first fork, and when options have changed; after a failure what
 * was prepared before stays.  GO_ON, or the exit status; the reason is
 * logged.
 */
int enter_prepare(const struct options *, enum sandbox_role);

/*
 * In a supervisor, once, after enter_prepare(): tries it in a child.
 * GO_ON, or the exit status: with --sandbox require nothing may be
 * missing.
 */
int enter_try(const struct options *);

/*
 * In a supervisor that has begun: logs what is missing here, and if handshakes,
 * which are outside of the sandbox, run as root.
 */
void enter_warn(const struct options *);

/*
 * In a child that has opened all it needs; program is the process of its program
 * or 0.  GO_ON, or the exit status, the reason being logged: the tunnel must not
 * begin then.
 */
int enter_sandbox(const struct options *, pid_t program);

/*
 * The missing parts, such as "landlock seccomp"; "" if there is none; "off" with
 * --sandbox off.  ENTER_MISSING_MAX bytes are enough.  Returns dst.
 */
char *enter_missing(const struct options *, char *dst, size_t size);

#endif
