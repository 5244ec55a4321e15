/* SPDX-License-Identifier: ISC */
/*
 * forker PORT TO [N]: what a process for each connection costs at least.
 * Accepts on 127.0.0.1, forks, connects to port TO there, copies both ways,
 * exits.  No websocket, no sandbox, no log, nothing remembered; linked
 * statically.  With N it holds so many sockets, which its children close.
 */
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <err.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static struct sockaddr_in
local(const char *port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
	    .sin_port = htons(atoi(port)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void
write_all(int fd, const char *p, size_t n)
{
	ssize_t done;

	for (; n > 0; p += done, n -= done)
		if ((done = write(fd, p, n)) == -1)
			_exit(1);
}

static void
relay(int a, int b)
{
	static char buf[131072];
	struct pollfd p[2] = { { .fd = a, .events = POLLIN },
	    { .fd = b, .events = POLLIN } };
	int i, open = 2;
	ssize_t n;

	while (open > 0 && poll(p, 2, -1) > 0)
		for (i = 0; i < 2; i++) {
			if (p[i].revents == 0)
				continue;
			if ((n = read(p[i].fd, buf, sizeof(buf))) > 0) {
				write_all(i == 0 ? b : a, buf, n);
				continue;
			}
			shutdown(i == 0 ? b : a, SHUT_WR);
			p[i].fd = -1;
			open--;
		}
}

static void
hold(int n)
{
	while (n-- > 0)
		if (socket(AF_UNIX, SOCK_STREAM, 0) == -1)
			err(71, "socket");
}

int
main(int argc, char **argv)
{
	struct sockaddr_in here, there;
	int listener, s, t, one = 1, held = argc == 4 ? atoi(argv[3]) : 0;

	if (argc != 3 && argc != 4)
		errx(64, "usage: forker PORT TO [N]");
	hold(held);
	here = local(argv[1]);
	there = local(argv[2]);
	signal(SIGCHLD, SIG_IGN);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&here, sizeof(here)) == -1 ||
	    listen(listener, 1024) == -1)
		err(71, "cannot listen on port %s", argv[1]);
	for (;;) {
		if ((s = accept(listener, NULL, NULL)) == -1)
			continue;
		if (fork() != 0) {
			close(s);
			continue;
		}
		if (held > 0)
			close_range(3, s - 1, 0);
		else
			close(listener);
		t = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(t, (struct sockaddr *)&there,
		    sizeof(there)) == -1)
			_exit(69);
		setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		setsockopt(t, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		relay(s, t);
		_exit(0);
	}
}
