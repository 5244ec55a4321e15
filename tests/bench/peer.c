/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>
#include <sys/uio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "pattern.h"
#include "peer.h"

/* The largest payload that every known server takes in one frame. */
#define FRAME_MOST	65535

/* RFC 6455 section 5.2 */
#define FIN		0x80
#define BINARY		0x02
#define CLOSE		0x08
#define MASKED		0x80

/* RFC 6455 section 4.1; nobody here checks what answer the key gets. */
static const char upgrade[] =
	"GET / HTTP/1.1\r\n"
	"Host: 127.0.0.1\r\n"
	"Upgrade: websocket\r\n"
	"Connection: Upgrade\r\n"
	"Sec-WebSocket-Version: 13\r\n"
	"Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\n\r\n";

static unsigned char buf[PATTERN_MOST];

int
peer_connect(struct peer *p, int port, int ws)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int on = 1;

	memset(p, 0, sizeof(*p));
	p->ws = ws;
	sin.sin_port = htons(port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd == -1)
		return -1;
	setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(p->fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 &&
	    errno != EINPROGRESS)
		return -1;
	return 0;
}

int
peer_wants_out(const struct peer *p)
{
	return p->state == PEER_CONNECTING;
}

static int
connected(struct peer *p)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		return -1;
	if (error != 0) {
		errno = error;
		return -1;
	}
	if (!p->ws) {
		p->state = PEER_OPEN;
		return 1;
	}
	if (send(p->fd, upgrade, sizeof(upgrade) - 1, MSG_NOSIGNAL) !=
	    sizeof(upgrade) - 1)
		return -1;
	p->state = PEER_UPGRADING;
	return 0;
}

/*
 * The answer's head is looked at only as far as a benchmark needs: it begins
 * with 101 and ends with an empty line.  The target never speaks first, so no
 * frame follows it.  in_head keeps its first 12 and last 4 bytes.
 */
static int
upgraded(struct peer *p)
{
	ssize_t n, i;

	n = recv(p->fd, buf, sizeof(buf), 0);
	if (n == -1)
		return errno == EAGAIN ? 0 : -1;
	if (n == 0) {
		errno = EPROTO;
		return -1;
	}
	for (i = 0; i < n; i++) {
		if (p->in_head_len < 16) {
			p->in_head[p->in_head_len++] = buf[i];
			continue;
		}
		memmove(p->in_head + 12, p->in_head + 13, 3);
		p->in_head[15] = buf[i];
	}
	if (p->in_head_len < 16 || memcmp(p->in_head + 12, "\r\n\r\n", 4) != 0)
		return 0;
	if (memcmp(p->in_head, "HTTP/1.1 101", 12) != 0) {
		errno = EPROTO;
		return -1;
	}
	p->in_head_len = 0;
	p->state = PEER_OPEN;
	return 1;
}

int
peer_step(struct peer *p)
{
	if (p->state == PEER_CONNECTING)
		return connected(p);
	if (p->state == PEER_UPGRADING)
		return upgraded(p);
	return 1;
}

static size_t
frame_head(unsigned char *head, int opcode, size_t len,
    const unsigned char key[4])
{
	size_t n = 2;

	head[0] = FIN | opcode;
	if (len < 126) {
		head[1] = MASKED | len;
	} else {
		head[1] = MASKED | 126;
		head[2] = len >> 8;
		head[3] = len & 0xff;
		n = 4;
	}
	memcpy(head + n, key, 4);
	return n + 4;
}

int
peer_say(struct peer *p, const void *data, size_t len)
{
	static const unsigned char key[4] = { 0x12, 0xa7, 0x3c, 0xe9 };
	unsigned char frame[14 + 125];
	const unsigned char *from = data;
	size_t i, n = 0;

	if (p->ws) {
		n = frame_head(frame, BINARY, len, key);
		for (i = 0; i < len; i++)
			frame[n + i] = from[i] ^ key[i % 4];
		from = frame;
	}
	return send(p->fd, from, n + len, MSG_NOSIGNAL) == (ssize_t)(n + len) ?
	    0 : -1;
}

