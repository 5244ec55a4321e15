/* SPDX-License-Identifier: ISC */
/*
 * A program as the stream of a tunnel.
 *
 * If it fails: a program gets descriptors or signals that are not its own, is
 * left running without its tunnel, or its end is told wrongly.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apart.h"
#include "forks.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/program.h"
#include "os/signals.h"
#include "tap.h"

static int
start(struct program *p, const char *script, int pipes, int fd[2])
{
	static char path[] = "PATH=/usr/bin:/bin", mark[] = "MARK=env";
	static char *env[] = { path, mark, NULL };
	char sh[] = "sh", c[] = "-c", text[500], *argv[] = { sh, c, text, NULL };

	strlcpy(text, script, sizeof(text));
	return program_start(p, argv, env, -1, pipes, fd, clock_after(20000));
}

static void
stop(struct program *p, const int fd[2])
{
	close(fd[0]);
	if (fd[1] != fd[0])
		close(fd[1]);
	program_wait(p, clock_after(20000));
}

/* All that it writes until it ends. */
static const char *
said(int fd)
{
	static char text[1000];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t len = 0;
	ssize_t n;

	while (poll(&p, 1, 20000) == 1 && len < sizeof(text) - 1 &&
	    (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += n;
	text[len] = '\0';
	return text;
}

static int
is_set(int fd)
{
	return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 &&
	    (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

static void
test_runs(int pipes)
{
	int fd[2], before = count_open();
	struct program p;
	char text[20];

	is(start(&p, "read x; echo $x $MARK; exit 3", pipes, fd), 0, "it runs");
	is(fd[0] == fd[1], !pipes, "a socket is one descriptor, pipes are two");
	is(count_open(), before + 1 + pipes, "none is open but its own");
	ok(is_set(fd[0]) && is_set(fd[1]), "non-blocking, close-on-exec");
	is(program_ended(&p), 0, "not ended");
	is_str(program_print(&p, text, sizeof(text)), "running", "so it says");
	is(write(fd[1], "word\n", 5), 5, "(a line)");
	is_str(said(fd[0]), "word env\n", "it reads, writes, has environment");
	is(program_wait(&p, clock_after(20000)), 1, "ended");
	is_str(program_print(&p, text, sizeof(text)), "exit 3", "with this");
	is(program_killed(&p, clock_after(20000)), 0, "no signal did it");
	is(program_ended(&p), 1, "it stays ended");
	stop(&p, fd);
	is(count_open(), before, "no descriptor is left");
}

/* What a program could do harm with, or lacks. */
static void
test_world(void)
{
	int fd[2], kept = fcntl(0, F_DUPFD, 20);
	struct program p;
	char want[40];

	start(&p, "for i in $(seq 0 90); do test -e /proc/$$/fd/$i && "
	    "printf '%d ' $i; done", 1, fd);
	is_str(said(fd[0]), "0 1 2 ", "it has no other descriptors");
	stop(&p, fd);
	close(kept);
	start(&p, "ps -o pid=,sid=,pgid= -p $$ | tr -s ' ' | sed 's/^ //'", 0, fd);
	snprintf(want, sizeof(want), "%d %d %d\n", (int)p.pid, (int)p.pid,
	    (int)p.pid);
	is_str(said(fd[0]), want, "a session and a group of its own");
	stop(&p, fd);
}

/* The pipe that tells of a failure may be descriptor 3 itself, or another. */
static int
low(void)
{
	static char name[] = "/none/such", *argv[] = { name, NULL };
	struct program p;
	int fd[2], i;

	closefrom(3);
	for (i = 0; i < 4; i++) {
		if (program_start(&p, argv, argv + 1, -1, 0, fd,
		    clock_after(20000)) != -1 || errno != ENOENT)
			return i + 1;
		if (count_open() != 3 + i || p.pid != 0)
			return i + 11;
		if (dup(0) != 3 + i)
			return i + 21;
	}
	return waitpid(-1, NULL, 0) == -1 && errno == ECHILD ? 0 : 31;
}

/* Descriptors 3 and 5 are free, so that the pipe is 3 and 5. */
static int
tell_is_3(void)
{
	static char name[] = "/none/such", *argv[] = { name, NULL };
	struct program p;
	int fd[2], i, from;

	closefrom(3);
	for (from = 3; from < 12; from++) {
		closefrom(3);
		for (i = 3; i < from + 3; i++)
			dup2(0, i);
		close(3);
		close(from);
		if (program_start(&p, argv, argv + 1, -1, from % 2, fd,
		    clock_after(20000)) != -1 || errno != ENOENT)
			return from;
	}
	return 0;
}

/* Each system call that can fail, and what stays open then. */
static int
few_descriptors(int pipes)
{
	static char name[] = "true", *argv[] = { name, NULL };
	struct rlimit r;
	struct program p;
	int fd[2], n, k, was, error;

	closefrom(3);
	getrlimit(RLIMIT_NOFILE, &r);
	for (n = 3; n < 3 + (pipes ? 6 : 4); n++) {
		r.rlim_cur = n;
		setrlimit(RLIMIT_NOFILE, &r);
		was = program_start(&p, argv, argv + 1, -1, pipes, fd,
		    clock_after(20000));
		error = errno;
		for (k = 0; k < 20; k++)
			if ((fcntl(k, F_GETFD) != -1) != (k < 3))
				return n;
		if (was != -1 || error != EMFILE || p.pid != 0)
			return n + 20;
	}
	return 0;
}

static int
few_for_socket(void)
{
	return few_descriptors(0);
}

static int
few_for_pipes(void)
{
	return few_descriptors(1);
}

static int
no_fork(void)
{
	static char name[] = "true", *argv[] = { name, NULL };
	struct program p;
	int fd[2], before = count_open();

	forks = 0;
	if (program_start(&p, argv, argv + 1, -1, 1, fd, clock_after(20000)) !=
	    -1 || errno != EAGAIN || count_open() != before)
		return 1;
	program_hangup(&p);	/* must not be sent to all processes */
	return program_ended(&p) && p.pid == 0 ? 0 : 2;
}

/* A program on a disk that does not answer. */
static int
slow_exec(void)
{
	static char name[] = "true", *argv[] = { name, NULL };
	struct program p;
	int fd[2], before = count_open();

	return program_start(&p, argv, argv + 1, -1, 0, fd, clock_ms()) == -1 &&
	    errno == ETIMEDOUT && count_open() == before && p.pid == 0 &&
	    waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? 0 : 1;
}

static void
test_signals(void)
{
	int fd[2];
	struct program p, none = { 0 };
	char text[20];

	start(&p, "sleep 60 & wait", 0, fd);
	program_hangup(&p);
	is(program_killed(&p, clock_after(20000)), 1, "HUP ends it");
	is_str(program_print(&p, text, sizeof(text)), "signal 1", "it says so");
	is_str(said(fd[0]), "", "and all of its group");
	stop(&p, fd);
	is(program_ended(&none), 1, "none has ended");
	is(program_killed(&none, clock_after(0)), 0, "by no signal");
}

/* How it was started itself does not matter for a program. */
static int
signals(void)
{
	int fd[2];
	struct program p;

	signals_supervisor();
	signals_child();
	start(&p, "kill -TERM $$; sleep 20", 0, fd);
	said(fd[0]);
	return program_killed(&p, clock_after(20000)) &&
	    WTERMSIG(p.status) == SIGTERM ? 0 : 1;
}

/* With descriptors as many as this process has been given, but not raised. */
static int
limits(void)
{
	struct rlimit r = { 50, 60 };
	struct program p;
	int fd[2];

	setrlimit(RLIMIT_NOFILE, &r);
	fd_limit_raise();
	start(&p, "ulimit -n", 0, fd);
	return strcmp(said(fd[0]), "50\n") != 0;
}

static int
told(void)
{
	struct program p;
	int fd[2], err[2];
	static char sh[] = "sh", c[] = "-c", text[] = "echo error >&2";
	static char *argv[] = { sh, c, text, NULL }, *env[] = { NULL };

	if (pipe2(err, O_CLOEXEC) == -1 || program_start(&p, argv, env, err[1],
	    0, fd, clock_after(20000)) == -1)
		return 1;
	close(err[1]);
	return strcmp(said(err[0]), "error\n") != 0;
}

/* A time limit, and what waits for it. */
static int
waits(void)
{
	int64_t begin = clock_ms();
	struct program p;
	int fd[2];

	start(&p, "read x", 0, fd);
	if (program_wait(&p, begin + 300) || clock_ms() < begin + 300 ||
	    clock_ms() > begin + scaled(10000))
		return 1;
	if (program_killed(&p, begin))
		return 2;
	signals_single();
	raise(SIGTERM);
	begin = clock_ms();
	return program_wait(&p, begin + 60000) == 0 &&
	    clock_ms() < begin + 30000 ? 0 : 3;
}

/* With its process it ends. */
static void
test_orphan(void)
{
	struct pollfd end = { .events = POLLIN };
	int out[2], fd[2];
	struct program p;

	if (pipe(out) == -1)
		abort();
	if (fork() == 0) {
		dup2(out[1], 2);
		close(out[0]);
		close(out[1]);
		start(&p, "trap 'echo hup >&2; exit' HUP; exec >&-; "
		    "while sleep 0.05; do :; done", 1, fd);
		said(fd[0]);
		_exit(0);
	}
	close(out[1]);
	end.fd = out[0];
	is(poll(&end, 1, 20000), 1, "(a program that was left)");
	ok(strstr(said(out[0]), "hup\n") != NULL, "gets HUP, and ends");
	close(out[0]);
}

int
main(void)
{
	alarm(scaled(100));
	test_runs(0);
	test_runs(1);
#ifdef HAVE_LINUX
	test_world();
	test_orphan();
#endif
	test_signals();
	is(run(low), 0, "one that is not there");
	is(run(tell_is_3), 0, "... whatever descriptors are free");
	is(run(few_for_socket), 0, "without descriptors, a socket");
	is(run(few_for_pipes), 0, "... and pipes");
	is(run(no_fork), 0, "without a process");
	is(run_again(slow_exec), 0, "one that does not begin is killed in time");
	is(run(signals), 0, "a signal has its usual effect on it");
	is(run(limits), 0, "its limit of descriptors is the first one");
	is(run(told), 0, "a standard error of its own");
	is(run(waits), 0, "waiting ends in time, and at TERM");
	return done_testing();
}
