/* SPDX-License-Identifier: ISC */
/* If it fails: a secret is in a core dump, or there are too few descriptors. */
#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "sandbox/limits.h"
#include "tap.h"

int
main(void)
{
	struct rlimit r;

	is(limits_no_core(), 0, "core dumps are forbidden");
	getrlimit(RLIMIT_CORE, &r);
	is(r.rlim_cur, 0, "as the limit says");
	is(limits_descriptors(20), 0, "so are descriptors");
	ok(dup2(0, 19) == 19, "below it they are not");
	ok(dup2(0, 20) == -1 && errno == EBADF, "above it they are");
	is(limits_descriptors(30), 0, "a higher limit");
	getrlimit(RLIMIT_NOFILE, &r);
	is(r.rlim_max, 20, "does not raise it again");
	return done_testing();
}
