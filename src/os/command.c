/* SPDX-License-Identifier: ISC */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/command.h"
#include "os/fd.h"
#include "os/process.h"
#include "os/signals.h"
#include "os/stderr_log.h"

#define LOOK_EVERY	5	/* ms between two looks whether it has exited */

/*
 * In the new process: becomes the program, with out as its standard output and
 * err (-1: ours) as its standard error.
 */
static _Noreturn void
become(char *const argv[], char *const env[], int err, int out)
{
	int null = fd_null(O_RDWR);

	setpgid(0, 0);
	/* a descriptor that is in its place already would stay close-on-exec */
	if (null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(out, STDOUT_FILENO) == -1 ||
	    (err != -1 && dup2(err, STDERR_FILENO) == -1))
		_exit(127);
	closefrom(STDERR_FILENO + 1);
	signals_default();
	fd_limit_restore();
	execvpe(argv[0], argv, env);
	_exit(127);
}

/* Is it a file that may be executed?  0, or -1 with errno. */
static int
is_executable(const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return -1;
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return -1;
	}
	return access(path, X_OK);
}

int
command_exists(const char *program)
{
	const char *dir = getenv("PATH");
	char path[PATH_MAX];
	int error = ENOENT;
	size_t n;

	if (strchr(program, '/') != NULL)
		return is_executable(program);
	for (dir = dir != NULL ? dir : "/bin:/usr/bin";; dir += n + 1) {
		n = strcspn(dir, ":");
		if (snprintf(path, sizeof(path), "%.*s%s%s", (int)n, dir,
		    n > 0 ? "/" : "", program) < (int)sizeof(path) &&
		    is_executable(path) == 0)
			return 0;
		if (errno == EACCES)
			error = errno;
		if (dir[n] == '\0')
			break;
	}
	errno = error;
	return -1;
}

/*
 * Waits until fd is readable, or, if the output has ended (fd -1), for
 * LOOK_EVERY.  0, or -1 if the program has to be killed.
 */
static int
wait_more(int fd, int stop, int64_t deadline)
{
	struct pollfd p[] = { { .fd = stop, .events = POLLIN },
	    { .fd = fd, .events = POLLIN } };
	int64_t look = clock_ms() + LOOK_EVERY;

	if (fd != -1)
		return signals_wait(p, 2, deadline) == -1 ||
		    p[0].revents != 0 ? -1 : 0;
	if (clock_ms() >= deadline || signal_terminated())
		return -1;
	return signals_wait(p, 1, look) > 0 ? -1 : 0;
}

/* Reads all output.  The length of what is in out, or -1 at the deadline. */
static ssize_t
read_all(int fd, char *out, size_t size, int64_t deadline, int stop)
{
	char waste[512];
	size_t len = 0;
	ssize_t n;

	for (;;) {
		if (wait_more(fd, stop, deadline) == -1)
			return -1;
		if (len < size - 1)
			n = read(fd, out + len, size - 1 - len);
		else
			n = read(fd, waste, sizeof(waste));
		if (n == 0)
			return (ssize_t)len;
		if (n == -1 && errno != EINTR && errno != EAGAIN)
			return (ssize_t)len;
		if (n > 0 && len < size - 1)
			len += n;
		out[len] = '\0';
	}
}

/* Waits until the program ends.  0 and *status, or -1 at the deadline. */
static int
wait_for(pid_t pid, int *status, int64_t deadline, int stop)
{
	pid_t got;

	for (;;) {
		got = waitpid(pid, status, WNOHANG);
		if (got == pid)
			return 0;
		if ((got == -1 && errno != EINTR) ||
		    wait_more(-1, stop, deadline) == -1)
			return -1;
	}
}

/*
 * Kills the program, which may have left its process group, and then that, of
 * which it may have left others.  Why there is no result; 75.
 */
static int
give_up(pid_t pid, const char *name, struct error *why)
{
	int had_ended = process_has_ended(pid), lives;

	kill(-pid, SIGKILL);
	lives = process_kill(pid) == -1;
	return error_set(why, EXIT_AGAIN, "%s: %s", name, lives ?
	    "took too long and cannot be killed: it goes on" :
	    signal_terminated() ? "interrupted" : had_ended ?
	    "left a process that kept its output open" :
	    "took too long and was killed");
}

/*
 * Starts the program in a process group of its own.  *output is the reading end
 * of its standard output.  Its pid, or -1 with errno.
 */
static pid_t
start(char *const argv[], char *const env[], int err, int *output)
{
	int fd[2], e;
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC) == -1)
		return -1;
	if ((pid = fork()) == 0)
		become(argv, env, err, fd[1]);
	e = errno;
	close(fd[1]);
	if (pid == -1) {
		close(fd[0]);
		errno = e;
		return -1;
	}
	setpgid(pid, pid);
	*output = fd[0];
	return pid;
}

int
command_run(char *const argv[], char *const env[], const char *peer, char *out,
    size_t size, int64_t deadline, int stop, struct error *why)
{
	int err = stderr_log_begin(LOG_L_WARN, peer, argv[0]);
	int output, status = 0, late;
	ssize_t len;
	pid_t pid;

	out[0] = '\0';
	if ((pid = start(argv, env, err, &output)) == -1)
		error_set(why, EXIT_SYSTEM, "%s: %s", argv[0], strerror(errno));
	if (err != -1)
		close(err);
	if (pid == -1)
		return -1;
	late = (len = read_all(output, out, size, deadline, stop)) == -1 ||
	    wait_for(pid, &status, deadline, stop) == -1;
	close(output);
	if (late)
		return give_up(pid, argv[0], why);
	if (WIFSIGNALED(status))
		return error_set(why, EXIT_SYSTEM, "%s: killed by signal %d",
		    argv[0], WTERMSIG(status));
	if (WEXITSTATUS(status) == 127)
		return error_set(why, EXIT_SYSTEM, "%s: cannot be run",
		    argv[0]);
	if (WEXITSTATUS(status) == 0 && strlen(out) != (size_t)len)
		return error_set(why, EXIT_SYSTEM, "%s: NUL in its output",
		    argv[0]);
	return WEXITSTATUS(status);
}
