/* SPDX-License-Identifier: ISC */
/*
 * --max-per-source and --max-handshakes: processes count each other in the
 * page, the only memory that they share.
 *
 * For --max-per-source each connection takes a turn, a number that rises, and
 * counts the connections of its source with a lower turn.  So of two that come
 * at the same time at least one counts the other, and the limit holds without a
 * lock (compare Lamport's bakery algorithm).
 */
#include <sched.h>

#include "stats/internal.h"

#define COMING	UINT64_MAX	/* turn of a process that is taking one */
#define TRIES	1000		/* to read another turn than COMING, see below */

/*
 * The turn of a slot; waits a moment for a process that is taking one.  tries
 * limits the waits for all slots together, since a process may be killed with
 * COMING in its slot.
 */
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

/*
 * Does this slot have a connection of this source with a lower turn?  A killed
 * process leaves its slot unchanged, so it is looked whether the process runs.
 */
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
	    STATS_GET(s->source) == source && stats_is_alive(v, slot);
}

/*
 * A process writes its source before it takes its turn: of two that come at the
 * same time at least the one with the later turn sees the other's source.
 */
int
stats_count_source(uint64_t source, unsigned int max)
{
	struct stats_view v;
	struct stats_header *h;
	unsigned int i, n = 0;
	uint64_t mine;
	int tries = TRIES;

	stats_view_own(&v);
	h = (struct stats_header *)(uintptr_t)v.page;
	if (h == NULL || (char *)stats_mine < (char *)stats_at(h, 0) ||
	    (char *)stats_mine >= (char *)stats_at(h, stats_slots_in(v.size)) ||
	    stats_was_truncated())
		return -1;
	if (source == 0) {
		STATS_SET(stats_mine->source, 0);
		return 0;
	}
	/*
	 * Without a limit this process counts nobody, so it needs no turn of
	 * its own and does not write to the header.  With turn 0 it is an
	 * earlier one for all processes that count.
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
	return stats_was_truncated() ? -1 : (int)n;
}

/* This slot, or the one that the process found by itself; NULL: it has none. */
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
	enum report_state state;

	stats_view_own(&v);
	if (v.page == NULL || stats_was_truncated())
		return 1;
	if ((s = slot_of(&v, slot, pid)) == NULL)
		return -1;
	state = STATS_GET(s->state);
	return STATS_GET(s->pid) == pid && state > STATE_HANDSHAKE &&
	    !report_in_handshake(state);
}
