/* SPDX-License-Identifier: ISC */
/*
 * A process that is killed and does not end, since another one that traces it
 * looks away.
 */
#ifndef HOLD_H
#define HOLD_H

#include <sys/types.h>
#include <sys/wait.h>

#include <signal.h>
#include <unistd.h>

#define SKIPPED	77

#ifdef HAVE_LINUX
#include <sys/prctl.h>
#include <sys/ptrace.h>

/* The tracer of a child of ours, or -1 if the system refuses it. */
static pid_t
hold(pid_t child)
{
	int p[2];
	char done = 0;
	pid_t pid;

	if (pipe(p) == -1)
		return -1;
	if ((pid = fork()) == 0) {
		done = ptrace(PTRACE_SEIZE, child, NULL, NULL) == 0;
		if (write(p[1], &done, 1) != 1 || !done)
			_exit(0);
		for (;;)
			pause();
	}
	if (read(p[0], &done, 1) != 1)
		done = 0;
	close(p[0]);
	close(p[1]);
	if (!done)
		waitpid(pid, NULL, 0);
	return done ? pid : -1;
}

#else

static pid_t
hold(pid_t child)
{
	return -1;
}

#endif

static void
let_go(pid_t tracer)
{
	kill(tracer, SIGKILL);
	waitpid(tracer, NULL, 0);
}

#endif
