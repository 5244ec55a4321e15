/* SPDX-License-Identifier: ISC */
/*
 * Processes that are forked ahead of their connection, and whose a connection
 * is.
 *
 * If it fails: a connection is served twice or not at all, or descriptors and
 * processes are left.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "apart.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/signals.h"
#include "supervisor/ahead.h"
#include "descriptors.h"
#include "hold.h"
#include "tap.h"

#define NOW	1000

/* One that says by its exit status what it received. */
static int
fork_ahead(struct ahead *a, unsigned int generation, int64_t now)
{
	struct ahead_place *p = ahead_empty(a);
	struct ahead_message m;
	pid_t pid;
	int fd;

	if (p == NULL)
		return -1;
	if ((pid = fork()) == 0) {
		fd = ahead_wait(p->theirs, &m);
		_exit(fd >= 0 && write(fd, "x", 1) == 1 ? (int)m.child : 1);
	}
	ahead_forked(p, pid, generation, now);
	return pid;
}

/* One that receives nothing. */
static int
fork_stopped(struct ahead *a, int64_t now)
{
	struct ahead_place *p = ahead_empty(a);
	pid_t pid;

	if ((pid = fork()) == 0)
		for (;;)
			pause();
	ahead_forked(p, pid, 1, now);
	return pid;
}

static int
status_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) :
	    WEXITSTATUS(status);
}

static int
pairs(void)
{
	struct ahead a = { 0 };
	struct ahead_place *p;
	int before = count_open(), i;

	if (ahead_first(&a) != NULL || ahead_ready(&a, 1) != 0 ||
	    ahead_time(&a) != CLOCK_NEVER || ahead_look(&a, NOW) != NULL ||
	    ahead_find(&a, 0) != NULL)
		return 1;
	if (ahead_empty(&a) == NULL || count_open() != before + AHEAD_DESCRIPTORS)
		return 2;
	for (i = 0; i < AHEAD_PLACES; i++) {
		p = &a.place[i];
		if (p->ours < FD_KEPT || p->theirs < FD_KEPT ||
		    !(fcntl(p->ours, F_GETFD) & FD_CLOEXEC))
			return 3;
		if (fork_stopped(&a, NOW) <= 0)
			return 4;
	}
	errno = EIO;
	if (ahead_empty(&a) != NULL || errno != 0)
		return 5;		/* all are taken: that is no error */
	if (ahead_stop(&a, 7) != AHEAD_PLACES || a.not_before != 7 ||
	    count_open() != before || waitpid(-1, NULL, 0) != -1)
		return 6;
	if (ahead_empty(&a) == NULL)
		return 7;
	return ahead_stop(&a, 8) == 0 && count_open() == before ? 0 : 8;
}

/* For each number of descriptors that are free. */
static int
few_descriptors(void)
{
	struct ahead a = { 0 };
	struct rlimit r;
	int free, before, held[2 * AHEAD_PLACES], i;

	getrlimit(RLIMIT_NOFILE, &r);
	r.rlim_cur = FD_KEPT + AHEAD_DESCRIPTORS;
	setrlimit(RLIMIT_NOFILE, &r);
	for (free = 0; free < AHEAD_DESCRIPTORS; free++) {
		for (i = 0; i < AHEAD_DESCRIPTORS - free; i++)
			held[i] = fcntl(0, F_DUPFD_CLOEXEC, FD_KEPT);
		before = count_open();
		errno = 0;
		if (ahead_empty(&a) != NULL || errno != EMFILE)
			return free + 1;
		if (count_open() != before + free / 2 * 2)
			return free + 11;
		ahead_stop(&a, 0);
		if (count_open() != before)
			return free + 21;
		while (i-- > 0)
			close(held[i]);
	}
	return ahead_empty(&a) != NULL ? 0 : 31;
}

static int
handed(void)
{
	struct ahead a = { 0 };
	struct ahead_message m = { .child = 42, .slot = 3 }, back;
	int before, c[2], pid, second;
	struct ahead_place *p;
	char text[2];

	signals_supervisor();
	signals_child();
	pid = fork_ahead(&a, 1, NOW + 5);
	second = fork_ahead(&a, 1, NOW);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, c) == -1)
		return 1;
	before = count_open();
	if (ahead_ready(&a, 1) != 2 || (p = ahead_first(&a)) == NULL ||
	    p->pid != second)
		return 2;		/* that one has been ready longest */
	if (ahead_find(&a, second) != p || ahead_find(&a, 1) != NULL)
		return 3;
	if (ahead_take_back(p, &back) != -1)
		return 4;
	if (ahead_hand_over(p, &m, c[1], NOW + 7) != 0 ||
	    ahead_ready(&a, 1) != 1 || ahead_find(&a, second) != p ||
	    ahead_time(&a) != NOW + 7 + AHEAD_TAKE_MS)
		return 5;
	close(c[1]);
	if (read(c[0], text, 2) != 1 || status_of(second) != 42)
		return 6;
	if (ahead_take_back(p, &back) != -1 ||
	    ahead_look(&a, NOW + 1000) != NULL ||
	    ahead_time(&a) != CLOCK_NEVER || ahead_find(&a, second) != NULL)
		return 7;
	if (ahead_first(&a)->pid != pid || count_open() != before - 1)
		return 8;
	ahead_stop(&a, 0);
	return waitpid(-1, NULL, 0) == -1 ? 0 : 9;
}

