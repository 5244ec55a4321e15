/* SPDX-License-Identifier: ISC */
#include "os/backoff.h"
#include "supervisor/respawn.h"

#define BACKOFF_MAX	30000	/* ms between two tries */

void
respawn_parked(struct respawn *p)
{
	p->proved = 1;
	p->failed = 0;
}

void
respawn_used(struct respawn *p)
{
	p->tries = 0;
}

static void
try_later(struct respawn *p, int64_t when)
{
	p->proved = 0;
	p->not_before = when;
}

void
respawn_unwanted(struct respawn *p, int64_t now)
{
	try_later(p, now + RESPAWN_REFUSED_MS);
}

void
respawn_failed(struct respawn *p, int64_t now)
{
	try_later(p, now + backoff_ms(++p->tries, BACKOFF_MAX));
}

void
respawn_ended(struct respawn *p, int64_t since, int64_t now)
{
	if (since == -1)
		p->failed++;
	else if (now >= since + RESPAWN_STEADY_MS)
		p->tries = 0;
	respawn_failed(p, now);
}
