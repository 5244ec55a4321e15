/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/log.h"
#include "os/memory.h"
#include "os/random.h"
#include "stats/page.h"
#include "stats/rundir.h"
#include "supervisor/slots.h"

#define ROOM_MIN	1024	/* slots of a page */
#define NAME_TRIES	100	/* while others take the same names */
#define ROOM_FACTOR	4	/* for limits that are raised later */
#define LOOK_EVERY	1000	/* ms between two looks at inherited locks */

/* Neither is looked at by a child, so neither is shared with one. */
struct slot_tables {
	int slot[STATS_SLOTS_MAX + 2];		/* for connections */
	int inherited[STATS_SLOTS_MAX + 2];	/* of an earlier supervisor */
};

struct heir {
	const struct stats_about *about;
	char path[RUNDIR_MAX + 256 + 2];	/* what has been taken over */
};

static void
take_over(void *arg, const char *path)
{
	struct heir *h = arg;

	if (h->path[0] == '\0' && stats_take_over(path, h->about) == 0)
		strlcpy(h->path, path, sizeof(h->path));
}

/*
 * PID.stats, unless a process with the same number in another container has
 * it, or tunnels of an earlier one do.
 */
static void
choose_name(char *path, size_t size, const char *dir, const char *mine)
{
	unsigned int n;

	snprintf(path, size, "%s/%d.stats", dir, (int)getpid());
	for (n = 2; strcmp(path, mine) != 0 && access(path, F_OK) == 0; n++)
		snprintf(path, size, "%s/%d-%u.stats", dir, (int)getpid(), n);
}

/*
 * Under a name that nobody looks at until it is locked.  Without a directory
 * for it an instance is not seen from outside; that is no reason not to run.
 */
static int
create_named(unsigned int slots, const struct stats_about *about)
{
	char dir[RUNDIR_MAX], tmp[RUNDIR_MAX + 32], path[RUNDIR_MAX + 32];
	struct heir heir = { .about = about, .path = "" };
	int tries = 0;

	if (rundir_make(dir, sizeof(dir)) == -1)
		return -1;
	rundir_each(dir, take_over, &heir);
	snprintf(tmp, sizeof(tmp), "%s/.%08x.new", dir, random_below(UINT32_MAX));
	if (heir.path[0] == '\0' && stats_create(tmp, slots, about) == -1)
		return -1;
	stats_take(0, STATE_LISTENING);
	do {
		choose_name(path, sizeof(path), dir, heir.path);
		if (stats_rename(path) == 0)
			return 0;
	} while (errno == EEXIST && ++tries < NAME_TRIES);
	stats_close(1);
	return -1;
}

static void
create(unsigned int max, const struct stats_about *about)
{
	unsigned int slots = max > UINT_MAX / ROOM_FACTOR ? max :
	    max * ROOM_FACTOR;

	if (slots < ROOM_MIN)
		slots = ROOM_MIN;
	if (create_named(slots, about) == 0)
		return;
	log_event(LOG_L_INFO, "not-listed", "why", strerror(errno), "hint",
	    "status finds it if RUNTIME_DIRECTORY names a folder to write to",
	    NULL);
	if (stats_create(NULL, slots, about) == 0)
		stats_take(0, STATE_LISTENING);
	else
		log_event(LOG_L_WARN, "no-statistics", "error",
		    strerror(errno), NULL);
}

static void
log_who(struct log_line *l, const struct report_row *r)
{
	log_str(l, "peer", r->peer);
	if (r->user[0] != '\0')
		log_str(l, "user", r->user);
}

static void
log_ids(struct log_line *l, const struct report_row *r)
{
	if (r->peer_id[0] == '\0')
		return;
	log_str(l, "id", r->id);
	log_str(l, "peer-id", r->peer_id);
}

static void
log_killed(struct log_line *l, const struct report_row *r)
{
	log_who(l, r);
	log_str(l, "target", r->target);
	log_num(l, "up", (int64_t)r->up);
	log_num(l, "down", (int64_t)r->down);
	log_seconds(l, "seconds", r->age);
	log_ids(l, r);
	log_end(l);
}

void
slots_log_killed(pid_t pid, int signo, int slot)
{
	struct report_row r;
	struct log_line l;

	log_begin(&l, LOG_L_ERROR, "child-killed");
	log_num(&l, "pid", pid);
	log_num(&l, "signal", signo);
	log_str(&l, "name", strsignal(signo));
	if (stats_last_row(slot, &r))
		log_killed(&l, &r);
	else
		log_end(&l);
}

