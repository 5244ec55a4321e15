/* SPDX-License-Identifier: ISC */
/*
 * Flags and numbers of descriptors.
 *
 * If it fails: a program that is started gets descriptors that are not its own,
 * or a child keeps those of the supervisor.
 */
#include <sys/resource.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "apart.h"
#include "os/fd.h"
#include "os/memory.h"
#include "tap.h"

static int is_private(int);

static int error;	/* of close(2), which closes all the same; or 0 */

int
close(int fd)
{
	if (syscall(SYS_close, fd) == -1)
		return -1;
	errno = error;
	return error != 0 ? -1 : 0;
}

/* A file on a disk that was full is not stored, which only close(2) may tell. */
static void
test_close(void)
{
	static const struct { int error, result; } t[] = { { 0, 0 },
	    { EIO, -1 }, { ENOSPC, -1 }, { EDQUOT, -1 }, { EINTR, 0 } };
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		error = t[i].error;
		is(fd_close(dup(STDIN_FILENO)), t[i].result, "an end of a file");
	}
	error = 0;
}

static void
test_is_at(void)
{
	char path[] = "/tmp/inetws-at.XXXXXX";
	int fd = mkstemp(path), other;

	is(fd_is_at(fd, path), 1, "a file is where it was made");
	is(fd_is_at(fd, "/dev/null"), 0, "and nowhere else");
	unlink(path);
	is(fd_is_at(fd, path), 0, "nor when it was removed");
	other = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	is(fd_is_at(fd, path), 0, "another one is there");
	is(fd_is_at(-1, path), 0, "one that was not opened");
	close(other);
	close(fd);
	unlink(path);
}

#ifdef HAVE_LINUX
/* Memory that children map for reading is changed by none of them. */
static void
test_seal(void)
{
	int fd = memory_file("test");

	ok(fd != -1 && is_private(fd), "a file in memory");
	is(write(fd, "text", 4), 4, "written");
	fd_seal(fd);
	ok(pwrite(fd, "x", 1, 0) == -1 && pwrite(fd, "x", 1, 4) == -1 &&
	    ftruncate(fd, 1) == -1 && ftruncate(fd, 9) == -1 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == -1,
	    "sealed: not changed, shortened or made longer");
	close(fd);
}

/* A lock that says that a process and its children live. */
static void
test_lock(void)
{
	char path[] = "/tmp/inetws-lock.XXXXXX";
	int fd = mkstemp(path), other = open(path, O_RDWR), child;
	struct flock l = { .l_type = F_WRLCK, .l_start = 7, .l_len = 1 };

	is(fd_lock_inherited(fd, 7), 0, "locked");
	child = dup(fd);
	close(fd);
	is(fcntl(other, F_OFD_SETLK, &l), -1, "as long as a copy is open");
	l.l_start = 6;
	is(fcntl(other, F_OFD_SETLK, &l), 0, "that byte alone");
	l.l_start = 8;
	is(fcntl(other, F_OFD_SETLK, &l), 0, "... and no other");
	close(child);
	l.l_start = 7;
	is(fcntl(other, F_OFD_SETLK, &l), 0, "and no longer");
	close(other);
	unlink(path);
}
#endif

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
	r.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &r);
	if (fd_reserve() != -1)
		return 2;
	r.rlim_cur = FD_KEPT;
	setrlimit(RLIMIT_NOFILE, &r);
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
	test_close();
	test_is_at();
#ifdef HAVE_LINUX
	test_seal();
	test_lock();
#endif
	return done_testing();
}
