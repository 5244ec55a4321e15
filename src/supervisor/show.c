/* SPDX-License-Identifier: ISC */
/* What ps(1) and the service manager show of the supervisor. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "net/socket.h"
#include "os/clock.h"
#include "os/title.h"
#include "stats/page.h"
#include "supervisor/internal.h"

#define SHOW_EVERY	1000	/* ms between two times */
#define REFRESH_MIN	5000	/* ms until bytes are counted again ... */
#define REFRESH_MAX	320000	/* ... doubled while nothing moves */

void
supervisor_name(struct supervisor *s)
{
	char target[256], addr[NET_NAME_MAX];
	unsigned int i;

	snprintf(s->name, sizeof(s->name), "inetws %s: ",
	    mode_name(s->o->mode));
	for (i = 0; i < s->nlisteners; i++) {
		net_local_name(s->listener[i].fd, addr, sizeof(addr));
		if (i > 0)
			strlcat(s->name, ",", sizeof(s->name));
		strlcat(s->name, addr, sizeof(s->name));
	}
	if (s->nlisteners == 0)
		strlcat(s->name, "-", sizeof(s->name));
	if (s->o->mode == MODE_GATE)
		strlcpy(target, "visitors", sizeof(target));
	else if (s->o->mode == MODE_CLIENT)
		url_print(target, sizeof(target), &s->o->url);
	else if (s->o->program != NULL)
		strlcpy(target, s->o->program[0], sizeof(target));
	else
		addr_print(target, sizeof(target), &s->o->target);
	strlcat(s->name, " -> ", sizeof(s->name));
	strlcat(s->name, target, sizeof(s->name));
}

/* Told only if it is something new. */
static void
tell(struct supervisor *s)
{
	struct report_counts counts;
	char status[sizeof(s->shown)], bytes[32];

	stats_sum(&counts);
	snprintf(status, sizeof(status), "STATUS=%u active, %llu total, %s%s",
	    s->active + s->nsurvivors, (unsigned long long)counts.begun,
	    str_bytes(bytes, sizeof(bytes), counts.up + counts.down),
	    s->phase == SERVING ? "" : ", draining");
	if (strcmp(status, s->shown) == 0)
		s->refresh_every *= 2;
	else {
		notify_send(&s->notify, status);
		strlcpy(s->shown, status, sizeof(s->shown));
		s->refresh_every = REFRESH_MIN;
	}
	if (s->refresh_every > REFRESH_MAX)
		s->refresh_every = REFRESH_MAX;
	s->refresh = clock_ms() + s->refresh_every;
}

/*
 * Beginnings and ends of tunnels are known here; how many bytes they carry is
 * on the statistics page, and worth waking up for only where it is shown, and
 * more seldom as long as nothing moves.
 */
int64_t
supervisor_show_time(const struct supervisor *s)
{
	if (s->changed)
		return s->show;
	return s->notify.fd != -1 && s->active + s->nsurvivors > 0 ?
	    s->refresh : CLOCK_NEVER;
}

void
supervisor_show(struct supervisor *s)
{
	int64_t now;

	if (supervisor_show_time(s) == CLOCK_NEVER ||
	    (now = clock_ms()) < supervisor_show_time(s))
		return;
	slots_inherited(s);
	s->changed = 0;
	s->show = now + SHOW_EVERY;
	title_set("%s, %u active%s", s->name, s->active + s->nsurvivors,
	    s->phase == SERVING ? "" : ", draining");
	if (s->notify.fd != -1)
		tell(s);
}
