/* SPDX-License-Identifier: ISC */
/*
 * What the next hop has acknowledged, on systems that tell little of it.
 *
 * If it fails: a request for a lost session counts as not received, and its
 * path is given up while a slow server is about to answer, again and again.
 */
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "net/socket.h"
#include "tap.h"

static socklen_t told;		/* bytes that the system tells */

/* In place of the C library's.  What it does not tell is as it was. */
int
getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
	if (level != IPPROTO_TCP || option != TCP_INFO || told == 0)
		return -1;
	if (*len > told)
		*len = told;
	memset(value, 1, *len);
	return 0;
}

/* So that no variable is 0 by chance. */
static void
spoil_stack(void)
{
	volatile unsigned char spoilt[4096];
	size_t i;

	for (i = 0; i < sizeof(spoilt); i++)
		spoilt[i] = 0xff;
}

static int
unacknowledged(void)
{
	spoil_stack();
	return net_unacknowledged(0);
}

static uint64_t
acknowledged(void)
{
	spoil_stack();
	return net_acknowledged(0);
}

static uint64_t
written(void)
{
	spoil_stack();
	return net_written(0);
}

int
main(void)
{
#if !defined(__linux__) || defined(COMPAT_ALL)
	puts("1..0 # skip only Linux is asked");
	return 0;
#else
	is(unacknowledged(), 0, "it is not told: nothing counts as on its way");
	is(acknowledged(), 0, "and nothing as arrived");
	ok(written() == UINT64_MAX, "and how much was written is not known");
	told = 4;
	is(unacknowledged(), 0, "4 bytes, as by qemu-user: the same");
	is(acknowledged(), 0, "and nothing as arrived");
	told = offsetof(struct tcp_info, tcpi_unacked) + 4;
	is(unacknowledged(), 1, "an early kernel's: something is on its way");
	is(acknowledged(), 0, "but not how much has arrived");
	ok(written() == UINT64_MAX, "nor how much that is");
	told = 4096;
	is(unacknowledged(), 1, "all of it: the same");
	is(acknowledged() > 0, 1, "and how much has arrived");
	ok(written() == UINT64_MAX, "more has arrived than was sent: not so");
	return done_testing();
#endif
}
