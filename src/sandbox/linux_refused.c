/* SPDX-License-Identifier: ISC */
/* A debugging build names the calls that the filter refuses. */
#include "sandbox/linux_calls.h"

#ifdef SANDBOX_DEBUG

#include <sys/syscall.h>

#include <signal.h>
#include <unistd.h>

#include "os/log.h"

/* Made by the Makefile from this system's headers. */
static const struct {
	long number;
	const char *name;
} names[] = {
#include <sandbox_names.h>
};

static void
tell(int signo, siginfo_t *info, void *context)
{
	const char *name = "unknown";
	struct log_line l;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].number == info->si_syscall)
			name = names[i].name;
	log_begin(&l, LOG_L_ERROR, "sandbox");
	log_str(&l, "refused", name);
	log_num(&l, "number", info->si_syscall);
	log_end(&l);
	_exit(71);
}

void
sandbox_calls_tell_refused(void)
{
	struct sigaction sa = { .sa_sigaction = tell,
	    .sa_flags = SA_SIGINFO };

	sigaction(SIGSYS, &sa, NULL);
}

#else

void
sandbox_calls_tell_refused(void)
{
}

#endif
