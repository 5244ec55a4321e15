/* SPDX-License-Identifier: ISC */
/*
 * In a file of its own: the kernel's header, whose struct is the longer one,
 * and that of the C library exclude each other.
 */
#include <sys/socket.h>

#include <netinet/in.h>

#include <stdint.h>

#ifdef HAVE_LINUX
#include <linux/tcp.h>
#endif

#include "net/socket.h"

#ifdef HAVE_LINUX
/* What the kernel, or who stands in for one, does not tell is 0. */
static struct tcp_info
ask(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info;
}
#endif

uint64_t
net_acknowledged(int fd)
{
#ifdef HAVE_LINUX
	return ask(fd).tcpi_bytes_acked;
#else
	(void)fd;
	return 0;
#endif
}

/* A SYN of ours counts as one byte. */
uint64_t
net_written(int fd)
{
#ifdef HAVE_LINUX
	struct tcp_info info = ask(fd);
	uint64_t end = info.tcpi_bytes_sent - info.tcpi_bytes_retrans +
	    info.tcpi_notsent_bytes + 1;

	if (info.tcpi_bytes_sent > 0 && end >= info.tcpi_bytes_acked)
		return end;
#else
	(void)fd;
#endif
	return UINT64_MAX;
}

int
net_unacknowledged(int fd)
{
#ifdef HAVE_LINUX
	struct tcp_info info = ask(fd);

	return info.tcpi_unacked > 0 || info.tcpi_notsent_bytes > 0;
#else
	(void)fd;
	return 0;
#endif
}
