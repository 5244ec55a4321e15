/* SPDX-License-Identifier: ISC */
#include <sys/epoll.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <err.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pattern.h"
#include "target.h"

#define EVENTS	256
#define BACKLOG	4096

struct conn {
	int fd;
	enum { COMMAND, UPLOAD, DOWNLOAD, ECHO, REFUSED } state;
	unsigned char request[REQUEST_LEN];
	size_t have;		/* bytes of the request */
	uint64_t place;		/* in the pattern */
	uint64_t left;		/* bytes yet to come or go */
};

static unsigned char buf[PATTERN_MOST];

static void
want(int ep, struct conn *c, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = c };

	if (epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &ev) == -1)
		err(1, "target: epoll_ctl");
}

/* A whole answer of one byte; the peer waits for it, so there is room. */
static int
answer(struct conn *c, char byte)
{
	return send(c->fd, &byte, 1, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

/* The whole request has come. */
static int
begin(int ep, struct conn *c)
{
	uint32_t id;

	c->have = 0;
	switch (c->request[0]) {
	case 'h':
		return answer(c, 'h');
	case 'e':
		c->state = ECHO;
		return 0;
	}
	memcpy(&id, c->request + 1, sizeof(id));
	memcpy(&c->left, c->request + 5, sizeof(c->left));
	c->place = pattern_start(id);
	if (c->request[0] == 'u') {
		c->state = UPLOAD;
	} else {
		c->state = DOWNLOAD;
		want(ep, c, EPOLLOUT);
	}
	return 0;
}

/*
 * Tell the peer, who may be busy sending, and take the rest off the wire: were
 * it closed now, a reset could overtake the answer.
 */
static int
refuse(struct conn *c)
{
	c->state = REFUSED;
	return answer(c, 'x');
}

static int
discard(struct conn *c)
{
	ssize_t n;

	n = recv(c->fd, buf, sizeof(buf), 0);
	if (n == -1)
		return errno == EAGAIN ? 0 : -1;
	return n == 0 ? -1 : 0;
}

/* Requests of one byte are read as such, so nothing behind them is eaten. */
static int
command(int ep, struct conn *c)
{
	size_t need = c->have == 0 ? 1 : REQUEST_LEN;
	ssize_t n;

	n = recv(c->fd, c->request + c->have, need - c->have, 0);
	if (n == -1 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		return -1;
	c->have += n;
	if (strchr("hude", c->request[0]) == NULL || c->request[0] == '\0') {
		warnx("target: bytes that nobody announced");
		return refuse(c);
	}
	if (strchr("he", c->request[0]) != NULL || c->have == REQUEST_LEN)
		return begin(ep, c);
	return 0;
}

static int
upload(struct conn *c)
{
	size_t most = c->left < sizeof(buf) ? c->left : sizeof(buf);
	ssize_t n;

	n = recv(c->fd, buf, most, 0);
	if (n == -1 && errno == EAGAIN)
		return 0;
	if (n <= 0) {
		warnx("target: an upload ended %ju bytes early",
		    (uintmax_t)c->left);
		return -1;
	}
	if (memcmp(buf, pattern_at(c->place), n) != 0) {
		warnx("target: bytes differ, %ju bytes before the end",
		    (uintmax_t)c->left);
		return refuse(c);
	}
	c->place += n;
	c->left -= n;
	if (c->left > 0)
		return 0;
	c->state = COMMAND;
	return answer(c, 'k');
}

static int
download(int ep, struct conn *c)
{
	size_t most = c->left < PATTERN_MOST ? c->left : PATTERN_MOST;
	ssize_t n;

	n = send(c->fd, pattern_at(c->place), most, MSG_NOSIGNAL);
	if (n == -1)
		return errno == EAGAIN ? 0 : -1;
	c->place += n;
	c->left -= n;
	if (c->left == 0) {
		c->state = COMMAND;
		want(ep, c, EPOLLIN);
	}
	return 0;
}

/* Messages are small and each waits for the last: a short send is a fault. */
static int
echo(struct conn *c)
{
	ssize_t n;

	n = recv(c->fd, buf, sizeof(buf), 0);
	if (n == -1 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		return -1;
	return send(c->fd, buf, n, MSG_NOSIGNAL) == n ? 0 : -1;
}

static void
serve(int ep, struct conn *c)
{
	int ok = -1;

	switch (c->state) {
	case COMMAND:
		ok = command(ep, c);
		break;
	case UPLOAD:
		ok = upload(c);
		break;
	case DOWNLOAD:
		ok = download(ep, c);
		break;
	case ECHO:
		ok = echo(c);
		break;
	case REFUSED:
		ok = discard(c);
		break;
	}
	if (ok == -1) {
		close(c->fd);
		free(c);
	}
}

static void
welcome(int ep, int listener)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct conn *c;
	int fd, on = 1;

	while ((fd = accept4(listener, NULL, NULL,
	    SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if ((c = calloc(1, sizeof(*c))) == NULL)
			err(1, "target");
		c->fd = fd;
		ev.data.ptr = c;
		if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == -1)
			err(1, "target: epoll_ctl");
	}
	if (errno != EAGAIN && errno != ECONNABORTED)
		err(1, "target: accept");
}

static int
listen_on(int port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd, on = 1;

	sin.sin_port = htons(port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		err(1, "target: socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(fd, BACKLOG) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		err(1, "target: 127.0.0.1:%d", port);
	printf("port %d\n", ntohs(sin.sin_port));
	fflush(stdout);
	return fd;
}

int
target(int port)
{
	struct epoll_event ev = { .events = EPOLLIN }, evs[EVENTS];
	struct conn owner = { .fd = STDIN_FILENO }, listener = { 0 };
	int ep, i, n;

	listener.fd = listen_on(port);
	if ((ep = epoll_create1(EPOLL_CLOEXEC)) == -1)
		err(1, "target: epoll_create1");
	ev.data.ptr = &listener;
	if (epoll_ctl(ep, EPOLL_CTL_ADD, listener.fd, &ev) == -1)
		err(1, "target: epoll_ctl");
	ev.data.ptr = &owner;
	if (epoll_ctl(ep, EPOLL_CTL_ADD, owner.fd, &ev) == -1)
		err(1, "target: descriptor 0 must be a pipe");
	for (;;) {
		n = epoll_wait(ep, evs, EVENTS, -1);
		if (n == -1 && errno != EINTR)
			err(1, "target: epoll_wait");
		for (i = 0; i < n; i++) {
			if (evs[i].data.ptr == &owner)
				return 0;
			if (evs[i].data.ptr == &listener)
				welcome(ep, listener.fd);
			else
				serve(ep, evs[i].data.ptr);
		}
	}
}
