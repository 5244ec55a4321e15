/* SPDX-License-Identifier: ISC */
/* Listeners of a test. */
#ifndef LISTENING_H
#define LISTENING_H

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <stdint.h>
#include <stdlib.h>

/* At this address and port; 0 becomes the port that it got. */
static int
listen_at(const char *address, uint16_t *port, int backlog)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_port = htons(*port), .sin_addr.s_addr = inet_addr(address) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&in, len) == -1 ||
	    listen(fd, backlog) == -1 ||
	    getsockname(fd, (struct sockaddr *)&in, &len) == -1)
		abort();
	*port = ntohs(in.sin_port);
	return fd;
}

__attribute__((unused))
static int
listen_any(uint16_t *port)
{
	*port = 0;
	return listen_at("127.0.0.1", port, 8);
}

#endif
