/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/memory.h"
#include "os/signals.h"

/* By signal number: how often it came, 2 is twice or more. */
static volatile sig_atomic_t seen[NSIG] MEMORY_HOT;
static volatile sig_atomic_t child;	/* the last one that CHLD named, or 0 */
static volatile sig_atomic_t came MEMORY_HOT;	/* one, since signals_poll() */
static sigset_t ours;		/* blocked outside signals_poll() */
static sigset_t inside MEMORY_HOT;	/* the signal mask inside it */

static const int all[] = {
	SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGPIPE,
#ifdef SIGINFO
	SIGINFO
#endif
};
#define BUSY	16	/* see deliver_pending() */
#define NALL	(sizeof(all) / sizeof(all[0]))

static void
mark_seen(int signo)
{
	seen[signo] = seen[signo] == 0 ? 1 : 2;
	came = 1;
}

static void
mark_child(int signo, siginfo_t *info, void *context)
{
	seen[signo] = 1;
	came = 1;
	child = info->si_pid;
}

/* Without SA_RESTART: signals are delivered only inside signals_poll(). */
static void
handle(int signo, void (*handler)(int))
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = handler;
	sigemptyset(&sa.sa_mask);
	sigaction(signo, &sa, NULL);
}

/* A signal that the launcher ignores stays ignored. */
static void
handle_unless_ignored(int signo, void (*handler)(int))
{
	struct sigaction sa, old;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = handler;
	sigemptyset(&sa.sa_mask);
	if (sigaction(signo, &sa, &old) == 0 && old.sa_handler == SIG_IGN)
		sigaction(signo, &old, NULL);
}

/* The launcher may have blocked our signals: inside they are not. */
static void
block_ours(void)
{
	size_t i;

	sigprocmask(SIG_BLOCK, &ours, &inside);
	for (i = 0; i < NALL; i++)
		sigdelset(&inside, all[i]);
}

void
signals_begin(void)
{
	handle(SIGCHLD, SIG_DFL);
	handle(SIGPIPE, SIG_IGN);
	handle(SIGUSR1, SIG_IGN);
	handle(SIGXFSZ, SIG_IGN);	/* write(2) says EFBIG */
}

void
signals_supervisor(void)
{
	struct sigaction sa;
	size_t i;

	sigemptyset(&ours);
	for (i = 0; i < NALL; i++)
		if (all[i] != SIGPIPE)
			sigaddset(&ours, all[i]);
	block_ours();
	for (i = 0; i < NALL; i++)
		if (all[i] == SIGINT || all[i] == SIGQUIT || all[i] == SIGHUP)
			handle_unless_ignored(all[i], mark_seen);
		else
			handle(all[i], all[i] == SIGPIPE ? SIG_IGN :
			    mark_seen);
	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = mark_child;
	sa.sa_flags = SA_SIGINFO;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGCHLD, &sa, NULL);
}

/* The default action, unless it is ignored; not blocked. */
static void
end_at(int signo)
{
	sigset_t set;

	handle_unless_ignored(signo, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, signo);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/*
 * The parent has blocked all of our signals.  One that stays blocked inside
 * signals_poll() too has no effect, which saves a sigaction(2) to ignore it.
 */
void
signals_child(void)
{
	size_t i;

	for (i = 0; i < NALL; i++) {
		seen[all[i]] = 0;
		if (all[i] != SIGTERM && all[i] != SIGUSR2 &&
		    all[i] != SIGQUIT)
			sigaddset(&inside, all[i]);
	}
	end_at(SIGQUIT);
}

void
signals_helper(void)
{
	end_at(SIGTERM);
	end_at(SIGQUIT);
}

void
signals_single(void)
{
	sigemptyset(&ours);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGHUP);
	block_ours();
	handle(SIGPIPE, SIG_IGN);
	handle(SIGTERM, mark_seen);
	handle_unless_ignored(SIGINT, mark_seen);
	handle_unless_ignored(SIGHUP, mark_seen);
}

