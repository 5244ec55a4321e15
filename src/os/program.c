/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>
#include <sys/wait.h>
#ifdef HAVE_LINUX
#include <sys/prctl.h>
#endif

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/fd.h"
#include "os/process.h"
#include "os/program.h"
#include "os/signals.h"

#define TELL_FD		3	/* the pipe that tells why execvp(3) failed */
#define STEP_FIRST	1	/* ms between the first two polls, doubled */
#define STEP_MAX	50	/* ... each time up to this */

extern char **environ;

/* All descriptors here are above 2, since inherit_stderr() opened 0 to 2. */
static void
arrange(const int fd[2], int err, int tell)
{
	if (err != -1 && dup2(err, STDERR_FILENO) == -1)
		return;
	if (dup2(fd[0], STDIN_FILENO) == -1 ||
	    dup2(fd[1], STDOUT_FILENO) == -1)
		return;
	if (tell != TELL_FD && dup3(tell, TELL_FD, O_CLOEXEC) == -1)
		return;
	closefrom(TELL_FD + 1);
}

/* In the new process: becomes the program, or writes errno to tell. */
static _Noreturn void
become(char *const *argv, char **env, const int fd[2], int err, int tell)
{
	int error;

	setsid();
#ifdef HAVE_LINUX
	prctl(PR_SET_PDEATHSIG, SIGHUP);
#endif
	arrange(fd, err, tell);
	signals_default();
	fd_limit_restore();
	environ = env;
	execvp(argv[0], argv);
	error = errno;
	if (write(TELL_FD, &error, sizeof(error)) == -1)
		_exit(126);
	_exit(127);
}

/* The errno of the new process; 0: it has become the program. */
static int
read_errno(int tell, int64_t deadline)
{
	struct pollfd p = { .fd = tell, .events = POLLIN };
	int error;

	if (signals_wait(&p, 1, deadline) == -1)
		return errno;
	if (read(tell, &error, sizeof(error)) == sizeof(error))
		return error;
	return 0;
}

/* Closes two descriptors, which may be the same one.  Keeps errno. */
static void
close_pair(const int fd[2])
{
	int error = errno;

	close(fd[0]);
	if (fd[1] != fd[0])
		close(fd[1]);
	errno = error;
}

/* ours, theirs: to read from, to write to.  0, or -1 with errno. */
static int
make_sockets(int ours[2], int theirs[2])
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == -1)
		return -1;
	ours[0] = ours[1] = fd[0];
	theirs[0] = theirs[1] = fd[1];
	return 0;
}

static int
make_pipes(int ours[2], int theirs[2])
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) == -1)
		return -1;
	if (pipe2(out, O_CLOEXEC) == -1) {
		close_pair(in);
		return -1;
	}
	ours[0] = out[0];
	ours[1] = in[1];
	theirs[0] = in[0];
	theirs[1] = out[1];
	return 0;
}

static int
failed(struct program *p, const int fd[2], int error)
{
	(void)process_kill(p->pid);	/* a file system may hold it */
	p->pid = 0;
	close_pair(fd);
	errno = error;
	return -1;
}

int
program_start(struct program *p, char *const *argv, char **env, int err,
    int pipes, int fd[2], int64_t deadline)
{
	int theirs[2], tell[2], error;

	memset(p, 0, sizeof(*p));
	if ((pipes ? make_pipes(fd, theirs) : make_sockets(fd, theirs)) == -1)
		return -1;
	if (pipe2(tell, O_CLOEXEC) == -1) {
		close_pair(fd);
		close_pair(theirs);
		return -1;
	}
	if ((p->pid = fork()) == 0)
		become(argv, env, theirs, err, tell[1]);
	close_pair(theirs);
	if (p->pid == -1) {
		p->pid = 0;
		close_pair(fd);
		close_pair(tell);
		return -1;
	}
	close(tell[1]);
	error = read_errno(tell[0], deadline);
	close(tell[0]);
	if (error == 0 && (fd_nonblock(fd[0]) == -1 ||
	    fd_nonblock(fd[1]) == -1))
		error = errno;
	return error == 0 ? 0 : failed(p, fd, error);
}

void
program_hangup(const struct program *p)
{
	if (p->pid > 0)
		kill(-p->pid, SIGHUP);
}

int
program_ended(struct program *p)
{
	if (p->pid > 0 && !p->ended &&
	    waitpid(p->pid, &p->status, WNOHANG) == p->pid)
		p->ended = 1;
	return p->pid == 0 || p->ended;
}

/*
 * There is no portable way to wait for a child with a time limit, so it polls.
 */
int
program_wait(struct program *p, int64_t deadline)
{
	int64_t now;
	int step = STEP_FIRST;

	while (!program_ended(p) && (now = clock_ms()) < deadline) {
		if (deadline - now < step)
			step = (int)(deadline - now);
		if (signals_poll(NULL, 0, step) == -1 && signal_terminated())
			break;
		if ((step *= 2) > STEP_MAX)
			step = STEP_MAX;
	}
	return program_ended(p);
}

int
program_killed(struct program *p, int64_t deadline)
{
	return p->pid > 0 && program_wait(p, deadline) &&
	    WIFSIGNALED(p->status);
}

char *
program_print(const struct program *p, char *dst, size_t size)
{
	if (!p->ended)
		strlcpy(dst, "running", size);
	else if (WIFSIGNALED(p->status))
		snprintf(dst, size, "signal %d", WTERMSIG(p->status));
	else
		snprintf(dst, size, "exit %d", WEXITSTATUS(p->status));
	return dst;
}
