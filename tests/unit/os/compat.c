/* SPDX-License-Identifier: ISC */
/*
 * Calls that some systems lack: as the system has them, and with COMPAT=all
 * those of os/compat.
 *
 * If it fails: inetws fails on a system that lacks a call of Linux or BSD.
 */
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <libutil.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

static volatile sig_atomic_t came;

static void
on_signal(int signo)
{
	came++;
}

static int
flags_of(int fd)
{
	return (fcntl(fd, F_GETFD) & FD_CLOEXEC ? 1 : 0) +
	    (fcntl(fd, F_GETFL) & O_NONBLOCK ? 2 : 0);
}

static void
test_descriptors(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd[2], s, c, a;

	is(pipe2(fd, O_CLOEXEC | O_NONBLOCK), 0, "pipe2");
	is(flags_of(fd[0]), 3, "both flags at one end");
	is(flags_of(fd[1]), 3, "and at the other");
	is(dup3(fd[0], 60, O_CLOEXEC), 60, "dup3");
	is(flags_of(60), 3, "with its flag");
	is(dup3(fd[0], fd[0], 0), -1, "onto itself");
	is(errno, EINVAL, "is an error");
	close(60);
	close(fd[0]);
	close(fd[1]);
	is(pipe2(fd, O_CLOEXEC), 0, "pipe2");
	is(flags_of(fd[0]), 1, "with one flag");
	close(fd[0]);
	close(fd[1]);
	is(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0, "socketpair");
	is(flags_of(fd[0]), 0, "without flags");
	close(fd[0]);
	close(fd[1]);
	is(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
	    fd), 0, "socketpair");
	is(flags_of(fd[1]), 3, "with both");
	close(fd[0]);
	close(fd[1]);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "compat.%d.sock",
	    (int)getpid());
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	is(flags_of(s), 1, "socket");
	is(bind(s, (struct sockaddr *)&sun, sizeof(sun)), 0, "bind");
	listen(s, 1);
	c = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	is(flags_of(c), 2, "socket");
	connect(c, (struct sockaddr *)&sun, sizeof(sun));
	a = accept4(s, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	is(flags_of(a), 3, "accept4");
	close(a);
	close(c);
	close(s);
	unlink(sun.sun_path);
	is(socket(-1, SOCK_STREAM | SOCK_CLOEXEC, 0), -1, "no such family");
}

static int64_t
ms_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
test_ppoll(void)
{
	struct timespec none = { 0, 0 }, some = { 0, 30000000 },
	    long_time = { 20, 0 };
	struct pollfd p;
	sigset_t usr1, open;
	int fd[2], high;
	int64_t began;

	signal(SIGUSR1, on_signal);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, &open);
	if (pipe2(fd, O_CLOEXEC) == -1)
		abort();
	p = (struct pollfd){ .fd = fd[0], .events = POLLIN };
	is(ppoll(&p, 1, &none, &open), 0, "ppoll: nothing");
	began = ms_now();
	is(ppoll(&p, 1, &some, &open), 0, "nothing in its time");
	ok(ms_now() - began >= 29, "which it waits");
	raise(SIGUSR1);
	is(came, 0, "a signal is blocked");
	is(ppoll(&p, 1, &long_time, &open), -1, "but inside it");
	is(errno, EINTR, "it interrupts");
	is(came, 1, "once");
	raise(SIGUSR1);
	is(ppoll(NULL, 0, &none, &open), -1, "also without time");
	is(came, 2, "it comes in");
	if (write(fd[1], "x", 1) != 1)
		abort();
	is(ppoll(&p, 1, NULL, &open), 1, "ready");
	is(p.revents, POLLIN, "for that");
	high = fcntl(fd[0], F_DUPFD_CLOEXEC, 1000);
	p.fd = high;
	is(ppoll(&p, 1, NULL, &open), 1, "a high number, too");
	close(high);
	p = (struct pollfd){ .fd = fd[0], .events = 0 };
	close(fd[1]);
	is(ppoll(&p, 1, &long_time, &open), 1, "watched for nothing");
	is(p.revents, POLLHUP, "it tells the end");
	close(fd[0]);
	p.fd = -1;
	is(ppoll(&p, 1, &none, &open), 0, "none");
	sigprocmask(SIG_SETMASK, &open, NULL);
}

static void
test_memory(void)
{
	char text[] = "a:b:c";

	ok(memrchr(text, ':', 5) == text + 3, "memrchr: the last one");
	ok(memrchr(text, ':', 1) == NULL, "none there");
	ok(memrchr(text, ':', 0) == NULL, "none in nothing");
	explicit_bzero(text, 3);
	is(memcmp(text, "\0\0\0:c", 5), 0, "explicit_bzero");
}

static void
test_flopen(void)
{
	char name[40];
	int a, b;

	snprintf(name, sizeof(name), "compat.%d.lock", (int)getpid());
	a = flopen(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
	ok(a != -1, "flopen");
	b = flopen(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
	is(b, -1, "a second time");
	is(errno, EWOULDBLOCK, "it is locked");
	unlink(name);
	b = flopen(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
	ok(b != -1, "a new file of that name is not");
	close(a);
	close(b);
	unlink(name);
}

/* In a process of its own: nothing of it comes back. */
static int
run(void (*what)(int), int arg)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		what(arg);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void
close_them(int fd)
{
	closefrom(fd);
	_exit(fcntl(fd - 1, F_GETFD) == -1 || fcntl(fd, F_GETFD) != -1);
}

static void
execute(int fd)
{
	static char sh[] = "sh", c[] = "-c", env1[] = "A=b",
	    command[] = "test \"$A$HOME\" = b";
	char *const argv[] = { sh, c, command, NULL };
	char *const env[] = { env1, NULL };

	execvpe("sh", argv, env);
}

static void
change_user(int uid)
{
	uid_t r, e, s;

	if (setresgid(uid, uid, uid) == -1 || setresuid(uid, uid, uid) == -1 ||
	    getresuid(&r, &e, &s) == -1)
		_exit(2);
	if ((int)r != uid || (int)e != uid || (int)s != uid || setuid(0) == 0)
		_exit(3);
	_exit(0);
}

static void
test_process(void)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) == -1)
		abort();
	is(run(close_them, fd[0] + 1), 0, "closefrom");
	is(run(execute, 0), 0, "execvpe: path and environment");
	if (geteuid() == 0)
		is(run(change_user, 65534), 0, "setresuid, for good");
	close(fd[0]);
	close(fd[1]);
}

int
main(void)
{
	test_descriptors();
	test_ppoll();
	test_memory();
	test_flopen();
	test_process();
	return done_testing();
}
