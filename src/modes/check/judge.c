/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "modes/check/judge.h"
#include "modes/check/show.h"
#include "modes/check/steps.h"

#define DAY		86400
#define PING_DEFAULT	25000	/* default of --ping-interval, ms */
#define PING_LEAST	1000	/* the shortest that is advised, ms */
#define BY_SIGNAL	128	/* plus the signal's number: exit status */

unsigned int
check_expires(const struct cert *cert)
{
	unsigned int i, first = 0;

	for (i = 1; i < cert->n; i++)
		if (cert->chain[i].not_after < cert->chain[first].not_after)
			first = i;
	return first;
}

int64_t
check_days(const struct check *c, int64_t now)
{
	int64_t left;

	if (!c->cert.known)
		return 0;
	left = c->cert.chain[check_expires(&c->cert)].not_after - now;
	return left <= -DAY ? left / DAY : left < 0 ? -1 : left / DAY;
}

const char *
check_expiry(char *dst, size_t size, int64_t days)
{
	int64_t n = days < 0 ? -days : days;

	/* -1 day may be a second. */
	snprintf(dst, size, days == -1 ? "has expired" :
	    days < 0 ? "expired %" PRId64 " day%s ago" :
	    "expires in %" PRId64 " day%s", n, n == 1 ? "" : "s");
	return dst;
}

/*
 * 5/12 of what the path allows: if a ping is lost, the next one still comes in
 * time.
 */
int64_t
check_ping_interval(const struct check *c)
{
	int64_t ms = c->idle_end;

	if (c->idle == IDLE_SILENT)
		ms = c->idle_lived > 0 ? c->idle_lived : c->idle_end / 2;
	else if (c->idle != IDLE_CUT)
		return 0;
	ms = ms / 12 * 5;
	if (ms > 2 * PING_LEAST)
		ms -= ms % 1000;
	if (ms >= PING_DEFAULT)
		return 0;
	return ms > PING_LEAST ? ms : PING_LEAST;
}

void
step_say(struct step *s, const char *fmt, ...)
{
	size_t n = strlen(s->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->text + n, sizeof(s->text) - n, fmt, ap);
	va_end(ap);
}

void
step_find(struct step *s, enum step_state state, int64_t us)
{
	s->state = state;
	s->us = us;
}

void
check_stop(struct check *c, int signo, int64_t us)
{
	if (c->why.status == EXIT_ENDED)
		error_set(&c->why, EXIT_AGAIN, "interrupted");
	c->stopped = signo;
	c->stopped_at = c->under_way;
	c->stopped_us = us;
}

const char *
check_why(const struct check *c, char *dst, size_t size)
{
	int in_step = c->stopped_at < CHECK_STEPS;

	dst[0] = '\0';
	if (c->stopped != 0)
		snprintf(dst, size, "stopped by %s%s%s: ",
		    c->stopped == SIGINT ? "INT" : c->stopped == SIGHUP ?
		    "HUP" : "TERM", in_step ? " in the step " : "", in_step ?
		    check_step_name(c->stopped_at) : "");
	if (c->why.status != EXIT_ENDED)
		strlcat(dst, c->why.text, size);
	return dst;
}

static void
unfinished(const struct check *c, enum check_step i, struct step *s)
{
	int is_stopped = c->stopped != 0 && i == c->stopped_at;

	if (c->why.status == EXIT_ENDED || (i != c->failed_at && !is_stopped))
		return;
	s->state = STEP_FAILED;
	if (i != c->failed_at) {
		s->state = STEP_STOPPED;
		s->us = c->stopped_us;
	}
	strlcpy(s->text, c->why.text, sizeof(s->text));
}

static void (*const judge_of[CHECK_STEPS])(const struct check *,
    struct step *) = {
	[STEP_NAME] = judge_name,
	[STEP_CONNECT] = judge_connect,
	[STEP_PROXY] = judge_proxy,
	[STEP_TLS] = judge_tls,
	[STEP_ANSWER] = judge_answer,
	[STEP_UPGRADE] = judge_upgrade,
	[STEP_EXTENSION] = judge_extension,
	[STEP_SUBPROTOCOL] = judge_subprotocol,
	[STEP_PING] = judge_ping,
	[STEP_MESSAGE] = judge_message,
	[STEP_TARGET] = judge_target,
	[STEP_RESUME] = judge_resume,
	[STEP_IDLE] = judge_idle,
};

void
check_judge(struct check *c, const struct check_limits *limits, int64_t now)
{
	enum check_step i;
	struct step *s;

	c->limits = *limits;
	c->now = now;
	for (i = 0; i < CHECK_STEPS; i++) {
		s = &c->step[i];
		memset(s, 0, sizeof(*s));
		s->us = -1;
		judge_of[i](c, s);
		unfinished(c, i, s);
		if (s->state > STEP_OK)
			check_advise(c, i, s->advice, sizeof(s->advice));
	}
}

int
check_status(const struct check *c)
{
	if (c->stopped != 0)
		return BY_SIGNAL + c->stopped;
	if (c->why.status != EXIT_ENDED)
		return c->why.status;
	return check_warnings(c) > 0 ? CHECK_PAST_THRESHOLD : EXIT_ENDED;
}

unsigned int
check_warnings(const struct check *c)
{
	unsigned int i, n = 0;

	for (i = 0; c->why.status == EXIT_ENDED && i < CHECK_STEPS; i++)
		n += c->step[i].state == STEP_WARNING;
	return n;
}

enum check_level
check_level(const struct check *c)
{
	if (c->stopped != 0 || error_is_local(&c->why))
		return CHECK_UNKNOWN;
	if (c->why.status != EXIT_ENDED)
		return CHECK_CRITICAL;
	return check_warnings(c) > 0 ? CHECK_WARNING : CHECK_OK;
}
