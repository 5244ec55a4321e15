/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "net/inherit.h"

/* socat writes IPv6 addresses in brackets. */
static int
print_numeric(const char *host, const char *port, char *dst, size_t size)
{
	struct addrinfo hints, *res;
	char bare[NET_NAME_MAX];
	size_t len;

	if (*host == '[')
		host++;
	len = strcspn(host, "]");
	if (len == 0 || len >= sizeof(bare))
		return -1;
	memcpy(bare, host, len);
	bare[len] = '\0';
	memset(&hints, 0, sizeof(hints));
	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	hints.ai_socktype = SOCK_STREAM;
	if (getaddrinfo(bare, port, &hints, &res) != 0)
		return -1;
	net_print(res->ai_addr, res->ai_addrlen, dst, size);
	freeaddrinfo(res);
	return 0;
}

void
inherit_peer(int fd, char *dst)
{
	static const struct {
		const char *host, *port;
	} env[] = {
		{ "TCPREMOTEIP", "TCPREMOTEPORT" },	/* tcpserver, tcpsvd */
		{ "REMOTE_ADDR", "REMOTE_PORT" },	/* systemd */
		{ "REMOTE_HOST", "REMOTE_PORT" },	/* xinetd */
		{ "SOCAT_PEERADDR", "SOCAT_PEERPORT" },
		{ "NCAT_REMOTE_ADDR", "NCAT_REMOTE_PORT" }
	};
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	const char *host, *port;
	size_t i;

	*dst = '\0';
	memset(&ss, 0, sizeof(ss));	/* AF_UNSPEC if it does not tell */
	(void)getpeername(fd, (struct sockaddr *)&ss, &len);
	if (ss.ss_family == AF_INET || ss.ss_family == AF_INET6) {
		net_print((struct sockaddr *)&ss, len, dst, NET_NAME_MAX);
		return;
	}
	for (i = 0; i < sizeof(env) / sizeof(env[0]); i++) {
		if ((host = getenv(env[i].host)) == NULL)
			continue;
		if ((port = getenv(env[i].port)) == NULL)
			port = "0";
		if (print_numeric(host, port, dst, NET_NAME_MAX) == 0)
			return;
	}
	if (ss.ss_family == AF_UNIX)
		net_print((struct sockaddr *)&ss, len, dst, NET_NAME_MAX);
}
