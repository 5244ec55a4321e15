/* SPDX-License-Identifier: ISC */
/*
 * The supervisor's part of the statistics: makes the page, where "status"
 * finds it if that can be, and gives each child a slot.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/log.h"
#include "os/rundir.h"
#include "os/stats.h"
#include "run/supervise_inside.h"

/*
 * Under a name that nobody looks at until it is locked.  Without a directory
 * for it an instance is not seen from outside; that is no reason not to run.
 */
static int
create_named(unsigned int slots, const struct stats_about *about)
{
	char dir[RUNDIR_MAX], tmp[RUNDIR_MAX + 32], path[RUNDIR_MAX + 32];

	if (rundir_make(dir, sizeof(dir)) == -1)
		return -1;
	rundir_each(dir, NULL, NULL);
	snprintf(tmp, sizeof(tmp), "%s/.%d.new", dir, (int)getpid());
	snprintf(path, sizeof(path), "%s/%d.stats", dir, (int)getpid());
	unlink(tmp);
	if (stats_create(tmp, slots, about) == -1)
		return -1;
	stats_take(0, STATE_LISTENING);
	if (stats_rename(path) == 0)
		return 0;
	stats_close(1);
	return -1;
}

static void
create(const struct supervisor *s)
{
	const char *name = strstr(s->name, ": ");
	struct stats_about about = { .mode = mode_name(s->o->mode),
	    .name = name != NULL ? name + 2 : s->name, .max = s->max };

	if (create_named(s->max, &about) == 0)
		return;
	log_event(LOG_L_DEBUG, "not seen by status", "why", strerror(errno),
	    NULL);
	if (stats_create(NULL, s->max, &about) == 0)
		stats_take(0, STATE_LISTENING);
	else
		log_event(LOG_L_WARN, "no-statistics", "error",
		    strerror(errno), NULL);
}

int
supervise_stats_begin(struct supervisor *s)
{
	unsigned int i;

	s->free_slot = calloc(s->max, sizeof(s->free_slot[0]));
	if (s->free_slot == NULL)
		return -1;
	if (stats_is_shared()) {
		stats_take(STATS_SLOT_NONE, STATE_LISTENING);
		return 0;
	}
	for (i = 0; i < s->max; i++)
		s->free_slot[s->nfree++] = (int)(s->max - i);
	create(s);
	return 0;
}

/* The lowest ones first, so that few pages are in use. */
int
supervise_slot(struct supervisor *s)
{
	return s->nfree == 0 ? STATS_SLOT_NONE : s->free_slot[--s->nfree];
}

void
supervise_slot_back(struct supervisor *s, int slot)
{
	if (slot == STATS_SLOT_NONE)
		return;
	stats_bury(slot);
	s->free_slot[s->nfree++] = slot;
}

static void
log_row(const struct report_row *r)
{
	struct log_line l;

	log_begin(&l, LOG_L_INFO, "tunnel");
	log_num(&l, "pid", r->pid);
	log_str(&l, "state", report_state_name(r->state));
	log_str(&l, "peer", r->peer);
	log_str(&l, "target", r->target);
	log_seconds(&l, "age", r->age);
	log_seconds(&l, "idle", r->idle);
	log_num(&l, "up", (int64_t)r->up);
	log_num(&l, "down", (int64_t)r->down);
	if (r->rtt >= 0)
		log_num(&l, "rtt_ms", r->rtt);
	if (r->resumes > 0)
		log_num(&l, "resumes", r->resumes);
	if (r->id[0] != '\0')
		log_str(&l, "id", r->id);
	log_end(&l);
}

void
supervise_log_statistics(const struct supervisor *s)
{
	struct stats_view v;
	struct report r;
	struct report_row row;
	struct log_line l;
	unsigned int i;

	stats_view_own(&v);
	for (i = 0; i < stats_slots(&v); i++)
		if (stats_row(&v, i, &row))
			log_row(&row);
	stats_read(&v, &r);
	log_begin(&l, LOG_L_INFO, "statistics");
	log_num(&l, "active", s->active);
	log_num(&l, "total", (int64_t)s->total);
	log_num(&l, "refused", (int64_t)r.counts.refused);
	log_num(&l, "up", (int64_t)r.counts.up);
	log_num(&l, "down", (int64_t)r.counts.down);
	log_end(&l);
}

/* Tunnels that are left alive are still to be seen. */
void
supervise_stats_end(struct supervisor *s)
{
	stats_release(0);
	stats_close(s->active == 0);
	free(s->free_slot);
}