void
signals_at_once(void (*end)(int signo))
{
	handle(SIGTERM, end);
	handle_unless_ignored(SIGINT, end);
	handle_unless_ignored(SIGHUP, end);
	sigprocmask(SIG_UNBLOCK, &ours, NULL);
}

void
signals_default(void)
{
	sigset_t none;
	size_t i;

	for (i = 0; i < NALL; i++)
		handle(all[i], SIG_DFL);
	handle(SIGXFSZ, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int
signal_terminated(void)
{
	return seen[SIGTERM] ? SIGTERM : seen[SIGINT] ? SIGINT :
	    seen[SIGHUP] ? SIGHUP : 0;
}

int
signals_are_flags(void)
{
	sigset_t blocked;

	return sigismember(&ours, SIGTERM) == 1 &&
	    sigprocmask(SIG_BLOCK, NULL, &blocked) == 0 &&
	    sigismember(&blocked, SIGTERM) == 1;
}

int
signal_again(void)
{
	return seen[SIGTERM] + seen[SIGINT] > 1;
}

int
signal_hung_up(void)
{
	return seen[SIGHUP] && !seen[SIGTERM] && !seen[SIGINT];
}

int
signal_child(void)
{
	int pid = child;

	child = 0;
	return pid;
}

int
signal_taken(int signo)
{
	int was = seen[signo];

	if (was)
		seen[signo] = 0;
	return was;
}

/* A terminal sends INFO for Control-T. */
int
signal_report_wanted(void)
{
	int wanted = signal_taken(SIGUSR1);

#ifdef SIGINFO
	wanted |= signal_taken(SIGINFO);
#endif
	return wanted;
}

/*
 * ppoll(2) delivers no signals when descriptors are ready at once; under
 * constant load they would wait for ever.  So every BUSY calls it is looked for
 * pending signals, and if there are any, the mask is opened for a moment.
 */
static void
deliver_pending(void)
{
	sigset_t waiting, old;
	size_t i;

	if (sigpending(&waiting) == -1)
		return;
	for (i = 0; i < NALL; i++)
		if (sigismember(&waiting, all[i]) &&
		    !sigismember(&inside, all[i]))
			break;
	if (i == NALL)
		return;
	sigprocmask(SIG_SETMASK, &inside, &old);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

int
signals_poll(struct pollfd *fds, nfds_t n, int timeout)
{
	static unsigned int busy MEMORY_HOT;
	struct timespec ts;
	int ready, before = came;

	if (before)
		timeout = 0;
	ts.tv_sec = timeout / 1000;
	ts.tv_nsec = timeout % 1000 * 1000000L;
	ready = ppoll(fds, n, timeout < 0 ? NULL : &ts, &inside);
	if (ready > 0 && ++busy % BUSY == 0)
		deliver_pending();
	came = 0;
	if (ready != 0 || !before)
		return ready;
	errno = EINTR;
	return -1;
}

int
signals_wait(struct pollfd *fds, nfds_t n, int64_t deadline)
{
	int ready;

	for (;;) {
		if (clock_ms() >= deadline) {
			errno = ETIMEDOUT;
			return -1;
		}
		ready = signals_poll(fds, n, signal_terminated() ? 0 :
		    clock_poll(deadline));
		if (ready > 0 || (ready == -1 && errno != EINTR))
			return ready;
		if (signal_terminated()) {
			errno = EINTR;
			return -1;
		}
	}
}

/* write(2), within which signals are delivered. */
static ssize_t
write_open(int fd, const char *text, size_t len)
{
	sigset_t old;
	ssize_t n;
	int error;

	sigprocmask(SIG_SETMASK, &inside, &old);
	n = write(fd, text, len);
	error = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	errno = error;
	return n;
}

/*
 * If poll(2) says that a pipe has room, that is at least PIPE_BUF, unless another
 * process has filled it meanwhile; a terminal may have less.
 */
int
signals_write(int fd, const char *text, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	ssize_t n;

	while (len > 0) {
		if (signals_wait(&p, 1, CLOCK_NEVER) == -1)
			return -1;
		n = write_open(fd, text, len < PIPE_BUF ? len : PIPE_BUF);
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			return -1;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return 0;
}
