/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "os/log.h"
#include "supervisor/pause.h"

#define FIRST_MS	100
#define LONGEST_MS	1000
#define COMPLAIN_MS	10000

void
pause_begin(struct pause *p, const char *call, int error, int64_t now)
{
	p->ms = p->ms == 0 ? FIRST_MS : p->ms * 2;
	if (p->ms > LONGEST_MS)
		p->ms = LONGEST_MS;
	p->until = now + p->ms;
	if (now < p->complain)
		return;
	p->complain = now + COMPLAIN_MS;
	log_event(LOG_L_WARN, "accept-paused", "call", call, "error",
	    strerror(error), NULL);
}

void
pause_succeeded(struct pause *p)
{
	p->ms = 0;
}

int
pause_is_longest(const struct pause *p)
{
	return p->ms == LONGEST_MS;
}

int64_t
pause_until(const struct pause *p, int64_t now)
{
	return now < p->until ? p->until : 0;
}
