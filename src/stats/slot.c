/* SPDX-License-Identifier: ISC */
/* A slot of the page: taking it, writing it, releasing it. */
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "stats/internal.h"

#define RELAXED		__ATOMIC_RELAXED

static struct stats_slot single = { .rtt = -1 };
struct stats_slot *stats_mine = &single;

void
stats_detach(void)
{
	stats_mine = &single;
}

void
stats_begin_change(void)
{
	stats_seq_begin(&stats_mine->seq);
}

void
stats_end_change(void)
{
	stats_seq_end(&stats_mine->seq);
}

/*
 * A free slot of a shared page, or STATS_SLOT_NONE.  The second pass takes
 * slots of killed processes too, which have a state but no lock.
 */
static int
find_free_slot(void)
{
	unsigned int pass, slot, last = stats_slots_in(stats_own.size) - 1;

	for (pass = 0; pass < 2; pass++)
		for (slot = 1; slot < last; slot++) {
			if (pass == 0 && STATS_GET(stats_at(stats_own.page,
			    slot)->state) != STATE_FREE)
				continue;
			if (stats_lock(stats_own.fd, F_WRLCK, slot, 1) == -1)
				continue;
			stats_prepare((int)slot);
			return (int)slot;
		}
	return STATS_SLOT_NONE;
}

/* Is it the number of a slot of one process? */
static int
is_slot(int slot)
{
	return stats_own.page != NULL && slot >= 0 &&
	    slot < (int)stats_slots_in(stats_own.size) - 1;
}

void
stats_prepare(int slot)
{
	struct stats_header *h = stats_own.page;
	uint32_t used;

	if (!is_slot(slot))
		return;
	used = STATS_GET(h->used);
	while (used <= (uint32_t)slot && !__atomic_compare_exchange_n(
	    &h->used, &used, slot + 1, 0, RELAXED, RELAXED))
		;
}

/* No slot: this process counts in its own memory. */
static void
be_unlisted(void)
{
	stats_mine = &single;
	if (stats_own.page == NULL)
		return;
	stats_own.unlisted = 1;
	stats_own.flushed = single.counts;
	if (stats_own.fd != -1)
		stats_lock(stats_own.fd, F_WRLCK,
		    STATS_UNLISTED + getpid(), 1);
}

int
stats_is_full(void)
{
	return stats_own.unlisted && !stats_was_truncated();
}

/* Zeroes what belongs to one connection. */
static void
clear(struct stats_slot *s)
{
	size_t from = offsetof(struct stats_slot, resumes);

	memset((char *)s + from, 0, offsetof(struct stats_slot, counts) - from);
}

void
stats_take(int slot, enum report_state state)
{
	if (slot == STATS_SLOT_NONE && stats_is_shared())
		slot = find_free_slot();
	if (!is_slot(slot))
		be_unlisted();
	else {
		stats_mine = stats_at(stats_own.page, slot);
		stats_own.unlisted = 0;
		if (stats_own.fd != -1 && (slot == 0 ||
		    !stats_own.page->shares_lock))
			stats_lock(stats_own.fd, F_WRLCK, slot, 1);
	}
	if (stats_own.enters)
		stats_lock(stats_own.fd, F_UNLCK, STATS_ENTER_LOCK, 1);
	stats_own.enters = 0;
	/*
	 * Write before reading: memory that is read first causes two page
	 * faults instead of one.
	 */
	__atomic_fetch_or(&stats_mine->seq, 1, RELAXED);
	stats_close_slot(slot);
	stats_begin_change();
	clear(stats_mine);
	stats_mine->pid = getpid();
	stats_mine->begun_at = stats_mine->data_at = clock_ms();
	stats_mine->rtt = -1;
	stats_mine->up_before = stats_mine->counts.up;
	stats_mine->down_before = stats_mine->counts.down;
	if (state > STATE_HANDSHAKE)
		STATS_ADD(stats_mine->counts.begun, 1);
	STATS_SET(stats_mine->state, state);
	stats_end_change();
	stats_flush();
}

void
stats_set_state(enum report_state state)
{
	struct stats_slot *s = stats_mine;

	if (report_in_handshake(s->state) && !report_in_handshake(state))
		STATS_ADD(s->counts.begun, 1);
	STATS_SET(s->state, state);
}

/* Raises a maximum that several processes may write. */
static void
raise_to(uint32_t *place, uint32_t value)
{
	uint32_t now = STATS_GET(*place);

	while (now < value && !__atomic_compare_exchange_n(place, &now, value,
	    0, RELAXED, RELAXED))
		;
}

void
stats_lost(int64_t since)
{
	STATS_ADD(stats_mine->counts.losses, 1);
	STATS_SET(stats_mine->lost_at, since);
}

void
stats_resumed(int64_t gap)
{
	uint32_t ms = gap < 0 ? 0 : gap > UINT32_MAX ? UINT32_MAX :
	    (uint32_t)gap;

	STATS_ADD(stats_mine->counts.resumes, 1);
	STATS_ADD(stats_mine->counts.gaps, ms);
	STATS_SET(stats_mine->lost_at, 0);
	raise_to(&stats_mine->gap, ms);
	raise_to(&stats_mine->gap_most, ms);
	if (stats_own.unlisted)
		raise_to(&stats_unlisted_slot(stats_own.page,
		    stats_own.size)->gap_most, ms);
}

int
stats_log_once(uint64_t hash)
{
	struct stats_header *h = stats_own.page;
	unsigned int i;

	if (h == NULL)
		return 1;
	for (i = 0; i < STATS_LOGGED_MAX; i++)
		if (STATS_GET(h->logged[i]) == hash)
			return 0;
	i = __atomic_fetch_add(&h->logged_next, 1, RELAXED);
	STATS_SET(h->logged[i % STATS_LOGGED_MAX], hash);
	return 1;
}

/*
 * Counts how a slot's connection has ended, and frees the slot.  A redial that
 * was handed over, and a probe, do not count as begun.
 */
static void
conclude(struct stats_slot *s, unsigned int result)
{
	stats_seq_begin(&s->seq);
	if (s->state != STATE_LISTENING)
		STATS_ADD(s->counts.ended[result], 1);
	if (report_in_handshake(s->state) && result != RESULT_HANDED_OVER &&
	    result != RESULT_PROBE)
		STATS_ADD(s->counts.begun, 1);
	STATS_SET(s->source, 0);
	STATS_SET(s->state, STATE_FREE);
	stats_seq_end(&s->seq);
}

void
stats_release(unsigned int result)
{
	if (stats_mine->state != STATE_FREE)
		conclude(stats_mine, result);
	stats_flush();
}

void
stats_close_slot(int slot)
{
	struct stats_slot *s;

	if (!is_slot(slot))
		return;
	s = stats_at(stats_own.page, slot);
	if (s->state != STATE_FREE)
		conclude(s, RESULT_KILLED);
}

/* The last slot is the only one with several writers. */
void
stats_flush(void)
{
	const uint64_t *from = (const uint64_t *)(void *)&single.counts;
	uint64_t *done = (uint64_t *)(void *)&stats_own.flushed, *to;
	size_t i;

	if (!stats_own.unlisted)
		return;
	to = (uint64_t *)(void *)&stats_unlisted_slot(stats_own.page,
	    stats_own.size)->counts;
	for (i = 0; i < REPORT_NUMBERS; i++) {
		if (from[i] == done[i])
			continue;
		__atomic_fetch_add(&to[i], from[i] - done[i], RELAXED);
		done[i] = from[i];
	}
}
