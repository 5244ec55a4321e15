/* SPDX-License-Identifier: ISC */
#include "os/backoff.h"
#include "supervisor/respawn.h"

#define BACKOFF_MAX	30000	/* ms between two tries */

void
pace_came(struct pace *p)
{
	p->proved = 1;
	p->failed = 0;
}

void
pace_used(struct pace *p)
{
	p->tries = 0;
}

static void
try_later(struct pace *p, int64_t when)
{
	p->proved = 0;
	p->not_before = when;
}

void
pace_unwanted(struct pace *p, int64_t now)
{
	try_later(p, now + PACE_NO_PARK_MS);
}

void
pace_stuck(struct pace *p, int64_t now)
{
	try_later(p, now + backoff_ms(++p->tries, BACKOFF_MAX));
}

void
pace_lost(struct pace *p, int64_t since, int64_t now)
{
	if (since == -1)
		p->failed++;
	else if (now >= since + PACE_STEADY_MS)
		p->tries = 0;
	pace_stuck(p, now);
}
