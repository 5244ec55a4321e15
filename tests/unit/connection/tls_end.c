/* SPDX-License-Identifier: ISC */
/*
 * The process that moves bytes between a connection and the owner of its
 * session, with plain sockets at both ends; its ppoll(2) is counted.
 *
 * If it fails: a resumed session behind TLS loses its last bytes, or a process
 * uses all of a processor.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connection/tls_end.h"
#include "os/fd.h"
#include "os/signals.h"
#include "tap.h"

static unsigned int *calls;		/* shared with the process under test */

#ifdef HAVE_LINUX
int
ppoll(struct pollfd *p, nfds_t n, const struct timespec *ts,
    const sigset_t *mask)
{
	struct timespec copy = ts != NULL ? *ts : (struct timespec){ 0 };

	if (calls != NULL)
		++*(volatile unsigned int *)calls;
	return (int)syscall(SYS_ppoll, p, n, ts != NULL ? &copy : NULL, mask,
	    8);
}
#endif

struct end {
	pid_t pid;
	int peer, owner;		/* what the test holds */
};

static struct end
start(void)
{
	struct end e;
	struct io io;
	int c[2], o[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, c) == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, o) == -1)
		abort();
	fflush(stdout);
	*calls = 0;
	if ((e.pid = fork()) == 0) {
		close(c[1]);
		close(o[1]);
		fd_nonblock(c[0]);
		fd_nonblock(o[0]);
		io = io_of(c[0]);
		tls_end_run(&io, o[0]);
		_exit(io.rfd == -1 ? 0 : 1);
	}
	close(c[0]);
	close(o[0]);
	e.peer = c[1];
	e.owner = o[1];
	return e;
}

static int
ended(struct end *e)
{
	int status;

	if (waitpid(e->pid, &status, 0) != e->pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* All that comes until the end of file; -1: it was no clean end. */
static ssize_t
all(int fd)
{
	static char waste[65536];
	ssize_t n, total = 0;

	while ((n = read(fd, waste, sizeof(waste))) > 0)
		total += n;
	return n == 0 ? total : -1;
}

static void
test_bytes(void)
{
	struct end e = start();
	char c = 0;

	is(write(e.peer, "a", 1), 1, "a byte for the owner");
	ok(read(e.owner, &c, 1) == 1 && c == 'a', "comes");
	is(write(e.owner, "b", 1), 1, "and one from it");
	ok(read(e.peer, &c, 1) == 1 && c == 'b', "likewise");
	shutdown(e.peer, SHUT_WR);
	is(read(e.owner, &c, 1), 0, "an end of file is passed on");
	is(write(e.owner, "cd", 2), 2, "the other direction goes on");
	shutdown(e.owner, SHUT_WR);
	is(all(e.peer), 2, "to its own end");
	is(ended(&e), 0, "then all is over");
	close(e.peer);
	close(e.owner);
}

/* What an owner wrote before it left still comes. */
static void
test_owner_leaves(void)
{
	static const char text[10000];
	struct end e = start();

	is(write(e.owner, text, sizeof(text)), sizeof(text), "(written)");
	close(e.owner);
	is(all(e.peer), sizeof(text), "the last bytes of an owner");
	is(ended(&e), 0, "and the end");
	close(e.peer);
}

/* A dead connection is always ready; its bytes wait for the owner. */
static void
test_rests(void)
{
	static const char text[65536];
	struct end e = start();
	ssize_t n, sent = 0;
	unsigned int before, more, tries = 0;

	for (;;) {
		struct pollfd p = { .fd = e.peer, .events = POLLOUT };

		if (poll(&p, 1, 300) == 0)
			break;		/* all is full */
		n = send(e.peer, text, sizeof(text), MSG_DONTWAIT);
		sent += n > 0 ? n : 0;
	}
	close(e.peer);
	do {			/* until it has moved what it can */
		before = *(volatile unsigned int *)calls;
		poll(NULL, 0, 300);
		more = *(volatile unsigned int *)calls - before;
	} while (more >= 20 && tries++ < 20);
	ok(more < 20, "it rests while the owner reads nothing (%u calls)",
	    more);
	shutdown(e.owner, SHUT_WR);
	is(all(e.owner), sent, "then all comes");
	is(ended(&e), 0, "and the end");
	close(e.owner);
}

int
main(void)
{
	calls = mmap(NULL, sizeof(*calls), PROT_READ | PROT_WRITE, MAP_SHARED |
	    MAP_ANONYMOUS, -1, 0);
	if (calls == MAP_FAILED)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	alarm(scaled(60));
	test_bytes();
	test_owner_leaves();
	test_rests();
	return done_testing();
}