/*
 * Does the tunnel of an earlier supervisor live?  One that was killed could log
 * nothing; its signal is not known.
 */
static int
is_inherited(int slot)
{
	struct report_row r;
	struct log_line l;
	int lives = stats_inherited(slot);

	if (lives == -1 && stats_last_row(slot, &r)) {
		log_begin(&l, LOG_L_ERROR, "child-killed");
		log_num(&l, "pid", r.pid);
		log_killed(&l, &r);
	}
	if (lives == -1)
		stats_close_slot(slot);
	return lives == 1;
}

static void
log_inherited(const struct slots *s)
{
	struct log_line l;

	log_begin(&l, LOG_L_INFO, "inherited-tunnels");
	log_num(&l, "active", s->ninherited);
	log_end(&l);
}

/* The lowest ones are given out first, so that few pages are in use. */
static void
share_out(struct slots *s)
{
	unsigned int i, room = stats_capacity();

	s->given = s->n = room;
	for (i = room; i > 0; i--)
		if (is_inherited((int)i))
			s->tables->inherited[s->ninherited++] = (int)i;
		else
			s->tables->slot[--s->given] = (int)i;
	if (s->ninherited > 0)
		log_inherited(s);
}

int
slots_begin(struct slots *s, unsigned int max, const struct stats_about *about)
{
	memset(s, 0, sizeof(*s));
	if ((s->tables = memory_unshared(sizeof(*s->tables))) == NULL)
		return -1;
	if (stats_is_shared())
		stats_take(STATS_SLOT_NONE, STATE_LISTENING);
	else {
		create(max, about);
		share_out(s);
	}
	return 0;
}

/* Asking for a process is a few system calls, so not all the time. */
int
slots_look(struct slots *s, int64_t now)
{
	unsigned int i = 0, before = s->ninherited;

	if (s->ninherited == 0 || now < s->look)
		return 0;
	s->look = now + LOOK_EVERY;
	while (i < s->ninherited)
		if (is_inherited(s->tables->inherited[i]))
			i++;
		else {
			s->tables->slot[--s->given] = s->tables->inherited[i];
			s->tables->inherited[i] =
			    s->tables->inherited[--s->ninherited];
		}
	return s->ninherited != before;
}

unsigned int
slots_inherited(const struct slots *s)
{
	return s->ninherited;
}

int64_t
slots_look_time(const struct slots *s)
{
	return s->ninherited > 0 ? s->look : CLOCK_NEVER;
}

int
slots_take(struct slots *s)
{
	int slot = s->given == s->n ? STATS_SLOT_NONE :
	    s->tables->slot[s->given++];

	stats_prepare(slot);
	return slot;
}

void
slots_give_back(struct slots *s, int slot)
{
	if (slot == STATS_SLOT_NONE)
		return;
	stats_close_slot(slot);
	s->tables->slot[--s->given] = slot;
}

static void
log_row(const struct report_row *r)
{
	struct log_line l;

	log_begin(&l, LOG_L_INFO, "tunnel");
	log_num(&l, "pid", r->pid);
	log_str(&l, "state", report_state_name(r->state));
	log_who(&l, r);
	log_str(&l, "target", r->target);
	log_seconds(&l, "age", r->age);
	log_seconds(&l, "idle", r->idle);
	log_num(&l, "up", (int64_t)r->up);
	log_num(&l, "down", (int64_t)r->down);
	if (r->rtt >= 0)
		log_num(&l, "rtt-ms", r->rtt);
	if (r->resumes > 0)
		log_num(&l, "resumes", r->resumes);
	log_ids(&l, r);
	log_end(&l);
}

void
slots_log(unsigned int active)
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
	log_num(&l, "active", active);
	log_num(&l, "total", (int64_t)report_total(&r));
	log_num(&l, "refused", (int64_t)r.counts.refused);
	log_num(&l, "up", (int64_t)r.counts.up);
	log_num(&l, "down", (int64_t)r.counts.down);
	log_end(&l);
}

/* Tunnels that are left alive are still to be seen. */
void
slots_end(struct slots *s, unsigned int active)
{
	s->look = 0;
	if (s->tables == NULL)
		return;
	slots_look(s, 0);
	stats_release(0);
	stats_close(active + s->ninherited == 0);
	memory_unshared_end(s->tables, sizeof(*s->tables));
	s->tables = NULL;
}
