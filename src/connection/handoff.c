/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "connection/handoff.h"
#include "net/fdpass.h"
#include "net/private_socket.h"
#include "os/clock.h"
#include "os/memory.h"
#include "os/signals.h"
#include "ws/extension.h"

#define HANDOFF_WAIT	1000	/* ms for a request to arrive whole */

/* Receipts.  Earlier processes knew the first one only, and just ended. */
#define TAKEN		'\0'
#define REFUSED		'N'

/*
 * What goes along with the bytes: the part up to MORE before them, with the
 * descriptor, and the rest behind them.  A process that keeps a session may be
 * of an earlier program: the first ones had only the first part, and read no
 * further than the bytes; later ones had more of it before the bytes.
 */
struct handoff_header {
	uint32_t len;
	char user[PEER_USER_MAX];	/* the last one: is there more? */
	char subject[TLS_SUBJECT_MAX];
	char via[NET_NAME_MAX];
};

#define MORE		offsetof(struct handoff_header, subject)
_Static_assert(MORE == 132, "as in all versions");

/*
 * How much of it goes before the bytes, the least first.  A process that wants
 * more there ends the connection, and gets more over the next one; one that says
 * that it refuses does not.
 */
static const size_t before_bytes[] = {
	MORE, offsetof(struct handoff_header, via),
	sizeof(struct handoff_header)
};

static char place[128];		/* boot and namespace, "" unknown */

void
handoff_prepare(void)
{
	struct stat st;
	char boot[64];
	ssize_t n;
	int fd;

	place[0] = '\0';
	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return;
	n = read(fd, boot, sizeof(boot) - 1);
	close(fd);
	if (n <= 0 || stat("/proc/self/ns/net", &st) == -1)
		return;
	boot[n] = '\0';
	snprintf(place, sizeof(place), "%s %llu", boot,
	    (unsigned long long)st.st_ino);
}

const char *
handoff_instance(void)
{
	static char token[EXTENSION_INSTANCE_LEN + 1] MEMORY_HOT;
	char hash[HASH_HEX], text[160];
	int n;

	if (place[0] == '\0')
		return "";
	n = snprintf(text, sizeof(text), "%s %u", place,
	    (unsigned int)geteuid());
	hash_sha256(hash, text, n);
	strlcpy(token, hash, sizeof(token));
	return token;
}

const char *
handoff_instance_field(void)
{
	static char field[64] MEMORY_HOT;

	if (handoff_instance()[0] == '\0')
		return "";
	snprintf(field, sizeof(field), "Inetws-Instance: %s\r\n",
	    handoff_instance());
	return field;
}

/* The name, of which an onlooker learns nothing about the session. */
static const char *
name_of(const char *session, char name[HASH_HEX])
{
	hash_sha256(name, session, strlen(session));
	return name;
}

int
handoff_listen(const char *session)
{
	char name[HASH_HEX];

	return private_socket_listen(name_of(session, name));
}

void
handoff_close(int listener, const char *session)
{
	char name[HASH_HEX];

	private_socket_close(listener, name_of(session, name));
}

static int
ready(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };

	return signals_wait(&p, 1, deadline) == -1 ? -1 : 0;
}

/* All of it, or -1. */
static int
receive(int fd, void *dst, size_t len, int64_t deadline)
{
	char *p = dst;
	ssize_t n;

	while (len > 0) {
		n = read(fd, p, len);
		if (n > 0) {
			p += n;
			len -= n;
		} else if (n == 0) {
			errno = ECONNRESET;
			return -1;
		} else if (errno != EINTR && (errno != EAGAIN ||
		    ready(fd, POLLIN, deadline) == -1))
			return -1;
	}
	return 0;
}

static int
transmit(int fd, const void *src, size_t len, int64_t deadline)
{
	const char *p = src;
	ssize_t n;

	while (len > 0) {
		n = send(fd, p, len, MSG_NOSIGNAL);
		if (n > 0) {
			p += n;
			len -= n;
		} else if (errno == EINTR) {
			continue;
		} else if (errno != EAGAIN ||
		    ready(fd, POLLOUT, deadline) == -1)
			return -1;
	}
	return 0;
}

