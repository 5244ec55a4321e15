/* SPDX-License-Identifier: ISC */
/*
 * If it fails: a process that has ended is shown as a tunnel, or descriptors
 * leak into children.
 */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_LINUX
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#endif

#include "os/clock.h"
#include "os/fd.h"
#include "os/process.h"
#include "apart.h"
#include "hold.h"
#include "tap.h"

#define MANY	300	/* descriptors that are kept */
#define FORKS	50	/* one after the other */

static int
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static int
keep_many(void)
{
	int i, fd;

	for (i = 0; i < MANY; i++)
		if ((fd = fd_keep(fd_null(O_RDONLY))) < FD_KEPT)
			return -1;
	return 0;
}

/* What the child has: the lowest that is wrong plus one, or 0. */
static int
look(int a, int b)
{
	int fd;

	for (fd = FD_KEPT; fd < FD_KEPT + MANY + 10; fd++)
		if (is_open(fd) != (fd == a || fd == b))
			return fd % 100 + 1;
	for (fd = 0; fd < FD_KEPT; fd++)
		if ((fd == a || fd == b) && !is_open(fd))
			return fd + 101;
	return 0;
}

/* The child's status, and nothing is changed here. */
static int
fork_and_look(int a, int b)
{
	pid_t pid = process_fork_with(a, b);
	int status, fd;

	if (pid == 0)
		_exit(look(a, b));
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		return 201;
	for (fd = FD_KEPT; fd < FD_KEPT + MANY; fd++)
		if (!is_open(fd))
			return 202;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 203;
}

static int
all_ways(void)
{
	int low = fd_null(O_RDONLY), i, bad;

	if (low == -1 || low >= FD_KEPT || keep_many() == -1)
		return 204;
	for (i = 0; i < FORKS; i++)
		if ((bad = fork_and_look(low, -1)) != 0 ||
		    (bad = fork_and_look(-1, FD_KEPT + 7)) != 0 ||
		    (bad = fork_and_look(FD_KEPT + 9, low)) != 0 ||
		    (bad = fork_and_look(-1, -1)) != 0)
			return bad;
	return 0;
}

/* What the child closes or opens afterwards is its own. */
static int
apart(void)
{
	int low = fd_null(O_RDONLY), ready[2], status;
	char c;
	pid_t pid;

	if (pipe(ready) == -1 || keep_many() == -1)
		return 1;
	if ((pid = process_fork_with(low, ready[1])) == 0) {
		close(low);
		close(ready[0]);
		_exit(write(ready[1], "x", 1) != 1);
	}
	if (read(ready[0], &c, 1) != 1 || !is_open(low) ||
	    waitpid(pid, &status, 0) != pid)
		return 2;
	close(low);
	return status != 0;
}

/* abort(3) of a child ends the child. */
static int
abort_there(void)
{
	pid_t pid = process_fork_with(-1, -1);
	int status;

	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		abort();
	}
	return waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status) ||
	    WTERMSIG(status) != SIGABRT;
}

#ifdef HAVE_LINUX

/* Pieces of memory that other processes may have too. */
static int
count_shared(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	int n = 0;

	if (f == NULL)
		return -1;
	while (fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, " rw-s ") != NULL;
	fclose(f);
	return n;
}

/* A child could write later what its parent believes of another one. */
static int
shares_nothing(void)
{
	int before = count_shared(), status;
	pid_t pid;

	if (keep_many() == -1)
		return 1;
	if ((pid = process_fork_with(-1, -1)) == 0)
		_exit(count_shared() != before);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		return 2;
	return count_shared() == before ? 0 : 3;
}

/* As a container's filter does; -1 where there are no filters. */
static int
forbid(long call, unsigned int argument, uint32_t flag)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, args[argument])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, flag, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { 6, code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1 ?
	    -1 : 0;
}

#ifdef SYS_close_range
static int
without_close_range(void)
{
	return forbid(SYS_close_range, 2, 1U << 1) == -1 ? 0 : all_ways();
}
#endif

static int
without_clone_files(void)
{
	return forbid(SYS_clone, 0, 0x400) == -1 ? 0 : all_ways();
}
#endif

/* A child that is killed at once does not hold up its parent. */
static int
storm(void)
{
	int64_t begin = clock_ms();
	int i, status;
	pid_t pid;

	for (i = 0; i < FORKS; i++) {
		if ((pid = process_fork_with(-1, -1)) == 0)
			for (;;)
				pause();
		if (pid == -1)
			return 1;
		kill(pid, SIGKILL);
		if (waitpid(pid, &status, 0) != pid)
			return 2;
	}
	return clock_ms() - begin > 30000;
}

