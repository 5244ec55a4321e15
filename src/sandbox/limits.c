/* SPDX-License-Identifier: ISC */
#ifdef HAVE_LINUX
#include <sys/prctl.h>
#endif
#include <sys/resource.h>

#include "os/memory.h"
#include "sandbox/limits.h"

int
limits_no_core(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_CORE, &r) == -1)
		return -1;
	r.rlim_cur = 0;
	return setrlimit(RLIMIT_CORE, &r);
}

int
limits_not_dumpable(void)
{
#ifdef HAVE_LINUX
	static int is_done MEMORY_HOT;

	if (!is_done && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return -1;
	is_done = 1;
	return 0;
#else
	return 0;
#endif
}

int
limits_descriptors(unsigned int n)
{
	struct rlimit r = { .rlim_cur = n, .rlim_max = n };
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_max < n)
		return 0;
	return setrlimit(RLIMIT_NOFILE, &r);
}
