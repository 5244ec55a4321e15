/* SPDX-License-Identifier: ISC */
/*
 * What a relaying child may do: very little.  One file per system, chosen by
 * the Makefile: linux.c (Landlock, seccomp, no_new_privs, capabilities),
 * openbsd.c (pledge and unveil), none.c.
 *
 * On Linux a call that is not in the table fails with EPERM, so that a library
 * that tries something unforeseen can take another way and no tunnel is lost.
 * What only an intruder does (executing a program, reading other processes,
 * another architecture's calls) kills the process, and its supervisor logs
 * that.
 *
 * make SANDBOX_DEBUG=1 builds a program that names the refused call in the
 * log and exits with 71.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <sys/types.h>

enum sandbox_role {
	/*
	 * Reads, writes, polls and closes its descriptors, accepts and
	 * receives descriptors (accept4, recvmsg), makes pipes, sets socket
	 * options, allocates memory, waits for children, exits.
	 */
	SANDBOX_RELAY,
	/* SANDBOX_RELAY, and sends HUP to the program that it started. */
	SANDBOX_PROGRAM,
	/*
	 * SANDBOX_RELAY, and looks names up, connects, reads the system's
	 * configuration, libraries and certificates.
	 */
	SANDBOX_REDIAL,
	/* SANDBOX_REDIAL, and its target is an abstract Unix socket. */
	SANDBOX_REDIAL_ABSTRACT,
	/* SANDBOX_REDIAL and SANDBOX_PROGRAM. */
	SANDBOX_REDIAL_PROGRAM
};

/* The parts of a sandbox, of which a system may lack some; bits. */
enum {
	SANDBOX_NO_NEW_PRIVS = 1,
	SANDBOX_CAPABILITIES = 2,	/* root's are dropped */
	SANDBOX_FILES = 4,		/* Landlock; unveil */
	SANDBOX_CALLS = 8,		/* seccomp; pledge */
	SANDBOX_PARTS = 15
};

#define SANDBOX_READABLE_MAX	16

/*
 * Before the first fork: does what is expensive.  May be called again; if that
 * fails, what was prepared before stays in force.  0, or -1 with errno.
 *
 * readable[0..n-1], SANDBOX_READABLE_MAX at most, are further paths that a
 * SANDBOX_REDIAL may read; they must stay.  A folder stands for everything below
 * it, and for the files that symbolic links directly in it lead to.  NULL, and a
 * path that does not exist, are skipped.
 *
 * What was prepared is remembered in static variables and in a descriptor that
 * is close-on-exec.
 */
int sandbox_prepare(enum sandbox_role, const char *const *readable,
    unsigned int n);

/*
 * Tries in a child of its own what was prepared.  Parts that fail there are
 * missing: they are not tried again.  0, or -1 with errno: no child.
 */
int sandbox_try(void);

/* The parts that are missing. */
unsigned int sandbox_missing(void);

/*
 * Enters what was prepared, without what is missing; there is no way back, not
 * by an exec either.  To be called when everything is open, the log too.
 * program is the process of the program that was started, which stays outside,
 * or 0.  0, or -1 with errno if a part fails that did not fail in
 * sandbox_try(): the process must not go on then.  Without sandbox_try() this
 * is the try: a part that fails is missing.
 */
int sandbox_enter(pid_t program);

#endif