/* With many descriptors a child is made in another way. */
static int
abort_with_many(void)
{
	return keep_many() == -1 ? 3 : abort_there();
}

static int
storm_with_many(void)
{
	return keep_many() == -1 ? 3 : storm();
}

/* Some descriptors, which the child's table is copied with. */
static int
few(void)
{
	int low = fd_null(O_RDONLY), kept = fd_keep(dup(low)), status;
	pid_t pid = process_fork_with(low, -1);

	if (pid == 0)
		_exit(!is_open(low) || is_open(kept));
	return kept < FD_KEPT || waitpid(pid, &status, 0) != pid ||
	    status != 0 || !is_open(kept);
}

#ifdef HAVE_LINUX

/* Seconds of the processor that one has had. */
static double
used_by(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return u.ru_utime.tv_sec + u.ru_stime.tv_sec +
	    (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* This process, with its children as process_look() has it. */
static double
used(void)
{
	return used_by(RUSAGE_SELF) + used_by(RUSAGE_CHILDREN);
}

/* What the statistics of a process say is what it uses. */
static void
test_look(void)
{
	static const size_t size = 64 << 20, touched = 16 << 20;
	struct process_usage a, b;
	struct rlimit r;
	double begin = used();
	char *p;
	int fd[2];

	is(process_look(getpid(), &a), 0, "looked at");
	getrlimit(RLIMIT_NOFILE, &r);
	is(a.max_fds, r.rlim_cur, "its limit");
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0);
	memset(p, 1, touched);
	if (pipe(fd) == -1)
		abort();
	while (used() < begin + 0.3)
		;
	is(process_look(getpid(), &b), 0, "looked at again");
	is(b.fds, a.fds + 2, "two descriptors more");
	ok(b.virtual_bytes >= a.virtual_bytes + size && b.virtual_bytes <
	    a.virtual_bytes + size + (1 << 20), "more memory");
	ok(b.resident_bytes >= a.resident_bytes + touched * 3 / 4 &&
	    b.resident_bytes < a.resident_bytes + touched + (4 << 20),
	    "of which it has touched some");
	ok(b.cpu > begin + 0.2 && b.cpu < used() + 0.3 && b.cpu > a.cpu,
	    "%.2f s of the processor", b.cpu);
	munmap(p, size);
	close(fd[0]);
	close(fd[1]);
	is(process_look(INT_MAX, &b), -1, "none");
	ok(b.cpu == 0 && b.virtual_bytes == 0 && b.resident_bytes == 0 &&
	    b.fds == 0 && b.max_fds == 0, "which uses nothing");
}

/* Later ends of parents are in tests/unit/connection/path_table.c. */
static void
test_follow(void)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, &old);
	is(process_follow(getppid(), SIGUSR2), 0, "a parent");
	sigpending(&set);
	is(sigismember(&set, SIGUSR2), 0, "that has not ended");
	is(process_follow(getpid(), SIGUSR2), 0, "to follow a process that is not the parent succeeds");
	sigpending(&set);
	is(sigismember(&set, SIGUSR2), 1, "has ended already");
	sigwait(&set, (int[1]){ 0 });
	sigprocmask(SIG_SETMASK, &old, NULL);
	is(process_follow(getppid(), -1), -1, "no such signal");
	prctl(PR_SET_PDEATHSIG, 0);
}

/* A number is used again: what the earlier process did is not its own. */
static void
test_lives(void)
{
	char name[] = ") Z (", was[32] = "";
	int64_t now = clock_ms();
	struct stat st;
	pid_t pid;

	prctl(PR_GET_NAME, was);
	prctl(PR_SET_NAME, name);	/* proc(5): not taken for the state */
	if ((pid = fork()) == 0)
		for (;;)
			pause();
	prctl(PR_SET_NAME, was);
	ok(process_lives(pid, clock_ms()), "a process that runs");
	ok(!process_lives(pid, now - 1000), "at a time before, it did not");
	is(process_has_ended(pid), 0, "nor has it ended");
	kill(pid, SIGKILL);
	while (!process_has_ended(pid))
		poll(NULL, 0, 1);
	ok(!process_lives(pid, clock_ms()), "one that has ended");
	is(waitpid(pid, NULL, 0), pid, "its status was left");
	is(process_has_ended(pid), 1, "no child has ended, too");
	ok(stat("/proc/self/ns/pid", &st) == 0 &&
	    process_namespace() == st.st_ino, "the namespace of numbers");
}