/* Account for what the socket took of head and payload. */
static void
pushed(struct peer *p, size_t n)
{
	size_t head = p->out_head_len - p->out_head_off;

	if (n < head) {
		p->out_head_off += n;
		return;
	}
	n -= head;
	p->out_head_off = p->out_head_len;
	p->out_place += n;
	p->out_left -= n;
	p->out_frame += n;
	p->out_frame_left -= n;
}

/* Without websocket a frame is just a piece without a head. */
static void
next_frame(struct peer *p)
{
	size_t most = p->ws ? FRAME_MOST : PATTERN_MOST;
	unsigned char key[4];

	p->out_frame_left = p->out_left < most ? p->out_left : most;
	if (!p->ws) {
		p->out_frame = pattern_at(p->out_place);
		return;
	}
	p->out_frame = pattern_masked_at(p->out_place, key);
	p->out_head_len = frame_head(p->out_head, BINARY, p->out_frame_left,
	    key);
	p->out_head_off = 0;
}

int
peer_push(struct peer *p)
{
	struct iovec iov[2];
	ssize_t n;

	while (p->out_left > 0) {
		if (p->out_frame_left == 0)
			next_frame(p);
		iov[0].iov_base = p->out_head + p->out_head_off;
		iov[0].iov_len = p->out_head_len - p->out_head_off;
		iov[1].iov_base = (void *)p->out_frame;
		iov[1].iov_len = p->out_frame_left;
		n = writev(p->fd, iov, 2);
		if (n == -1)
			return errno == EAGAIN ? 0 : -1;
		pushed(p, n);
	}
	return 0;
}

/* Bytes that a head of this beginning has; servers do not mask. */
static size_t
head_size(const unsigned char *head, size_t have)
{
	if (have < 2)
		return 2;
	switch (head[1]) {
	case 126:
		return 4;
	case 127:
		return 10;
	default:
		return 2;
	}
}

static void
head_done(struct peer *p)
{
	size_t i;

	p->in_left = p->in_head[1];
	if (p->in_head_len > 2)
		p->in_left = 0;
	for (i = 2; i < p->in_head_len; i++)
		p->in_left = p->in_left << 8 | p->in_head[i];
	p->in_control = p->in_head[0] & CLOSE;
	p->in_head_len = 0;
}

/* Take frames apart; the payload of control frames is skipped. */
static int
unframe(struct peer *p, const unsigned char *from, size_t len,
    peer_taker *take)
{
	size_t n;

	while (len > 0) {
		if (p->in_left == 0) {
			p->in_head[p->in_head_len++] = *from++;
			len--;
			if (p->in_head_len ==
			    head_size(p->in_head, p->in_head_len))
				head_done(p);
			continue;
		}
		n = p->in_left < len ? p->in_left : len;
		if (!p->in_control && take(p, from, n) == -1)
			return -1;
		p->in_left -= n;
		from += n;
		len -= n;
	}
	return 1;
}

int
peer_pull(struct peer *p, peer_taker *take)
{
	ssize_t n;

	n = recv(p->fd, buf, sizeof(buf), 0);
	if (n == -1)
		return errno == EAGAIN ? 0 : -1;
	if (n == 0) {
		errno = 0;
		return -1;
	}
	if (p->ws)
		return unframe(p, buf, n, take);
	return take(p, buf, n) == -1 ? -1 : 1;
}

void
peer_close(struct peer *p)
{
	static const unsigned char key[4];
	unsigned char frame[8];
	size_t n;

	if (p->ws && p->state == PEER_OPEN) {
		n = frame_head(frame, CLOSE, 2, key);
		frame[n] = 1000 >> 8;
		frame[n + 1] = 1000 & 0xff;
		send(p->fd, frame, n + 2, MSG_NOSIGNAL);
	}
	close(p->fd);
	p->fd = -1;
}