/* With the bytes. */
static int
receive_all(int from, struct handoff_header *header, char *bytes, int *fd,
    int64_t deadline)
{
	char *more = &header->user[sizeof(header->user) - 1];
	int has_more;

	memset(header, 0, sizeof(*header));
	if (ready(from, POLLIN, deadline) == -1 ||
	    fdpass_take_bytes(from, header, MORE, fd) != MORE || *fd == -1 ||
	    header->len > HANDOFF_BYTES_MAX ||
	    receive(from, bytes, header->len, deadline) == -1)
		return -1;
	has_more = *more != '\0';
	*more = '\0';
	if (has_more && receive(from, (char *)header + MORE,
	    sizeof(*header) - MORE, deadline) == -1)
		return -1;
	header->subject[sizeof(header->subject) - 1] = '\0';
	header->via[sizeof(header->via) - 1] = '\0';
	return 0;
}

int
handoff_accept(int listener, struct handoff_request *request)
{
	static char bytes[HANDOFF_BYTES_MAX];
	struct handoff_header header;
	int64_t deadline = clock_ms() + HANDOFF_WAIT;
	int from, fd = -1;

	if ((from = private_socket_accept(listener)) == -1)
		return -1;
	if (receive_all(from, &header, bytes, &fd, deadline) == -1) {
		send(from, (char []){ REFUSED }, 1, MSG_NOSIGNAL);
		if (fd != -1)
			close(fd);
		close(from);
		return -1;
	}
	memcpy(request->subject, header.subject, sizeof(request->subject));
	memcpy(request->via, header.via, sizeof(request->via));
	memcpy(request->user, header.user, sizeof(request->user));
	request->fd = fd;
	request->receipt = from;
	request->bytes = bytes;
	request->len = header.len;
	return 0;
}

int
handoff_confirm(struct handoff_request *request)
{
	ssize_t n = send(request->receipt, (char []){ TAKEN }, 1, MSG_NOSIGNAL);

	close(request->receipt);
	request->receipt = -1;
	if (n == 1)
		return 0;
	close(request->fd);
	request->fd = -1;
	return -1;
}

static int
is_ended(void)
{
	return errno == ECONNRESET || errno == EPIPE;
}

/* Why did it take no more?  It may have said that it refuses. */
static int
not_sent(int to)
{
	int error = errno;
	char receipt;

	errno = is_ended() && read(to, &receipt, 1) == 1 &&
	    receipt == REFUSED ? ECONNREFUSED : error;
	return -1;
}

/* One that reads no further may have closed its end meanwhile. */
static int
hand_over(int to, const struct handoff_request *request, size_t head,
    int64_t deadline)
{
	struct handoff_header header;
	char receipt;

	memset(&header, 0, sizeof(header));
	header.len = request->len;
	strlcpy(header.user, request->user, sizeof(header.user));
	strlcpy(header.subject, request->subject, sizeof(header.subject));
	strlcpy(header.via, request->via, sizeof(header.via));
	if (head == MORE)
		header.user[sizeof(header.user) - 1] = 1;
	if (fdpass_send_bytes(to, &header, head, request->fd) == -1)
		return -1;
	if (transmit(to, request->bytes, request->len, deadline) == -1)
		return not_sent(to);
	if (head == MORE)
		transmit(to, (char *)&header + MORE, sizeof(header) - MORE,
		    deadline);
	if (receive(to, &receipt, 1, deadline) == -1)
		return -1;
	errno = ECONNREFUSED;
	return receipt == TAKEN ? 0 : -1;
}

int
handoff_send(const char *session, const struct handoff_request *request,
    int64_t deadline)
{
	char name[HASH_HEX];
	unsigned int i;
	int to, r = -1, saved;

	name_of(session, name);
	for (i = 0; i < sizeof(before_bytes) / sizeof(before_bytes[0]) &&
	    r == -1; i++) {
		if ((to = private_socket_connect(name, deadline)) == -1) {
			if (errno == ECONNREFUSED)
				errno = ENOENT;
			return -1;
		}
		r = hand_over(to, request, before_bytes[i], deadline);
		saved = errno;
		close(to);
		errno = saved;
		if (!is_ended())
			break;
	}
	return r;
}
