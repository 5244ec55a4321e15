/* SPDX-License-Identifier: ISC */
#include "run/start.h"

static void
open_log(const struct options *o, enum log_level level, int no_stderr)
{
	if (o->quiet)
		level = LOG_L_ERROR;
	else if (o->verbose > 0)
		level = LOG_L_DEBUG;
	log_open(o->syslog || no_stderr ? LOG_TO_SYSLOG : LOG_TO_STDERR,
	    level, "inetws");
}

int
start_failed(const struct why *why)
{
	log_event(LOG_L_ERROR, "start", "why", why->text, NULL);
	return why->status;
}

/* What a listener is set to, its connections are born with. */
static void
tune(const struct activation *a)
{
	unsigned int i;

	for (i = 0; i < a->nlisteners; i++)
		net_tune(a->listener[i]);
	if (a->rfd != -1)
		net_tune(a->rfd);
}

int
start(struct activation *a, const struct options *o, const struct addr *words,
    unsigned int n, enum log_level level)
{
	struct why why;
	int failed;

	failed = activate(a, words, n, &why) == -1;
	if (!failed) {
		activate_close_others(a);
		tune(a);
	}
	open_log(o, level, o->no_stderr || a->no_stderr);
	return failed ? start_failed(&why) : EXIT_ENDED;
}
