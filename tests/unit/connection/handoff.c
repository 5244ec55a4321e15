/* SPDX-License-Identifier: ISC */
/*
 * Handing connections over to the process that keeps a session.
 *
 * If it fails: a session that redials is lost, or another user gets it.
 */
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "connection/handoff.h"
#include "connection/handoff_session.h"
#include "net/fdpass.h"
#include "net/private_socket.h"
#include "os/clock.h"
#include "tap.h"

#define SOON	5000	/* ms */

/* At most so many bytes are sent at once; 0: none, as if the end had gone. */
static size_t most = SIZE_MAX;

ssize_t
send(int fd, const void *bytes, size_t len, int flags)
{
	if (most == 0) {
		errno = EPIPE;
		return -1;
	}
	return sendto(fd, bytes, len < most ? len : most, flags, NULL, 0);
}

static int pair[2];
static char big[HANDOFF_BYTES_MAX];

/* No two pieces of it are the same. */
static void
fill(char *to, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		to[i] = (char)(i % 251 + i / 251);
}

/* 0, or the error. */
static int
bring(size_t len)
{
	struct handoff_request v = { .fd = pair[1], .user = "ann",
	    .subject = "CN=ann", .via = "192.0.2.1:1", .bytes = big,
	    .len = len };

	fill(big, sizeof(big));
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
bring_in_pieces(void)
{
	most = 1000;
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
	int (*const bringer[])(void) = { bring_some, bring_all,
	    bring_in_pieces };
	size_t i, len[] = { 10, HANDOFF_BYTES_MAX, HANDOFF_BYTES_MAX };
	static char wanted[HANDOFF_BYTES_MAX];
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
	fill(wanted, sizeof(wanted));
	for (i = 0; i < 3; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
			abort();
		pid = aside(bringer[i]);
		is(answer(listener, &v), 0, "a connection comes");
		is((int)v.len, (int)len[i], "with bytes");
		ok(memcmp(v.bytes, wanted, v.len) == 0, "the right ones");
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
	is(status_of(pid), ECONNREFUSED, "which is told at once");
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

/* The process has no room for one more descriptor. */
static void
test_no_room(void)
{
	struct pollfd p = { .events = POLLIN };
	struct handoff_request v;
	struct rlimit old, few;
	pid_t pid;
	int next;

	invent();
	p.fd = handoff_listen(session);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1 ||
	    getrlimit(RLIMIT_NOFILE, &old) == -1)
		abort();
	pid = aside(bring_some);
	is(poll(&p, 1, SOON), 1, "a connection comes");
	next = dup(p.fd);
	close(next);
	few = old;
	few.rlim_cur = (rlim_t)next + 1;
	setrlimit(RLIMIT_NOFILE, &few);
	is(handoff_accept(p.fd, &v), -1, "and there is no room for it");
	setrlimit(RLIMIT_NOFILE, &old);
	is(status_of(pid), ECONNREFUSED, "which is told at once");
	is(poll(&p, 1, 0), 0, "it is not sent as to earlier processes");
	handoff_close(p.fd, session);
	close(pair[0]);
	close(pair[1]);
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

/*
 * What goes over the socket, as handoff.c has it: up to subject before the
 * bytes, the rest behind them if the last byte of user is not 0.
 */
struct letter {
	uint32_t len;
	char user[PEER_USER_MAX];
	char subject[TLS_SUBJECT_MAX];
	char via[NET_NAME_MAX];
};

#define BYTES	"0123456789"
#define BEFORE	offsetof(struct letter, subject)

/* In which way a hand-over comes. */
enum {
	BY_BYTE, LEAVES, HEADER_IN_TWO, ENDS_IN_HEADER, ENDS_IN_BYTES, NO_BYTES,
	ENDS_IN_REST, NO_DESCRIPTOR, TOO_LONG, STALLS
};

static int how;

static const char *
name_of(char name[HASH_HEX])
{
	hash_sha256(name, session, strlen(session));
	return name;
}

/* One byte, and waits until it has been read. */
static void
send_byte(int to, const char *p)
{
	int64_t end = clock_ms() + SOON;
	int queued = send(to, p, 1, MSG_NOSIGNAL) == 1;

	while (queued > 0 && clock_ms() < end &&
	    ioctl(to, TIOCOUTQ, &queued) == 0)
		poll(NULL, 0, 1);
}

/* Has the other end closed, or answered?  1 for a receipt. */
static int
receipt(int from)
{
	struct pollfd p = { .fd = from, .events = POLLIN };
	char c;

	return poll(&p, 1, SOON) == 1 && read(from, &c, 1) == 1 && c == '\0';
}

/* 0 with a receipt, 1 without, 2 if nothing was listening. */
static int
send_letter(void)
{
	struct letter l = { .len = sizeof(BYTES) - 1 };
	size_t i, first = BEFORE, bytes = l.len, rest = sizeof(l) - BEFORE;
	char name[HASH_HEX];
	int to = private_socket_connect(name_of(name), clock_ms() + SOON);

	if (to == -1)
		return 2;
	memset(l.user, 'u', sizeof(l.user));
	memset(l.subject, 's', sizeof(l.subject));
	memset(l.via, 'v', sizeof(l.via));
	if (how == HEADER_IN_TWO || how == ENDS_IN_HEADER)
		first = BEFORE - 1;
	if (how == TOO_LONG)
		l.len = HANDOFF_BYTES_MAX + 1;
	if (how == ENDS_IN_BYTES || how == STALLS)
		bytes--;
	else if (how == ENDS_IN_HEADER || how == NO_BYTES)
		bytes = 0;
	fdpass_send_bytes(to, &l, first, how == NO_DESCRIPTOR ? -1 : pair[1]);
	if (how == HEADER_IN_TWO)
		send_byte(to, (char *)&l + first);
	for (i = 0; i < bytes; i++)
		send_byte(to, BYTES + i);
	if (bytes < sizeof(BYTES) - 1)
		rest = 0;
	else if (how == ENDS_IN_REST)
		rest--;
	if (rest > 0) {
		send_byte(to, (char *)&l + BEFORE);
		send(to, (char *)&l + BEFORE + 1, rest - 1, MSG_NOSIGNAL);
	}
	if (how != BY_BYTE && how != LEAVES && how != STALLS)
		shutdown(to, SHUT_WR);
	return how == LEAVES ? 0 : !receipt(to);
}

/* The next descriptor that would be opened. */
static int
next_free(void)
{
	int fd = open("/dev/null", O_RDONLY);

	close(fd);
	return fd;
}

/*
 * The process of a letter that comes, as *came says; a busy machine may need more
 * than the second that it has.
 */
static pid_t
letter_comes(int listener, struct handoff_request *v, int *came)
{
	pid_t pid;
	int i;

	for (i = 0; ; i++) {
		pid = aside(send_letter);
		if ((*came = answer(listener, v)) == 0 || i == 2)
			return pid;
		status_of(pid);
	}
}

static void
test_by_byte(int listener)
{
	struct handoff_request v;
	int came;
	pid_t pid;

	how = BY_BYTE;
	pid = letter_comes(listener, &v, &came);
	is(came, 0, "a hand-over whose bytes come one by one");
	ok(v.len == 10 && memcmp(v.bytes, BYTES, 10) == 0, "with all of them");
	is((int)strlen(v.user), PEER_USER_MAX - 1, "a name without an end");
	is((int)strlen(v.subject), TLS_SUBJECT_MAX - 1, "a subject");
	is((int)strlen(v.via), NET_NAME_MAX - 1, "an address");
	handoff_confirm(&v);
	is(v.receipt, -1, "it is confirmed once");
	is(status_of(pid), 0, "which its sender sees");
	close(v.fd);
}

/* Its sender has ended the connection, which so nobody waits for any more. */
static void
test_too_late(int listener)
{
	struct handoff_request v;
	int before = next_free(), came;
	pid_t pid;

	how = LEAVES;
	pid = letter_comes(listener, &v, &came);
	is(came, 0, "a hand-over comes");
	is(status_of(pid), 0, "whose sender waits no more");
	is(handoff_confirm(&v), -1, "and cannot be confirmed");
	is(next_free(), before, "it is not kept open");
}

/* None of them is taken, and none leaves a descriptor behind. */
static void
test_pieces(void)
{
	static const char *const names[] = {
	    [HEADER_IN_TWO] = "a header in two pieces",
	    [ENDS_IN_HEADER] = "the end within the header",
	    [ENDS_IN_BYTES] = "the end within the bytes",
	    [NO_BYTES] = "the end before the bytes",
	    [ENDS_IN_REST] = "the end behind the bytes",
	    [NO_DESCRIPTOR] = "no descriptor", [TOO_LONG] = "too long",
	    [STALLS] = "no end, and nothing more" };
	struct handoff_request v;
	int64_t begin, took;
	pid_t pid;
	int listener, before;

	invent();
	listener = handoff_listen(session);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		abort();
	before = next_free();
	test_by_byte(listener);
	test_too_late(listener);
	is(next_free(), before, "nothing is left open");
	for (how = HEADER_IN_TWO; how <= STALLS; how++) {
		pid = aside(send_letter);
		begin = clock_ms();
		is(answer(listener, &v), -1, names[how]);
		took = clock_ms() - begin;
		is(status_of(pid), 1, "is not confirmed");
		is(next_free(), before, "and leaves nothing open");
		if (how == STALLS)
			ok(took >= 1000, "waits a second (%d ms)", (int)took);
	}
	handoff_close(listener, session);
	close(pair[0]);
	close(pair[1]);
}

/*
 * The process that keeps the session takes it and gives no receipt; if that is
 * an end, what comes in the forms of earlier versions neither.
 */
static int
take_silently(int listener, int stays)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	int from, fd, times;
	char c;

	for (times = 0; times < (stays ? 1 : 3); times++) {
		p.fd = listener;
		if (poll(&p, 1, SOON) != 1 ||
		    (from = private_socket_accept(listener)) == -1)
			return 1;
		p.fd = from;
		while (poll(&p, 1, SOON) == 1 &&
		    fdpass_take_bytes(from, &c, 1, &fd) == 1 && stays)
			;
		close(from);
	}
	return 0;
}

static void
test_no_receipt(void)
{
	struct handoff_request v = { .bytes = BYTES, .len = 10 };
	char name[HASH_HEX];
	int64_t begin, took;
	pid_t pid;
	int listener, stays, before;

	invent();
	listener = private_socket_listen(name_of(name));
	v.fd = listener;
	before = next_free();
	for (stays = 0; stays < 2; stays++) {
		if ((pid = fork()) == 0)
			_exit(take_silently(listener, stays));
		begin = clock_ms();
		is(handoff_send(session, &v, begin + (stays ? 200 : SOON)), -1,
		    stays ? "no receipt in time" : "an end without a receipt");
		took = clock_ms() - begin;
		ok(stays ? took >= 200 && took < SOON : took < SOON,
		    "after %d ms", (int)took);
		is(status_of(pid), 0, "it had come");
		is(next_free(), before, "nothing is left open");
	}
	most = 0;
	is(handoff_send(session, &v, clock_ms() + SOON), -1, "a process "
	    "that is gone before the bytes");
	is(errno, EPIPE, "and the error");
	is(next_free(), before, "nothing is left open");
	most = SIZE_MAX;
	private_socket_close(listener, name);
}

int
main(void)
{
	test_hand_over();
	test_refused();
	test_no_room();
	test_crowd();
	test_pieces();
	test_no_receipt();
	return done_testing();
}
