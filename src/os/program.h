/* SPDX-License-Identifier: ISC */
/*
 * A program with a socket, or two pipes, as its standard input and output.
 */
#ifndef OS_PROGRAM_H
#define OS_PROGRAM_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

struct program {
	pid_t pid;		/* 0: there is none */
	int ended;
	int status;		/* as of waitpid(2), once it has ended */
};

/*
 * Runs argv[0], found by PATH, in a session of its own.  One end of a socket
 * pair becomes its descriptors 0 and 1, or with pipes one end of each of two;
 * 2 is err, or ours if that is -1; it has no others.  Signals have their
 * defaults; on Linux it is sent HUP when we die.  0 once it runs, with our end
 * in fd (non-blocking, close-on-exec), to read from and to write to: the same
 * one twice for a socket pair.  Or -1 with errno: that of execvp(3), or
 * ETIMEDOUT.
 */
int program_start(struct program *, char *const *argv, char **env, int err,
    int pipes, int fd[2], int64_t deadline);

/* HUP to the program and whatever it has started in its group. */
void program_hangup(const struct program *);

/* Has it ended?  Never waits. */
int program_ended(struct program *);

/* The same, but waits until the deadline or a signal that ends us. */
int program_wait(struct program *, int64_t deadline);

/* Has a signal ended it?  Waits as above. */
int program_killed(struct program *, int64_t deadline);

/* "exit 1", "signal 9" or "running".  Returns dst. */
char *program_print(const struct program *, char *dst, size_t size);

#endif
