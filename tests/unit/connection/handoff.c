/* SPDX-License-Identifier: ISC */
/*
 * Handing connections over to the process that keeps a session.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connection/handoff.h"
#include "os/clock.h"
#include "tap.h"

#define SOON	5000	/* ms */

static char session[33];

/* A name that no other run has. */
static void
invent(void)
{
	static const char digits[] = "0123456789abcdef";
	int i;

	for (i = 0; i < 32; i++)
		session[i] = digits[arc4random_uniform(16)];
}

/* Runs f in another process; its exit status is what f returns. */
static pid_t
aside(int (*f)(void))
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(f());
	return pid;
}

static int
status_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int pair[2];
static char big[HANDOFF_BYTES_MAX];

/* 0, or the error. */
static int
bring(size_t len)
{
	struct handoff_request v = { .fd = pair[1], .user = "ann",
	    .subject = "CN=ann", .via = "192.0.2.1:1", .bytes = big,
	    .len = len };

	memset(big, 'x', sizeof(big));
	return handoff_send(session, &v, clock_ms() + SOON) == 0 ? 0 : errno;
}

static int
bring_some(void)
{
	return bring(10);
}

static int
bring_all(void)
{
	return bring(HANDOFF_BYTES_MAX);
}

static int
bring_too_much(void)
{
	static char more[HANDOFF_BYTES_MAX + 1];
	struct handoff_request v = { .fd = pair[1], .bytes = more,
	    .len = sizeof(more) };

	return handoff_send(session, &v, clock_ms() + SOON) == 0 ? 0 : errno;
}

static int
bring_as_nobody(void)
{
	if (setgroups(0, NULL) == -1 || setgid(65534) == -1 ||
	    setuid(65534) == -1)
		return 99;
	return bring(10);
}

/* Waits for a connection and accepts it.  As handoff_accept(). */
static int
answer(int listener, struct handoff_request *v)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };

	if (poll(&p, 1, SOON) != 1)
		return -1;
	return handoff_accept(listener, v);
}

static void
test_hand_over(void)
{
	int (*const bringer[])(void) = { bring_some, bring_all };
	size_t i, len[] = { 10, HANDOFF_BYTES_MAX };
	struct handoff_request v;
	pid_t pid;
	char c;
	int listener;

	invent();
	ok(bring_some() == ENOENT, "no process keeps such a session");
	listener = handoff_listen(session);
	ok(listener != -1, "a handoff socket");
	ok(handoff_listen(session) == -1 && errno == EADDRINUSE, "not two");
	ok(handoff_accept(listener, &v) == -1, "no connection yet");
	for (i = 0; i < 2; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
			abort();
		pid = aside(bringer[i]);
		is(answer(listener, &v), 0, "a connection comes");
		is((int)v.len, (int)len[i], "with bytes");
		ok(memchr(v.bytes, 'x', 1) != NULL &&
		    v.bytes[v.len - 1] == 'x', "the right ones");
		is_str(v.user, "ann", "of a user");
		is_str(v.subject, "CN=ann", "and of a certificate");
		is_str(v.via, "192.0.2.1:1", "from an address");
		handoff_confirm(&v);
		is(status_of(pid), 0, "and gets a receipt");
		close(pair[1]);
		ok(write(v.fd, "!", 1) == 1 && read(pair[0], &c, 1) == 1 &&
		    c == '!', "the connection is the one that was brought");
		close(v.fd);
		close(pair[0]);
	}
	handoff_close(listener, session);
	ok(bring_some() == ENOENT, "it is closed");
}

static void
test_refused(void)
{
	struct handoff_request v;
	pid_t pid;
	int listener, s;

	invent();
	listener = handoff_listen(session);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		abort();
	pid = aside(bring_too_much);
	is(answer(listener, &v), -1, "more bytes than there is room for");
	ok(status_of(pid) != 0, "no receipt");
	if (geteuid() == 0) {
		pid = aside(bring_as_nobody);
		is(answer(listener, &v), -1, "another user");
		s = status_of(pid);
		ok(s != 0 && s != 99, "no receipt");
	} else {
		ok(1, "# SKIP another user: needs root");
		ok(1, "# SKIP another user: needs root");
	}
	handoff_close(listener, session);
}

static int
bring_patiently(void)
{
	return bring(1);
}

/* More come at once than may wait in the queue. */
static void
test_crowd(void)
{
	enum { CROWD = 20 };
	struct handoff_request v;
	pid_t pid[CROWD];
	int listener, i, served = 0, receipts = 0;

	invent();
	listener = handoff_listen(session);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		abort();
	for (i = 0; i < CROWD; i++)
		pid[i] = aside(bring_patiently);
	for (i = 0; i < CROWD; i++)
		if (answer(listener, &v) == 0) {
			handoff_confirm(&v);
			close(v.fd);
			served++;
		}
	for (i = 0; i < CROWD; i++)
		receipts += status_of(pid[i]) == 0;
	is(served, CROWD, "a crowd is served");
	is(receipts, CROWD, "and each gets a receipt");
	handoff_close(listener, session);
	close(pair[0]);
	close(pair[1]);
}

int
main(void)
{
	test_hand_over();
	test_refused();
	test_crowd();
	return done_testing();
}