/* A process that is stopped: its connection is the supervisor's again. */
static int
taken_back(void)
{
	struct ahead a = { 0 };
	struct ahead_message m = { .child = 42, .slot = 3, .may_log = 1 }, back;
	int before = count_open(), c[2], pid = fork_stopped(&a, NOW), fd;
	struct ahead_place *p = ahead_first(&a);
	char text[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, c) == -1 ||
	    ahead_hand_over(p, &m, c[1], NOW) != 0)
		return 1;
	close(c[1]);
	if (ahead_look(&a, NOW + AHEAD_TAKE_MS - 1) != NULL ||
	    ahead_look(&a, NOW + AHEAD_TAKE_MS) != p)
		return 2;
	if ((fd = ahead_take_back(p, &back)) < 0 || back.child != 42 ||
	    back.slot != 3 || back.may_log != 1 || write(fd, "y", 1) != 1 ||
	    read(c[0], text, 2) != 1)
		return 3;
	close(fd);
	if (read(c[0], text, 2) != 0)	/* nobody else has it */
		return 4;
	close(c[0]);
	if (ahead_take_back(p, &back) != -1)
		return 5;
	ahead_kill(p);
	if (kill(pid, 0) != -1 || p->state != AHEAD_EMPTY ||
	    count_open() != before + AHEAD_DESCRIPTORS)
		return 6;		/* its place and its pair are free */
	ahead_stop(&a, 0);
	return count_open() == before ? 0 : 7;
}

/* One that something keeps from ending keeps its pair. */
static int
held_by_another(void)
{
	struct ahead a = { 0 };
	int pid = fork_stopped(&a, NOW), before = count_open();
	struct ahead_place *p = ahead_first(&a);
	pid_t tracer = hold(pid);

	if (tracer == -1)
		return SKIPPED;
	ahead_kill(p);
	if (p->state != AHEAD_CLOSED || ahead_find(&a, pid) != NULL ||
	    count_open() != before - 2)
		return 1;
	let_go(tracer);
	return status_of(pid) == 1000 + SIGKILL ? 0 : 2;
}

/* What is no message: rubbish that comes with a descriptor leaves none. */
static int
rubbish(void)
{
	struct ahead a = { 0 };
	struct ahead_message m;
	struct ahead_place *p = ahead_empty(&a);
	int before = count_open();

	if (send(p->ours, "x", 1, 0) != 1 || ahead_wait(p->theirs, &m) != -1)
		return 1;
	if (send(p->ours, &m, sizeof(m), 0) != sizeof(m) ||
	    ahead_wait(p->theirs, &m) != AHEAD_NO_ROOM)
		return 2;
	return count_open() == before ? 0 : 3;
}

/* What processes inherited has changed, or one ended before its connection. */
static int
renewed(void)
{
	struct ahead a = { 0 };
	int64_t when = 5000;
	int first = fork_stopped(&a, NOW), second, open = count_open();

	if (ahead_ready(&a, 2) != 0 || kill(first, 0) != -1 ||
	    ahead_first(&a) != NULL || count_open() != open)
		return 1;		/* its place is free at once */
	second = fork_stopped(&a, NOW);
	kill(second, SIGKILL);
	status_of(second);
	ahead_ended(&a, ahead_find(&a, second), when);
	if (a.not_before != when + AHEAD_REST || ahead_first(&a) != NULL)
		return 2;
	a.not_before = 0;
	second = fork_stopped(&a, NOW);
	ahead_hand_over(ahead_first(&a), &(struct ahead_message){ 0 }, 0, NOW);
	kill(second, SIGKILL);
	status_of(second);
	ahead_ended(&a, ahead_find(&a, second), when);
	return a.not_before == 0 ? 0 : 3;
}

int
main(void)
{
	int held;

	alarm(scaled(60));
	is(run_again(pairs), 0, "pairs are opened at once, and closed at the end");
	is(run_again(few_descriptors), 0, "where there are few descriptors");
	is(run_again(handed), 0, "the process has the connection");
	is(run_again(taken_back), 0, "or the supervisor, never both");
	held = run(held_by_another);
	if (held == SKIPPED)
		ok(1, "skipped # SKIP ptrace(2) is refused");
	else
		is(held, 0, "one that does not end");
	is(run_again(rubbish), 0, "a message without a connection");
	is(run_again(renewed), 0, "those that are of no use");
	return done_testing();
}
