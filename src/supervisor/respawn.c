/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "os/random.h"
#include "supervisor/respawn.h"

#define BACKOFF_MAX	30000	/* ms between two tries */

void
respawn_parked(struct respawn *p)
{
	p->proved = 1;
	p->failed = 0;
}

void
respawn_renew(struct respawn *p)
{
	memset(p, 0, sizeof(*p));
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
respawn_retry_after(struct respawn *p, uint32_t seconds)
{
	p->retry_after = (int64_t)seconds * 1000;
	if (p->retry_after > RESPAWN_RETRY_AFTER_MS)
		p->retry_after = RESPAWN_RETRY_AFTER_MS;
}

void
respawn_failed(struct respawn *p, int64_t now)
{
	int64_t pause = random_backoff(++p->tries, BACKOFF_MAX);

	if (pause < p->retry_after)
		pause = p->retry_after + random_backoff(1, BACKOFF_MAX);
	p->retry_after = 0;
	try_later(p, now + pause);
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
