/* SPDX-License-Identifier: ISC */
/*
 * The file of a page can be truncated by its owner, and the disk can be full; a
 * process that touches a part that is missing gets SIGBUS.  This must not end a
 * tunnel or the supervisor, so the handler of SIGBUS maps anonymous memory
 * there.
 */
#include <sys/mman.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "stats/internal.h"

#define RANGES	2	/* our own page, and one that is read */

static struct {
	const char *p;
	size_t size;
} range[RANGES];
static volatile sig_atomic_t truncated;
static uintptr_t grain;		/* size of a memory page, in bytes */

static int
is_ours(const char *p)
{
	int i;

	for (i = 0; i < RANGES; i++)
		if (p >= range[i].p && p < range[i].p + range[i].size)
			return 1;
	return 0;
}

/*
 * Handles SIGBUS.  For a fault anywhere else the default action is restored:
 * the instruction is repeated, and then ends the process.
 */
static void
replace(int signo, siginfo_t *info, void *context)
{
	char *at = (char *)((uintptr_t)info->si_addr & ~(grain - 1));
	int e = errno;

	if (!is_ours(info->si_addr) || mmap(at, grain, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		signal(signo, SIG_DFL);
	truncated = 1;
	errno = e;
}

void
stats_guard(const void *p, size_t size)
{
	struct sigaction sa;
	int i;

	for (i = 0; i < RANGES && range[i].size != 0; i++)
		;
	if (i == RANGES)
		return;
	range[i].p = p;
	range[i].size = size;
	grain = (uintptr_t)getpagesize();
	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = replace;
	sa.sa_flags = SA_SIGINFO;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGBUS, &sa, NULL);
}

void
stats_unguard(const void *p)
{
	int i;

	for (i = 0; i < RANGES; i++)
		if (range[i].p == p)
			range[i].size = 0;
}

int
stats_was_truncated(void)
{
	return truncated;
}
