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

/* The next poll does not wait, as the flag was looked at before the write. */
static int
comes_in_a_write(void)
{
	struct pollfd p = { .events = POLLIN };
	int fds[2], before;

	if (pipe(fds) == -1)
		return 1;
	signals_single();
	raise(SIGTERM);
	before = signal_terminated();
	if (signals_write(fds[1], "a line", 6) != 0)
		return 2;
	if (before || !signal_terminated())
		return 3;
	alarm(scaled(10));
	if (signals_poll(NULL, 0, -1) != -1 || errno != EINTR)
		return 4;
	raise(SIGTERM);
	if (signals_write(fds[1], "a line", 6) != 0)
		return 5;
	p.fd = fds[0];
	if (signals_poll(&p, 1, -1) != 1)
		return 6;
	return signals_poll(NULL, 0, 1) == 0 ? 0 : 7;
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

/* A second TERM or INT does not wait for what the first one waits for. */
static int
again_by(int first, int second, int want)
{
	int k;

	signals_single();
	raise(first);
	if (signals_poll(NULL, 0, 5000) != -1 || signal_again())
		return 1;
	raise(second);
	for (k = 0; signals_poll(NULL, 0, 0) == -1 && k < 10; k++)
		;
	return signal_again() == want && signal_terminated() ? 0 : 2;
}

static int
twice(void)
{
	return again_by(SIGTERM, SIGTERM, 1);
}

static int
int_after_term(void)
{
	return again_by(SIGTERM, SIGINT, 1);
}

static int
hup_after_term(void)
{
	return again_by(SIGTERM, SIGHUP, 0) || signal_hung_up();
}

static int
hup_alone(void)
{
	signals_single();
	if (signal_hung_up())
		return 1;
	raise(SIGHUP);
	signals_poll(NULL, 0, 5000);
	if (!signal_hung_up() || signal_terminated() != SIGHUP)
		return 2;
	raise(SIGINT);
	signals_poll(NULL, 0, 5000);
	return !signal_hung_up() && signal_terminated() == SIGINT ? 0 : 3;
}

/* The supervisor looks first at the child that it is told of. */
static int
names_child(void)
{
	pid_t pid;

	signals_supervisor();
	if (signal_child() != 0)
		return 1;
	if ((pid = fork()) == 0)
		_exit(0);
	if (signals_poll(NULL, 0, 5000) != -1 || !signal_taken(SIGCHLD))
		return 2;
	return signal_child() == pid && signal_child() == 0 ? 0 : 3;
}

static int
report(void)
{
	signals_supervisor();
	raise(SIGUSR1);
	if (signal_report_wanted() || signals_poll(NULL, 0, 5000) != -1)
		return 1;
	return signal_report_wanted() && !signal_report_wanted() ? 0 : 2;
}

/* Before the supervisor is set up, and for a disk that is full. */
static int
begun(void)
{
	signal(SIGPIPE, SIG_DFL);
	signals_begin();
	raise(SIGUSR1);
	raise(SIGXFSZ);
	raise(SIGPIPE);
	return is_ignored(SIGTERM) || is_ignored(SIGHUP);
}

static void
ends(int signo)
{
	_exit(40 + signo);
}

static int
at_once_by(int signo)
{
	signals_single();
	signals_at_once(ends);
	raise(signo);
	return 0;
}

static int
at_once_term(void)
{
	return at_once_by(SIGTERM);
}

static int
at_once_int(void)
{
	return at_once_by(SIGINT);
}

static int
at_once_hup(void)
{
	return at_once_by(SIGHUP);
}

static int
at_once_ignored(void)
{
	ignore_all();
	return at_once_by(SIGINT) + at_once_by(SIGHUP);
}

/* What came before is not lost. */
static int
at_once_before(void)
{
	signals_single();
	raise(SIGTERM);
	signals_at_once(ends);
	return 0;
}

/* A mask that is opened at each call would cost two more each time. */
static int
not_each_time(void)
{
	struct pollfd p = { .events = POLLOUT };
	int fds[2], i;

	if (pipe(fds) == -1)
		return 1;
	p.fd = fds[1];
	signals_single();
	raise(SIGTERM);
	for (i = 0; i < 15; i++)
		if (signals_poll(&p, 1, 5000) != 1 || signal_terminated())
			return 2;
	signals_poll(&p, 1, 5000);
	return signal_terminated() ? 0 : 3;
}

/* A text that does not fit into the pipe at once; its reader is slow. */
static int
writes_much(void)
{
	static char text[200000], got[4096];
	int fds[2], status;
	size_t i, len = 0;
	ssize_t n;

	if (pipe(fds) == -1)
		return 1;
	for (i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7 + i / 251);
	signals_single();
	if (fork() == 0) {
		close(fds[0]);
		_exit(signals_write(fds[1], text, sizeof(text)) == 0 ? 0 : 1);
	}
	close(fds[1]);
	while ((n = read(fds[0], got, sizeof(got))) > 0) {
		if (len + n > sizeof(text) || memcmp(got, text + len, n) != 0)
			return 2;
		len += n;
	}
	if (wait(&status) == -1 || status != 0 || len != sizeof(text))
		return 3;
	close(fds[0]);
	return signals_write(fds[0], "x", 1) == -1 && errno != EINTR ? 0 : 4;
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
	is(run(comes_in_a_write), 0,
	    "one that comes in a write is told by the next poll");
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
	is(run(twice), 0, "TERM again");
	is(run(int_after_term), 0, "INT after TERM is one again");
	is(run(hup_after_term), 0, "HUP is not");
	is(run(hup_alone), 0, "HUP alone");
	is(run(names_child), 0, "CHLD names the child");
	is(run(report), 0, "USR1 asks for statistics, once");
	is(run(begun), 0, "USR1, XFSZ and PIPE end nothing at first");
	is(run(at_once_term), 40 + SIGTERM, "at once: TERM");
	is(run(at_once_int), 40 + SIGINT, "at once: INT");
	is(run(at_once_hup), 40 + SIGHUP, "at once: HUP");
	is(run(at_once_ignored), 0, "at once: not what is ignored");
	is(run(at_once_before), 40 + SIGTERM, "at once: what came before");
	is(run(not_each_time), 0, "ready descriptors: each 16th time");
	is(run(writes_much), 0, "a long text arrives whole");
	return done_testing();
}
