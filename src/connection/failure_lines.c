/* SPDX-License-Identifier: ISC */
#include "connection/failure_lines.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/memory.h"
#include "stats/page.h"

#define WANTED	128	/* in an exit status; those of sysexits are below */

static int forbidden MEMORY_HOT;	/* of this process: it may log none */
static int asked MEMORY_HOT;	/* it wanted to */

/* A second begins: nothing of it is used up. */
static void
look_at_clock(struct failure_lines *f, int64_t now)
{
	if (now / 1000 == f->second)
		return;
	f->second = now / 1000;
	f->lines = 0;
}

int64_t
failure_lines_grant(struct failure_lines *f, int64_t now)
{
	look_at_clock(f, now);
	if (f->lines == FAILURE_LINES_A_SECOND)
		return 0;
	f->lines++;
	return f->second;
}

void
failure_lines_ended(struct failure_lines *f, int64_t grant, int wanted,
    int64_t now)
{
	look_at_clock(f, now);
	if (wanted && grant == 0)
		f->left_out++;
	else if (!wanted && grant == f->second)
		f->lines--;
}

uint64_t
failure_lines_left_out(struct failure_lines *f, int64_t now)
{
	uint64_t n = f->left_out;

	if (n == 0 || now < failure_lines_time(f))
		return 0;
	f->left_out = 0;
	return n;
}

int64_t
failure_lines_time(const struct failure_lines *f)
{
	return f->left_out > 0 ? (f->second + 1) * 1000 : CLOCK_NEVER;
}

int
failure_lines_was_wanted(int exit_status)
{
	return (exit_status & WANTED) != 0;
}

int
failure_lines_status(int exit_status)
{
	return exit_status & ~WANTED;
}

void
failure_lines_allow(int allowed)
{
	forbidden = !allowed;
}

int
failure_lines_ask(void)
{
	asked = 1;
	return !forbidden;
}

int
failure_lines_exit_status(int exit_status)
{
	return asked ? exit_status | WANTED : exit_status;
}

void
failure_lines_tell_repeated(int64_t now)
{
	struct stats_repeat kind;
	unsigned int at = 0, left_out;
	struct log_line l;

	while (stats_repeats_take(&at, now, &kind, &left_out)) {
		log_begin(&l, LOG_L_WARN, "failures-left-out");
		log_num(&l, "count", left_out);
		log_str(&l, "peer", kind.host[0] == '\0' ? NULL : kind.host);
		log_why(&l, "why", kind.why);
		log_end(&l);
	}
}
