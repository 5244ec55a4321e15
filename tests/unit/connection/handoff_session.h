/* SPDX-License-Identifier: ISC */
/*
 * A session, and processes that keep it or bring its connections.
 */
#ifndef HANDOFF_SESSION_H
#define HANDOFF_SESSION_H

#include <sys/wait.h>

#include <stdlib.h>
#include <unistd.h>

static char session[33];

/* A name that no other run has. */
static void
invent(void)
{
	static const char digits[] = "0123456789abcdef";
	int i;

	for (i = 0; i < 32; i++)
		session[i] = digits[arc4random_uniform(16)];
}

/* Runs f in another process; its exit status is what f returns. */
static pid_t
aside(int (*f)(void))
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(f());
	return pid;
}

static int
status_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

#endif
