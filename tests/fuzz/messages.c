/* SPDX-License-Identifier: ISC */
/*
 * Input: what another process, or the kernel, says to this one, in pieces: a
 * hand-over of a connection, the answers of a supervisor on a worker channel,
 * changes of the network, the path of a tunnel in memory that all share.
 * Asserted: texts end within their fields, lengths are those of what was sent,
 * nothing but IP is asked about, and no descriptor is left.
 */
#include <sys/socket.h>

#include <fcntl.h>
#include <unistd.h>

#include "connection/handoff.h"
#include "connection/path_table.h"
#include "connection/worker_channel.h"
#include "net/changes.h"
#include "net/fdpass.h"
#include "net/private_socket.h"
#include "os/clock.h"
#include "fuzz.h"

#define PIECES_MAX	64
#define NAME		"fuzz-messages"	/* with our number behind it */

int64_t __wrap_clock_ms(void);		/* in place of clock_ms() */
int __wrap_clock_poll(int64_t);		/* and of clock_poll() */
int __wrap_socket(int, int, int);
int __real_socket(int, int, int);

static int64_t now;
static int null = -1;
static int only_ip;			/* sockets of other kinds are wrong */

/* Each look is later, so that no wait is a long one. */
int64_t
__wrap_clock_ms(void)
{
	return now += 500;
}

/* Nothing is waited for in the time of the system, which is another one. */
int
__wrap_clock_poll(int64_t deadline)
{
	(void)deadline;
	return 0;
}

int
__wrap_socket(int domain, int type, int protocol)
{
	CHECK(!only_ip || domain == AF_INET || domain == AF_INET6);
	return __real_socket(domain, type, protocol);
}

static int
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static int
pair_of(int type, int fd[2])
{
	return socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd);
}

/* Pieces of the input, each with or without a descriptor; how many bytes. */
static size_t
say(struct input *in, int to, size_t first)
{
	char bytes[4096];
	size_t len, all = 0;
	const uint8_t *p;
	int i, fd;

	for (i = 0; i < PIECES_MAX && in->left > 0; i++) {
		fd = input_byte(in) % 4 == 0 ? -1 : null;
		p = input_bytes(in, 255, &len);
		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes, p, len);
		/* The first one has the size that is waited for. */
		if (i == 0 && first > 0)
			len = first;
		if (len == 0 || fdpass_send_bytes(to, bytes, len, fd) == -1)
			break;
		all += len;
	}
	return all;
}

static void
ends_within(const char *text, size_t size)
{
	CHECK(memchr(text, '\0', size) != NULL);
}

static void
handover(struct input *in)
{
	struct handoff_request r;
	char name[64];
	/* What is before the bytes in every version. */
	size_t header = sizeof(uint32_t) + sizeof(r.user), said;
	int listener, to, whole = input_byte(in) % 4 != 0;

	snprintf(name, sizeof(name), "%s-%d", NAME, (int)getpid());
	CHECK((listener = private_socket_listen(name)) != -1);
	to = private_socket_connect(name, clock_ms() + 100000);
	CHECK(to != -1);
	said = say(in, to, whole ? header : 0);
	close(to);
	memset(&r, 0xff, sizeof(r));
	if (handoff_accept(listener, &r) == 0) {
		ends_within(r.user, sizeof(r.user));
		ends_within(r.subject, sizeof(r.subject));
		ends_within(r.via, sizeof(r.via));
		CHECK(is_open(r.fd) && r.len <= HANDOFF_BYTES_MAX &&
		    header + r.len <= said);
		handoff_confirm(&r);
		CHECK(r.receipt == -1);
		close(r.fd);
	}
	private_socket_close(listener, name);
}

static void
channel(struct input *in)
{
	char peer[NET_NAME_MAX], why[64];
	unsigned int again = 0, how = input_byte(in);
	int fd[2], stream, r, i;

	CHECK(pair_of(SOCK_STREAM, fd) == 0);
	say(in, fd[0], how % 2 == 0 ? 1 + FDPASS_TEXT_MAX : 0);
	if (how % 4 < 2)
		shutdown(fd[0], SHUT_WR);
	if (how % 8 < 4) {
		r = how % 16 < 8 ? worker_ask_place(fd[1], now + 2000, why,
		    sizeof(why), &again) : worker_ask_park(fd[1], "name", "id",
		    "", now + 2000, why, sizeof(why), &again);
		CHECK(r >= -1 && r <= 1);
		if (r != 1)
			ends_within(why, sizeof(why));
	}
	for (i = 0; i < PIECES_MAX; i++) {
		stream = -1;
		if ((r = worker_take_stream(fd[1], &stream, peer)) == -1)
			break;
		if (r == 0)
			continue;
		CHECK(is_open(stream));
		ends_within(peer, sizeof(peer));
		close(stream);
	}
	close(fd[0]);
	close(fd[1]);
}

static void
network(struct input *in)
{
	struct net_changes c = NET_CHANGES_NONE;
	unsigned int what;
	int fd[2];

	CHECK(pair_of(SOCK_DGRAM, fd) == 0);
	say(in, fd[0], 0);
	c.route = fd[1];
	what = net_changes_take(&c);
	CHECK((what & ~(unsigned int)(NET_CHANGED | NET_APPEARED |
	    NET_WOKEN)) == 0);
	CHECK((what & NET_CHANGED) || !(what & NET_APPEARED));
	close(fd[0]);
	close(fd[1]);
}

static void
paths(struct input *in)
{
	struct path_change change = { .what = input_byte(in) %
	    (NET_CHANGED | NET_APPEARED | NET_WOKEN) };
	struct net_path p;
	const uint8_t *bytes;
	size_t len;

	change.what |= NET_CHANGED;
	bytes = input_bytes(in, sizeof(p), &len);
	memset(&p, 0, sizeof(p));
	memcpy(&p, bytes, len);
	path_table_be(0);
	path_table_up(&p);
	only_ip = 1;
	CHECK(path_table_concerns(0, &change) <= 1);
	only_ip = 0;
	path_table_clear(0);
	CHECK(path_table_concerns(0, &change) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	int before;

	if (null == -1) {
		CHECK((null = open("/dev/null", O_RDONLY | O_CLOEXEC)) != -1);
		CHECK(path_table_begin() == 0);
	}
	before = count_descriptors(is_open);
	switch (input_byte(&in) % 4) {
	case 0:
		handover(&in);
		break;
	case 1:
		channel(&in);
		break;
	case 2:
		network(&in);
		break;
	default:
		paths(&in);
	}
	CHECK(count_descriptors(is_open) == before);
	return 0;
}
