/* SPDX-License-Identifier: ISC */
/*
 * --max-per-source and --max-handshakes: processes count each other by the
 * page, the only thing that they share.
 */
#include <sched.h>

#include "stats/internal.h"

#define TRIES	1000	/* to see the turn of a process that is getting one */
#define COMING	UINT64_MAX	/* the turn of a process that is getting one */

/* Of a page in all, since a process may leave that in its slot. */
static uint64_t
turn_of(const struct stats_slot *s, int *tries)
{
	uint64_t turn;

	while ((turn = __atomic_load_n(&s->turn, __ATOMIC_SEQ_CST)) ==
	    COMING && *tries > 0) {
		--*tries;
		sched_yield();
	}
	return turn;
}

/* A killed process leaves its slot unchanged, but without a lock. */
static int
is_earlier(const struct stats_view *v, unsigned int slot, uint64_t source,
    uint64_t mine, int *tries)
{
	struct stats_slot *s = stats_at(v->page, slot);
	uint64_t turn;

	if (s == stats_mine ||
	    __atomic_load_n(&s->source, __ATOMIC_SEQ_CST) != source)
		return 0;
	turn = turn_of(s, tries);
	return (turn < mine || turn == COMING) &&
	    STATS_GET(s->source) == source &&
	    (v->fd == -1 || v->supervised ||
	    stats_lives(v->page, v->fd, slot));
}

/*
 * A process writes its source before it takes its turn: of two that come at
 * the same time at least the later one sees the other.
 */
unsigned int
stats_source(uint64_t source, unsigned int max)
{
	struct stats_view v;
	struct stats_header *h;
	unsigned int i, n = 0;
	uint64_t mine;
	int tries = TRIES;

	stats_view_own(&v);
	h = (struct stats_header *)(uintptr_t)v.page;
	if (h == NULL || (char *)stats_mine < (char *)stats_at(h, 0) ||
	    (char *)stats_mine >= (char *)stats_at(h, stats_fit(v.size)))
		return 0;
	if (source == 0) {
		STATS_SET(stats_mine->source, 0);
		return 0;
	}
	/*
	 * Nothing to count: processes that count later find this one before
	 * them, and the header's page is not written.
	 */
	if (max == 0) {
		STATS_SET(stats_mine->turn, 0);
		STATS_SET(stats_mine->source, source);
		return 0;
	}
	__atomic_store_n(&stats_mine->turn, COMING, __ATOMIC_SEQ_CST);
	__atomic_store_n(&stats_mine->source, source, __ATOMIC_SEQ_CST);
	mine = __atomic_add_fetch(&h->turn, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&stats_mine->turn, mine, __ATOMIC_SEQ_CST);
	for (i = 1; i < stats_slots(&v) && n < max; i++)
		n += is_earlier(&v, i, source, mine, &tries);
	return n;
}

/* That slot, or the one that the process took by itself. */
static struct stats_slot *
slot_of(const struct stats_view *v, int slot, int pid)
{
	unsigned int i;

	if (slot > 0)
		return stats_at(v->page, slot);
	for (i = 1; i < stats_slots(v); i++)
		if (STATS_GET(stats_at(v->page, i)->pid) == pid)
			return stats_at(v->page, i);
	return NULL;
}

int
stats_is_established(int slot, int pid)
{
	const struct stats_slot *s;
	struct stats_view v;

	stats_view_own(&v);
	if (v.page == NULL || stats_is_missing())
		return 1;
	if ((s = slot_of(&v, slot, pid)) == NULL)
		return -1;
	return STATS_GET(s->pid) == pid &&
	    STATS_GET(s->state) > STATE_HANDSHAKE;
}
