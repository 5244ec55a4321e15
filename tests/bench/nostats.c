/* SPDX-License-Identifier: ISC */
/*
 * In the place of src/stats and src/connection/record.c: no page, no slot, no
 * counters.  Only for measuring what statistics cost: limits that need the
 * page are not kept.
 */
#include <string.h>

#include "connection/record.h"
#include "os/clock.h"
#include "stats/page.h"

static struct stats_slot unused;
struct stats_slot *stats_mine = &unused;

/* The page's life. */

int
stats_create(const char *path, unsigned int slots,
    const struct stats_about *about)
{
	return 0;
}

int
stats_take_over(const char *path, const struct stats_about *about)
{
	return -1;
}

int
stats_share(const char *path, unsigned int slots, uid_t uid, struct error *why)
{
	return 0;
}

void
stats_retitle(const struct stats_about *about)
{
}

void
stats_chown(uid_t uid, gid_t gid)
{
}

void
stats_set_huge_text(uint64_t bytes, const char *missing)
{
}

void
stats_set_state(enum report_state state)
{
}

int
stats_rename(const char *path)
{
	return 0;
}

const char *
stats_path(void)
{
	return NULL;
}

int
stats_is_shared(void)
{
	return 0;
}

unsigned int
stats_capacity(void)
{
	return 0;
}

void
stats_close(int remove)
{
}

int
stats_is_abandoned(const char *path)
{
	return 0;
}

/* Writing. */

void
stats_prepare(int slot)
{
}

void
stats_take(int slot, enum report_state state)
{
}

void
stats_release(unsigned int result)
{
}

void
stats_close_slot(int slot)
{
}

int
stats_count_source(uint64_t source, unsigned int max)
{
	return 0;
}

int
stats_is_full(void)
{
	return 0;
}

void
stats_set_sandbox(const char *missing)
{
}

void
stats_set_waiting(unsigned int n)
{
}

void
stats_set_name(unsigned int i, const char *text, int listed,
    unsigned int waiting)
{
}

void
stats_set_ready_cache(int64_t note)
{
}

/* Reading. */

int
stats_inherited(int slot)
{
	return 0;
}

int
stats_is_established(int slot, int pid)
{
	return 1;
}

int64_t
stats_ready_cache(void)
{
	return 0;
}

void
stats_view_own(struct stats_view *v)
{
	*v = (struct stats_view){ .fd = -1 };
}

int
stats_view_open(struct stats_view *v, const char *path, struct error *why)
{
	return error_set(why, EXIT_NAME, "%s: built without statistics", path);
}

void
stats_view_close(struct stats_view *v)
{
}

void
stats_read(const struct stats_view *v, struct report *r)
{
	memset(r, 0, sizeof(*r));
}

void
stats_sum(struct report_counts *counts)
{
	memset(counts, 0, sizeof(*counts));
}

void
stats_names(struct stats_view *v, struct report_names *names)
{
}

unsigned int
stats_slots(const struct stats_view *v)
{
	return 0;
}

int
stats_row(struct stats_view *v, unsigned int slot, struct report_row *r)
{
	return 0;
}

int
stats_last_row(int slot, struct report_row *r)
{
	return 0;
}

/* What a connection's process notes. */

void
record_peers(const struct connection *c)
{
}

void
record_open(const struct connection *c)
{
}

void
record_progress(const struct tunnel *t)
{
}

void
record_gave_way(void)
{
}

void
record_lost(const struct connection *c)
{
}

void
record_resumed(const struct connection *c)
{
}

void
record_end(const struct connection *c)
{
}

void
record_failed(int exit_status)
{
}

void
record_handed_over(void)
{
}

int
stats_has_websocket(void)
{
	return 0;
}

int
stats_repeats_add(uint64_t kind, const struct stats_repeat *text, int64_t now)
{
	return 1;
}

int
stats_repeats_take(unsigned int *at, int64_t now, struct stats_repeat *text,
    unsigned int *left_out)
{
	return 0;
}

int64_t
stats_repeats_time(void)
{
	return CLOCK_NEVER;
}

int
stats_log_once(uint64_t hash)
{
	return 1;
}

int
stats_is_open(void)
{
	return 0;
}

void
record_probe(void)
{
}
