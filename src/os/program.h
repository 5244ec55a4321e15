/* SPDX-License-Identifier: ISC */
/*
 * A program as the stream of a tunnel: its standard input and output are a
 * socket, or two pipes.
 */
#ifndef OS_PROGRAM_H
#define OS_PROGRAM_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

struct program {
	pid_t pid;		/* 0: there is none */
	int ended;		/* 1: waitpid(2) has returned it */
	int status;		/* of waitpid(2), then */
};

/*
 * Runs argv[0], which is found by PATH, in a session of its own.  Its
 * descriptors 0 and 1 are one end of a socket pair, or, with pipes, an end of
 * each of two pipes.  Its descriptor 2 is err, or ours if that is -1.  It has
 * no other descriptors.  Signals have their defaults; on Linux it gets HUP when
 * this process ends.
 *
 * 0: it runs, and fd has our descriptors, to read from and to write to (the
 * same one for a socket pair), non-blocking and close-on-exec.  -1 with errno:
 * that of execvp(3), or ETIMEDOUT at the deadline.
 */
int program_start(struct program *, char *const *argv, char **env, int err,
    int pipes, int fd[2], int64_t deadline);

/* Sends HUP to the process group of the program. */
void program_hangup(const struct program *);

/* Has it ended?  Never waits. */
int program_ended(struct program *);

/* The same, but waits until the deadline, or until signal_terminated(). */
int program_wait(struct program *, int64_t deadline);

/* Did a signal end it?  Waits in the same way. */
int program_killed(struct program *, int64_t deadline);

/* "exit 1", "signal 9" or "running".  Returns dst. */
char *program_print(const struct program *, char *dst, size_t size);

#endif
