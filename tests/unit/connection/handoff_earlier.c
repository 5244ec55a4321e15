/* SPDX-License-Identifier: ISC */
/*
 * Handing connections over to a process of an earlier version that keeps a
 * session, and from one.
 *
 * If it fails: a session whose websocket is lost behind an upgrade is reset.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <stddef.h>
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

static int pair[2];

/* 0, or the error. */
static int
bring_some(void)
{
	struct handoff_request v = { .fd = pair[1], .user = "ann",
	    .subject = "CN=ann", .via = "192.0.2.1:1", .bytes = "xxxxxxxxxx",
	    .len = 10 };

	return handoff_send(session, &v, clock_ms() + SOON) == 0 ? 0 : errno;
}

/* What was before the bytes in earlier versions, and what it said. */
struct earlier {
	uint32_t len;
	char user[128], subject[256], via[128];
};

static const size_t heads[] = {
	offsetof(struct earlier, subject), offsetof(struct earlier, via),
	sizeof(struct earlier)
};

/*
 * Takes a hand-over as a process of an earlier version does: 1 and a receipt,
 * or 0 if it was not in its form.
 */
static int
take_as_earlier(int listener, size_t head, struct earlier *e, char *bytes)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	int from, fd = -1, good;

	if (poll(&p, 1, SOON) != 1 ||
	    (from = private_socket_accept(listener)) == -1)
		return 0;
	p.fd = from;
	poll(&p, 1, SOON);
	good = fdpass_take_bytes(from, e, head, &fd) == (ssize_t)head &&
	    fd != -1 && e->len == 10;
	p.events = POLLIN;
	good = good && poll(&p, 1, SOON) == 1 &&
	    read(from, bytes, 10) == 10 && write(from, "", 1) == 1;
	if (fd != -1)
		close(fd);
	close(from);
	return good;
}

static void
test_earlier_owner(void)
{
	struct earlier e;
	char bytes[10];
	size_t i;
	pid_t pid;
	int listener, tries;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		invent();
		listener = handoff_listen(session);
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
			abort();
		memset(&e, 0, sizeof(e));
		pid = aside(bring_some);
		for (tries = 0; tries < 3 && !take_as_earlier(listener,
		    heads[i], &e, bytes); tries++)
			;
		e.user[sizeof(e.user) - 1] = '\0';
		is_str(e.user, "ann", "a process of an earlier version");
		ok(memcmp(bytes, "xxxxxxxxxx", 10) == 0, "gets the bytes");
		is(status_of(pid), 0, "and its receipt comes");
		handoff_close(listener, session);
		close(pair[0]);
		close(pair[1]);
	}
}

/* As a process of the first versions did. */
static int
bring_as_earlier(void)
{
	struct earlier e = { .len = 10, .user = "ann" };
	char c, hash[HASH_HEX];
	int to;

	hash_sha256(hash, session, strlen(session));
	to = private_socket_connect(hash, clock_ms() + SOON);
	if (to == -1 || fdpass_send_bytes(to, &e, heads[0], pair[1]) == -1 ||
	    write(to, "0123456789", 10) != 10)
		return 1;
	while (read(to, &c, 1) == -1 && errno == EAGAIN)
		poll(&(struct pollfd){ .fd = to, .events = POLLIN }, 1, SOON);
	return c != '\0';
}

static void
test_earlier_sender(void)
{
	struct handoff_request v;
	struct pollfd p = { .events = POLLIN };
	pid_t pid;

	invent();
	p.fd = handoff_listen(session);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		abort();
	pid = aside(bring_as_earlier);
	is(poll(&p, 1, SOON) == 1 ? handoff_accept(p.fd, &v) : -1, 0,
	    "from a process of an earlier version");
	is_str(v.user, "ann", "of a user");
	is_str(v.subject, "", "without a subject");
	ok(v.len == 10 && memcmp(v.bytes, "0123456789", 10) == 0,
	    "with the bytes");
	handoff_confirm(&v);
	is(status_of(pid), 0, "and its receipt");
	close(v.fd);
	handoff_close(p.fd, session);
	close(pair[0]);
	close(pair[1]);
}

int
main(void)
{
	test_earlier_owner();
	test_earlier_sender();
	return done_testing();
}
