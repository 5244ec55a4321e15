/* SPDX-License-Identifier: ISC */
/* If it fails: an instance does not end when it is told to, or misses a HUP. */
#include <sys/uio.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/signals.h"
#include "apart.h"
#include "tap.h"

static int again;		/* how many writes find no room */
static int filled;		/* the next one finds a full pipe */

static ssize_t
put(int fd, const void *bytes, size_t n)
{
	struct iovec iov = { (void *)(uintptr_t)bytes, n };

	return writev(fd, &iov, 1);
}

/* Other processes write to the same pipe, just before. */
ssize_t
write(int fd, const void *bytes, size_t n)
{
	static const char page[4096];
	int flags;

	if (again > 0) {
		again--;
		errno = EAGAIN;
		return -1;
	}
	if (filled) {
		filled = 0;
		flags = fcntl(fd, F_GETFL);
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
		while (put(fd, page, sizeof(page)) != -1)
			;
		fcntl(fd, F_SETFL, flags);
	}
	return put(fd, bytes, n);
}

static int
writes(void)
{
	char got[8];
	int fds[2];

	if (pipe(fds) == -1)
		return 1;
	signals_single();
	again = 3;
	if (signals_write(fds[1], "all of it", 9) != 0)
		return 2;
	return again == 0 && read(fds[0], got, sizeof(got)) == 8 ? 0 : 3;
}

static int
writes_into_full(void)
{
	struct timespec moment = { 0, 200000000 };
	pid_t self = getpid();
	int fds[2];

	if (pipe(fds) == -1)
		return 1;
	signals_single();
	filled = 1;
	alarm(scaled(10));
	switch (fork()) {
	case -1:
		return 2;
	case 0:
		nanosleep(&moment, NULL);
		if (getppid() == self)
			kill(self, SIGTERM);
		_exit(0);
	}
	if (signals_write(fds[1], "none of it", 10) != -1 || errno != EINTR)
		return 3;
	return signal_terminated() ? 0 : 4;
}

/* Nothing comes in outside the poll, everything inside. */
static int
flags(void)
{
	signal(SIGHUP, SIG_DFL);	/* whatever we were started under */
	signal(SIGQUIT, SIG_DFL);
	signals_supervisor();
	raise(SIGHUP);
	raise(SIGQUIT);
	if (signal_taken(SIGHUP) || signal_taken(SIGQUIT))
		return 1;
	if (signals_poll(NULL, 0, 5000) != -1 || errno != EINTR)
		return 2;
	if (!signal_taken(SIGHUP) || !signal_taken(SIGQUIT))
		return 3;
	if (signal_taken(SIGHUP) || signal_taken(SIGUSR1))
		return 4;
	if (signals_poll(NULL, 0, 1) != 0)
		return 5;
	return 0;
}

/* Descriptors that are always ready do not keep signals out. */
static int
busy(void)
{
	struct pollfd p = { .events = POLLOUT };
	int fds[2], i;

	if (pipe(fds) == -1)
		return 1;
	p.fd = fds[1];
	signals_single();
	raise(SIGTERM);
	for (i = 0; i < 16; i++)
		if (signals_poll(&p, 1, -1) != 1 || p.revents != POLLOUT)
			return 2;
	return signal_terminated() ? 0 : 3;
}

static int
single_by(int signo)
{
	signals_single();
	raise(signo);
	if (signal_terminated())
		return 1;
	if (signals_poll(NULL, 0, 5000) != -1)
		return 2;
	return signal_terminated() ? 0 : 3;
}

static int
single_term(void)
{
	return single_by(SIGTERM);
}

static int
single_int(void)
{
	signal(SIGINT, SIG_DFL);	/* whatever we were started under */
	return single_by(SIGINT);
}

static int
single_hup(void)
{
	signal(SIGHUP, SIG_DFL);	/* whatever we were started under */
	return single_by(SIGHUP);
}

static int
single_nohup(void)
{
	signal(SIGHUP, SIG_IGN);
	signals_single();
	raise(SIGHUP);
	raise(SIGPIPE);
	return signals_poll(NULL, 0, 1) == 0 && !signal_terminated() ? 0 : 1;
}

static int
is_ignored(int signo)
{
	struct sigaction sa;

	return sigaction(signo, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN;
}

static void
ignore_all(void)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
}

