/* SPDX-License-Identifier: ISC */
/* HUP: the options and the files they name, taken up anew. */
#include <stdlib.h>
#include <string.h>

#include "os/log.h"
#include "stats/page.h"
#include "supervisor/internal.h"
#include "supervisor/startup.h"

/*
 * A higher limit needs more room; without it the old one stays.  Room is never
 * given back, as there may be more children than a lower limit lets in.
 */
static void
set_max(struct supervisor *s, unsigned int max)
{
	struct child *child;

	if (max > s->room) {
		child = reallocarray(s->child, max + SUPERVISOR_EXTRA,
		    sizeof(child[0]));
		if (child == NULL)
			return;
		s->child = child;
		s->room = max;
	}
	s->max = max;
}

static void
take_up(struct supervisor *s)
{
	struct stats_about about;

	startup_log(s->o);
	set_max(s, s->o->limits.connections > 0 ? s->o->limits.connections : 1);
	supervisor_name(s);
	about = slots_about(s);
	stats_retitle(&about);
	s->changed = 1;
	log_event(LOG_L_INFO, "reloaded", NULL);
}

/*
 * Options are constant to all but this, which runs between any two things
 * that look at them.
 */
static void
again(struct supervisor *s)
{
	struct options *o = (struct options *)(uintptr_t)s->o;
	struct error why;

	if (options_again(o, s->service->check, &why) == 0)
		take_up(s);
	else
		log_event(LOG_L_ERROR, "reload", "why", why.text, "hint",
		    "the old options stay in force", NULL);
}

void
supervisor_reload(struct supervisor *s)
{
	if (s->phase != SERVING)
		return;
	notify_reloading(&s->notify);
	if (s->o->argv != NULL)
		again(s);
	if (s->service->reload != NULL)
		s->service->reload(s->service->arg);
	names_reload(s);
	notify_send(&s->notify, "READY=1");
}
