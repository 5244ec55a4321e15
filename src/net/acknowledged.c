/* SPDX-License-Identifier: ISC */
/*
 * In a file of its own: the kernel's header, whose struct is the longer one,
 * and that of the C library exclude each other.
 */
#include <sys/socket.h>

#include <netinet/in.h>

#include <stddef.h>
#include <stdint.h>

#ifdef HAVE_LINUX
#include <linux/tcp.h>
#endif

#include "net/socket.h"

uint64_t
net_acknowledged(int fd)
{
#ifdef HAVE_LINUX
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
	    len >= offsetof(struct tcp_info, tcpi_bytes_acked) +
	    sizeof(info.tcpi_bytes_acked))
		return info.tcpi_bytes_acked;
#endif
	return 0;
}

int
net_unacknowledged(int fd)
{
#ifdef HAVE_LINUX
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == -1)
		return 0;
	return info.tcpi_unacked > 0 ||
	    (len >= offsetof(struct tcp_info, tcpi_notsent_bytes) +
	    sizeof(info.tcpi_notsent_bytes) && info.tcpi_notsent_bytes > 0);
#else
	(void)fd;
	return 0;
#endif
}