/* What a launcher ignores. */
static int
ignored(void)
{
	ignore_all();
	signals_begin();
	if (is_ignored(SIGCHLD) || !is_ignored(SIGPIPE))
		return 1;
	signals_supervisor();
	if (!is_ignored(SIGINT) || !is_ignored(SIGQUIT) ||
	    !is_ignored(SIGHUP) || is_ignored(SIGTERM))
		return 2;
	signals_child();
	raise(SIGQUIT);
	return is_ignored(SIGINT) && is_ignored(SIGHUP) ? 0 : 3;
}

static int
single_ignored(void)
{
	ignore_all();
	signals_single();
	return is_ignored(SIGINT) && is_ignored(SIGHUP) ? single_by(SIGTERM) :
	    4;
}

static int
helper(void)
{
	signals_supervisor();
	signals_child();
	signals_helper();
	raise(SIGINT);
	raise(SIGHUP);
	raise(SIGTERM);
	return 1;
}

/* What a child does not care for; what the parent saw; a TERM in between. */
static int
child(void)
{
	signals_supervisor();
	raise(SIGHUP);
	if (signals_poll(NULL, 0, 5000) != -1)
		return 1;
	raise(SIGTERM);
	signals_child();
	if (signal_terminated())
		return 2;
	raise(SIGINT);
	raise(SIGHUP);
	raise(SIGUSR1);
	raise(SIGCHLD);
	raise(SIGPIPE);
	if (signals_poll(NULL, 0, 5000) != -1)
		return 3;
	return signal_terminated() ? 0 : 4;
}

static int
child_quits(void)
{
	signal(SIGQUIT, SIG_DFL);	/* whatever we were started under */
	signals_supervisor();
	signals_child();
	raise(SIGQUIT);
	return 1;
}

static int
as_born(void)
{
	signals_supervisor();
	signals_child();
	signals_default();
	raise(SIGTERM);
	return 1;
}

/* A descriptor that is always ready, a deadline, and TERM. */
static int
waits(void)
{
	struct pollfd p = { .events = POLLOUT };
	int fds[2];

	if (pipe(fds) == -1)
		return 1;
	p.fd = fds[1];
	signals_single();
	if (signals_wait(&p, 1, clock_ms() + 5000) != 1)
		return 2;
	if (signals_wait(&p, 1, clock_ms() - 1) != -1 || errno != ETIMEDOUT)
		return 3;
	p.fd = fds[0];
	p.events = POLLIN;
	if (signals_wait(&p, 1, clock_ms() + 20) != -1 || errno != ETIMEDOUT)
		return 4;
	raise(SIGTERM);
	if (signals_wait(&p, 1, CLOCK_NEVER) != -1 || errno != EINTR)
		return 5;
	if (signals_wait(&p, 1, CLOCK_NEVER) != -1 || errno != EINTR)
		return 6;
	p.fd = fds[1];
	p.events = POLLOUT;
	return signals_wait(&p, 1, CLOCK_NEVER) == 1 ? 0 : 7;
}

/* A launcher left them blocked. */
static int
blocked(void)
{
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	return single_by(SIGTERM);
}

int
main(void)
{
	/* A shell or nohup(1) may ignore these for us. */
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	is(run(flags), 0, "supervisor: flags, inside the poll only");
	is(run(busy), 0, "signals come in while descriptors are ready");
	is(run(waits), 0, "waiting: ready, the deadline, TERM");
	is(run(writes), 0, "writing: where there is no room it waits");
	is(run(writes_into_full), 0, "TERM ends a write that blocks");
	is(run(single_term), 0, "single: TERM");
	is(run(single_int), 0, "single: INT");
	is(run(single_hup), 0, "single: HUP");
	is(run(single_nohup), 0, "single: HUP under nohup, PIPE");
	is(run(child), 0, "child: TERM counts, INT HUP USR1 CHLD PIPE do not");
	is(run(child_quits), 1000 + SIGQUIT, "child: QUIT ends it");
	is(run(as_born), 1000 + SIGTERM, "before an exec all is as at birth");
	is(run(ignored), 0, "INT, QUIT and HUP stay ignored, CHLD does not");
	is(run(single_ignored), 0, "single: INT and HUP stay ignored");
	is(run(helper), 1000 + SIGTERM, "helper: TERM ends it, INT HUP do not");
	is(run(blocked), 0, "a mask inherited from a launcher");
	return done_testing();
}
