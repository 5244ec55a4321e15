/* SPDX-License-Identifier: ISC */
/*
 * Flags and numbers of descriptors.
 *
 * If it fails: a program that is started gets descriptors that are not its own,
 * or a child keeps those of the supervisor.
 */
#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "apart.h"
#include "os/fd.h"
#include "tap.h"

static int
is_private(int fd)
{
	return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

static void
test_flags(void)
{
	int p[2];

	is(pipe(p), 0, "(a pipe)");
	is(fd_nonblock(p[0]), 0, "set");
	ok(fcntl(p[0], F_GETFL) & O_NONBLOCK, "non-blocking");
	ok(is_private(p[0]), "close-on-exec");
	is(fd_nonblock(p[1]), 0, "set");
	is(fcntl(p[1], F_GETFL) & O_ACCMODE, O_WRONLY, "as it was else");
	close(p[0]);
	close(p[1]);
	is(fd_nonblock(p[0]), -1, "of none");
	is(errno, EBADF, "which is told");
}

static void
test_kept(void)
{
	int p[2], first, second;

	is(pipe(p), 0, "(a pipe)");
	is(fd_kept_most(), 0, "none is kept yet");
	first = fd_keep(p[0]);
	ok(first >= FD_KEPT && is_private(first), "kept with a high number");
	is(fcntl(p[0], F_GETFD), -1, "and no longer with its own");
	is(fd_kept_most(), first, "the highest");
	is(fd_keep(first), first, "once is enough");
	second = fd_keep(p[1]);
	ok(second > first && fd_kept_most() == second, "the highest now");
	is(write(second, "x", 1), 1, "it is what it was");
	fd_keep(first);
	is(fd_kept_most(), second, "and stays that");
	close(second);
	first = fd_reserve();
	ok(first >= FD_KEPT && is_private(first), "one that is held");
	close(first);
}

/* In a process of its own, which has few descriptors. */
static int
few(void)
{
	struct rlimit r;
	int fd = dup(0), held;

	getrlimit(RLIMIT_NOFILE, &r);
	r.rlim_cur = FD_KEPT;
	setrlimit(RLIMIT_NOFILE, &r);
	held = fd_reserve();
	return fd_keep(fd) == -1 && fcntl(fd, F_GETFD) != -1 && held == -1 &&
	    dup(0) == fd + 1 ? 0 : 1;
}

static int
limit(void)
{
	struct rlimit r;

	r.rlim_cur = 40;
	r.rlim_max = 64;
	setrlimit(RLIMIT_NOFILE, &r);
	if (fd_limit_raise() != 64 || fd_limit_raise() != 64)
		return 1;
	getrlimit(RLIMIT_NOFILE, &r);
	if (r.rlim_cur != 64)
		return 2;
	fd_limit_restore();
	getrlimit(RLIMIT_NOFILE, &r);
	return r.rlim_cur == 40 && r.rlim_max == 64 ? 0 : 3;
}

static char dir[] = "/tmp/inetws-fd.XXXXXX";

/* Without a /dev. */
static int
bare(void)
{
	char c;
	int fd;

	if (chroot(dir) == -1 || chdir("/") == -1)
		return 1;
	fd = fd_null(O_RDONLY);
	return fd != -1 && is_private(fd) && read(fd, &c, 1) == 0 &&
	    write(fd, "x", 1) == -1 ? 0 : 2;
}

static void
test_null(void)
{
	int fd = fd_null(O_RDWR);
	char c;

	ok(read(fd, &c, 1) == 0 && write(fd, "x", 1) == 1, "/dev/null");
	ok(is_private(fd), "close-on-exec");
	close(fd);
	if (geteuid() != 0 || mkdtemp(dir) == NULL)
		return;
	is(run(bare), 0, "without devices it is empty as well");
	rmdir(dir);
}

int
main(void)
{
	test_flags();
	test_kept();
	is(run(few), 0, "few descriptors: what is not kept stays as it was");
	is(run(limit), 0, "the limit is raised, and put back");
	test_null();
	return done_testing();
}
