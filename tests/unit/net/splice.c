/* SPDX-License-Identifier: ISC */
/*
 * When bytes are moved inside the kernel, what is held meanwhile, and which
 * descriptors systemd has given us.
 *
 * If it fails: bytes are lost or counted twice, or every small message costs
 * system calls for nothing.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apart.h"
#include "net/listen_fds.h"
#include "net/splice.h"
#include "descriptors.h"
#include "tap.h"

static struct splice s, copy;

static void
test_when(void)
{
	int i;

	s = SPLICE_CLOSED;
	is(splice_ready(&s, 1), 0, "nothing was seen: it is not worth it");
	splice_saw(&s, 65535);
	is(s.bulk, 0, "less than 64 KiB at once is little");
	splice_saw(&s, 65536);
	is(s.bulk, 1, "64 KiB are much");
	for (i = 0; i < 3; i++)
		splice_saw(&s, 100);
	is(s.bulk, 1, "three short ones may be chance");
	splice_saw(&s, 16384);
	for (i = 0; i < 3; i++)
		splice_saw(&s, 16383);
	is(s.bulk, 1, "16 KiB are not short");
	splice_saw(&s, 16383);
	is(s.bulk, 0, "four in a row are the end");
}

static void
test_moving(void)
{
	char got[100];
	struct iovec iov = { got, sizeof(got) };
	int from[2], to[2], n = count_open(), full;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, from) == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, to) == -1)
		abort();
	s = copy = SPLICE_CLOSED;
	s.bulk = copy.bulk = 1;
	if (!splice_ready(&s, to[0])) {
		ok(1, "# SKIP no splice(2) here");
		return;
	}
	is(splice_ready(&copy, to[0]), 1, "(a pipe for a copy)");
	ok((fcntl(s.r, F_GETFD) & FD_CLOEXEC) &&
	    (fcntl(s.w, F_GETFL) & O_NONBLOCK), "a pipe that no program gets");
	ok(s.size >= 262144 && s.held == 0, "that holds enough, and nothing");
	full = s.r;
	is(splice_ready(&s, to[0]), 1, "it is there");
	is(s.r, full, "and not made again");
	is(splice_from(&s, from[0], 100), -1, "nothing to move");
	is(errno, EAGAIN, "is not waited for");
	is(s.refused, 0, "nor a refusal");
	is(write(from[1], "abcdefgh", 8), 8, "(eight bytes)");
	is(splice_from(&s, from[0], 6), 6, "six are moved");
	is(s.held, 6, "and held");
	is(splice_both(&s, &copy, 100), 6, "all of them twice");
	ok(copy.held == 6 && s.held == 6, "held in both");
	is(splice_to(&s, to[0], 4, 0), 4, "four go on");
	is(s.held, 2, "two are left");
	is(read(to[1], got, sizeof(got)), 4, "the first ones");
	ok(memcmp(got, "abcd", 4) == 0, "(abcd)");
	is(splice_read(&s, &iov, 1), 2, "the others are read");
	ok(memcmp(got, "ef", 2) == 0 && s.held == 0, "(ef)");
	is(splice_read(&s, &iov, 1), -1, "nothing more");
	is(s.held, 0, "(none)");
	is(splice_from(&s, from[0], 100), 2, "the rest");
	close(from[1]);
	is(splice_from(&s, from[0], 100), 0, "and the end");
	is(s.refused, 1, "after which reading tells what it is");
	is(splice_ready(&s, to[0]), 0, "so nothing is moved any more");
	splice_close(&s);
	ok(s.r == -1 && s.w == -1 && s.held == 0 && s.bulk == 0, "closed");
	splice_close(&s);
	splice_close(&copy);
	close(from[0]);
	close(to[0]);
	close(to[1]);
	is(count_open(), n, "nothing stays open");
}

/* What cannot be moved to. */
static void
test_refused(void)
{
	int fd = open("/dev/null", O_RDWR), n = count_open();

	s = SPLICE_CLOSED;
	s.bulk = 1;
	is(splice_ready(&s, fd), 0, "a device may take none");
	ok(s.refused && s.r == -1, "it is not asked again");
	is(count_open(), n, "no pipe is made");
	close(fd);
}

/* In a child: a user who has as many pages of pipes as there may be. */
static int
without_pages(void)
{
	int p[2], to[2], i, n;

	if (setresuid(54321, 54321, 54321) == -1 || pipe(to) == -1)
		return 1;
	for (i = 0; i < 200; i++)
		if (pipe(p) == -1 || fcntl(p[1], F_SETPIPE_SZ, 1048576) == -1)
			break;
	if (fcntl(to[1], F_SETPIPE_SZ, 262144) != -1)
		return 0;		/* there is no bound */
	n = count_open();
	s = SPLICE_CLOSED;
	s.bulk = 1;
	if (splice_ready(&s, to[1]) || !s.refused || s.r != -1)
		return 2;
	return count_open() == n ? 0 : 3;
}

static void
test_pages(void)
{
	if (geteuid() == 0)
		is(run(without_pages), 0, "without pages bytes are copied, "
		    "and no descriptor is left");
}

static void
named(int i, const char *name, int want)
{
	is(listen_fds_named(i, name), want, name);
}

static void
test_given(void)
{
	char pid[20];

	unsetenv("LISTEN_PID");
	setenv("LISTEN_FDS", "2", 1);
	setenv("LISTEN_FDNAMES", "web:metrics", 1);
	is(listen_fds_count(), 0, "nobody gave us any");
	snprintf(pid, sizeof(pid), "%d", (int)getpid() + 1);
	setenv("LISTEN_PID", pid, 1);
	is(listen_fds_count(), 0, "they are another process's");
	listen_fds_forget();
	ok(getenv("LISTEN_FDS") != NULL, "and stay that");
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	is(listen_fds_count(), 2, "two are ours");
	named(0, "web", 1);
	named(1, "metrics", 1);
	named(0, "we", 0);
	named(0, "webs", 0);
	named(1, "web", 0);
	named(2, "metrics", 0);
	setenv("LISTEN_FDS", "1000000", 1);
	is(listen_fds_count(), LISTEN_FDS_MAX, "more than there may be");
	setenv("LISTEN_FDS", "-1", 1);
	is(listen_fds_count(), 0, "nonsense is none");
	listen_fds_forget();
	ok(getenv("LISTEN_PID") == NULL && getenv("LISTEN_FDS") == NULL &&
	    getenv("LISTEN_FDNAMES") == NULL, "no program of ours gets them");
	named(0, "", 0);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	test_when();
	test_moving();
	test_refused();
	test_pages();
	test_given();
	return done_testing();
}
