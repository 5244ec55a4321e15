/* SPDX-License-Identifier: ISC */
/*
 * A test in a process of its own, which may be changed or killed by it.
 */
#ifndef APART_H
#define APART_H

#include <sys/wait.h>

#include <stdio.h>
#include <unistd.h>

/* What it returns, 0 to 255; 1000 and the signal that ended it; -1. */
static int
run(int (*test)(void))
{
	pid_t pid;
	int status;

	fflush(stdout);
	if ((pid = fork()) == 0)
		_exit(test());
	if (pid == -1 || waitpid(pid, &status, 0) == -1)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    1000 + WTERMSIG(status);
}

/* A busy machine may need longer for a process that is killed to end than
 * process_kill() gives it: what it returns at the best of three times. */
__attribute__((unused))
static int
run_again(int (*test)(void))
{
	int r, i;

	for (i = 0; (r = run(test)) != 0 && i < 2; i++)
		;
	return r;
}

#endif