/* Traces a process, and goes on with it, but not with what it forks. */
static void
trace(pid_t pid, int ready)
{
	int status, signo;
	char done = ptrace(PTRACE_SEIZE, pid, NULL, (void *)(uintptr_t)
	    (PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK)) == 0;

	if (write(ready, &done, 1) != 1 || !done)
		_exit(0);
	while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
		signo = status >> 16 == 0 ? WSTOPSIG(status) : 0;
		ptrace(PTRACE_CONT, pid, NULL, (void *)(uintptr_t)signo);
	}
	_exit(0);
}

/* A child that neither runs nor ends: the parent goes on with its table. */
static int
held_in_fork(void)
{
	pid_t parent = getpid(), tracer, pid;
	char done = 0;
	int p[2];

	alarm(scaled(10));
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	if (keep_many() == -1 || pipe(p) == -1)
		return 1;
	if ((tracer = fork()) == 0)
		trace(parent, p[1]);
	if (read(p[0], &done, 1) != 1 || !done)
		return SKIPPED;
	if ((pid = process_fork_with(-1, -1)) == 0)
		_exit(0);
	if (pid == -1 || !is_open(FD_KEPT))
		return 2;
	close(FD_KEPT);
	if (is_open(FD_KEPT))
		return 3;
	kill(pid, SIGKILL);
	kill(tracer, SIGKILL);
	return waitpid(tracer, NULL, 0) == tracer &&
	    waitpid(pid, NULL, 0) == pid ? 0 : 4;
}

/* A busy machine may need longer than 0.2 seconds to let it end. */
static int
killed(pid_t pid)
{
	int i, r;

	for (i = 0; (r = process_kill(pid)) == -1 && i < 50; i++)
		;
	return r;
}

/* A child that does not end at once, and one that cannot. */
static void
test_kill(void)
{
	int64_t begun;
	pid_t pid = fork(), tracer;

	if (pid == 0)
		for (;;)
			pause();
	is(killed(pid), 0, "a child is killed");
	is(waitpid(pid, NULL, 0), -1, "and waited for");
	is(process_kill(pid), 0, "a process that is no child counts as ended");
	if ((pid = fork()) == 0)
		for (;;)
			pause();
	kill(pid, SIGSTOP);
	is(killed(pid), 0, "so is one that is stopped");
	if ((pid = fork()) == 0)
		for (;;)
			pause();
	if ((tracer = hold(pid)) == -1) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		ok(1, "skipped # SKIP ptrace(2) is refused");
		return;
	}
	begun = clock_ms();
	is(process_kill(pid), -1, "one that is held does not end");
	ok(clock_ms() - begun >= 190, "which is waited for, but not for ever");
	let_go(tracer);
	is(waitpid(pid, NULL, 0), pid, "its status is still there");
}

#endif

int
main(void)
{
#ifdef HAVE_LINUX
	int held;
#endif

	is(run(all_ways), 0, "a child has what it was given, and all low ones");
	is(run(apart), 0, "its table is its own");
	is(run(abort_there), 0, "abort(3) ends the child alone");
	is(run(storm), 0, "children are killed at once");
	is(run(abort_with_many), 0, "the same with many descriptors: abort(3)");
	is(run(storm_with_many), 0, "... children are killed at once");
	is(run(few), 0, "few descriptors, of which it has one");
	ok(process_lives(getpid(), clock_ms()), "this process lives");
	ok(process_lives(getpid(), INT64_MAX), "whatever time a page says");
	ok(!process_lives(0, 0) && !process_lives(-1, 0), "no others do");
#ifdef HAVE_LINUX
	test_look();
	test_lives();
	test_follow();
	test_kill();
	held = run(held_in_fork);
	if (held == SKIPPED)
		ok(1, "skipped # SKIP ptrace(2) is refused");
	else
		is(held, 0, "a child that is held does not hold its parent");
	is(run(shares_nothing), 0, "no memory is left that they share");
#ifdef SYS_close_range
	is(run(without_close_range), 0, "where close_range(2) is refused");
#endif
	is(run(without_clone_files), 0, "where CLONE_FILES is refused");
#endif
	return done_testing();
}
