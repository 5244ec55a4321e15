/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
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

/*
 * Failures of one kind have the same text and come from one host.  Those who
 * may not enter are all told of: others count these lines.
 */
static int
is_repeated(const char *peer, const struct error *why)
{
	const char *port = strrchr(peer, ':');
	struct stats_repeat text;
	int64_t now = clock_ms();
	uint64_t kind;

	if (why->status == EXIT_DENIED || log_wants(LOG_L_DEBUG))
		return 0;
	memset(&text, 0, sizeof(text));
	snprintf(text.host, sizeof(text.host), "%.*s", port != NULL ?
	    (int)(port - peer) : (int)strlen(peer), peer);
	if (strlcpy(text.why, why->text, sizeof(text.why)) >= sizeof(text.why))
		strlcpy(text.why + sizeof(text.why) - 4, "...", 4);
	kind = hash_add(HASH_BEGIN, why->text, strlen(why->text));
	kind = hash_add(kind, text.host, strlen(text.host));
	failure_lines_tell_repeated(now);
	return !stats_repeats_add(kind, &text, now);
}

int
failure_lines_ask_for(const char *peer, const struct error *why)
{
	return !is_repeated(peer, why) && failure_lines_ask();
}
