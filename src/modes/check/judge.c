/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"
#include "modes/check/judge.h"

#define DAY		86400
#define PING_DEFAULT	25000	/* --ping-interval */
#define PING_LEAST	1000

__attribute__((format(printf, 2, 3)))
static void
add_warning(struct check *c, const char *fmt, ...)
{
	va_list ap;

	if (c->nwarnings == CHECK_WARNINGS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(c->warning[c->nwarnings++], sizeof(c->warning[0]), fmt, ap);
	va_end(ap);
}

static unsigned int
first_to_expire(const struct cert *cert)
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
	left = c->cert.chain[first_to_expire(&c->cert)].not_after - now;
	return left <= -DAY ? left / DAY : left < 0 ? -1 : left / DAY;
}

const char *
check_expiry(char *dst, size_t size, int64_t days)
{
	int64_t n = days < 0 ? -days : days;

	/* -1 may be a second. */
	snprintf(dst, size, days == -1 ? "has expired" :
	    days < 0 ? "expired %" PRId64 " day%s ago" :
	    "expires in %" PRId64 " day%s", n, n == 1 ? "" : "s");
	return dst;
}

/*
 * Somewhat less than half of what the path allows: then one that comes late
 * still comes in time.
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
check_judge(struct check *c, const struct check_limits *limits, int64_t now)
{
	const struct cert *cert = &c->cert;
	int64_t days = check_days(c, now);
	char limit[24], text[48];
	unsigned int first;

	c->nwarnings = 0;
	if (c->why.status != EXIT_ENDED)
		return;
	if (limits->days > 0 && cert->known && days < (int64_t)limits->days) {
		first = first_to_expire(cert);
		add_warning(c, "certificate %s %s, limit %u",
		    cert->chain[first].subject, check_expiry(text,
		    sizeof(text), days), limits->days);
	}
	if (limits->rtt > 0 && c->pongs > 0 && c->mean > limits->rtt * 1000)
		add_warning(c, "a ping takes %" PRId64 ".%" PRId64
		    "ms, more than %s", c->mean / 1000, c->mean / 100 % 10,
		    str_ms(limit, sizeof(limit), limits->rtt));
	if (c->pongs < c->pings && c->close == 0)
		add_warning(c, "%u of %u pings had no answer",
		    c->pings - c->pongs, c->pings);
	if (limits->rtt > 0 && c->pongs == 0)
		add_warning(c, "no ping was answered, so its round trip time "
		    "is not known");
	if (check_ping_interval(c) != 0)
		add_warning(c, "the path ends idle websockets before "
		    "--ping-interval %ds", PING_DEFAULT / 1000);
}

enum check_level
check_level(const struct check *c)
{
	switch (c->why.status) {
	case EXIT_ENDED:
		return c->nwarnings > 0 ? CHECK_WARNING : CHECK_OK;
	case EXIT_BADUSAGE:
	case EXIT_SYSTEM:
	case EXIT_BADCONFIG:
		return CHECK_UNKNOWN;
	}
	return CHECK_CRITICAL;
}
