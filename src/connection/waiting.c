/* SPDX-License-Identifier: ISC */
#include <stddef.h>

#include "connection/waiting.h"
#include "os/memory.h"

#define GIVES_WAY	(-1)
#define PARKED		(-2)

/*
 * since: of clock_ms(), 0 does not wait, GIVES_WAY or PARKED; turn: the order in
 * which they began.
 */
struct place {
	int64_t since;
	uint64_t owner, turn;
};

struct table {
	uint64_t turn;			/* the last that was given */
	uint32_t share;
	uint32_t options;		/* how often they have changed */
	uint32_t top;			/* places below it have been used */
	uint32_t ended;			/* children */
	uint32_t last[WAITING_RING];	/* of them, by number plus one */
	struct place place[WAITING_PLACES];
};

static struct table *table;
static struct place *mine MEMORY_HOT;
static uint32_t options;		/* the same, when this child was forked */

#define GET(field)	__atomic_load_n(&(field), __ATOMIC_SEQ_CST)
#define SET(field, v)	__atomic_store_n(&(field), v, __ATOMIC_SEQ_CST)

/* Pages that no session has waited in cost nothing. */
int
waiting_begin(void)
{
	table = memory_shared(sizeof(*table));
	return table == NULL ? -1 : 0;
}

void
waiting_end(void)
{
	table = NULL;
}

void
waiting_share(unsigned int max)
{
	SET(table->share, max);
}

/* A place that was never used is not touched. */
void
waiting_clear(unsigned int child)
{
	if (child < WAITING_PLACES && child < GET(table->top))
		SET(table->place[child].since, 0);
}

void
waiting_renew(void)
{
	SET(table->options, ++options);
}

int
waiting_is_parked(unsigned int child)
{
	return child < WAITING_PLACES && child < GET(table->top) &&
	    GET(table->place[child].since) == PARKED;
}

int
waiting_longest(unsigned int top, int64_t now,
    int (*may)(const void *, unsigned int), const void *arg)
{
	int64_t since, oldest = now - WAITING_MIN + 1;
	uint32_t used = GET(table->top);
	int found = -1;
	unsigned int i;

	for (i = 0; i < top && i < used && i < WAITING_PLACES; i++) {
		since = GET(table->place[i].since);
		if (since > 0 && since < oldest && may(arg, i)) {
			oldest = since;
			found = (int)i;
		}
	}
	return found;
}

int
waiting_gives_way(unsigned int child)
{
	return child < WAITING_PLACES && child < GET(table->top) &&
	    GET(table->place[child].since) == GIVES_WAY;
}

void
waiting_be(unsigned int child)
{
	mine = table != NULL && child < WAITING_PLACES ?
	    &table->place[child] : NULL;
}

void
waiting_end_child(void)
{
	uint32_t n;

	if (mine == NULL)
		return;
	n = __atomic_fetch_add(&table->ended, 1, __ATOMIC_SEQ_CST);
	SET(table->last[n % WAITING_RING], (uint32_t)(mine - table->place) + 1);
}

uint32_t
waiting_ended(void)
{
	return GET(table->ended);
}

int
waiting_ended_child(uint32_t n)
{
	uint32_t child = GET(table->last[n % WAITING_RING]);

	return child > WAITING_PLACES ? -1 : (int)child - 1;
}

static void
raise_top(uint32_t to)
{
	uint32_t top = GET(table->top);

	while (top < to && !__atomic_compare_exchange_n(&table->top, &top, to,
	    0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

/* How many of this owner began to wait before us. */
static unsigned int
count_earlier(uint64_t owner)
{
	uint32_t i, top = GET(table->top);
	unsigned int n = 0;

	for (i = 0; i < top && i < WAITING_PLACES; i++)
		n += &table->place[i] != mine &&
		    GET(table->place[i].since) != 0 &&
		    GET(table->place[i].owner) == owner &&
		    GET(table->place[i].turn) < mine->turn;
	return n;
}

/*
 * Of several that begin at once each has a turn of its own, so that exactly
 * those beyond the share are refused.
 */
int
waiting_start(uint64_t owner, int64_t now)
{
	if (mine == NULL)
		return 0;
	raise_top((uint32_t)(mine - table->place) + 1);
	SET(mine->owner, owner);
	SET(mine->turn, __atomic_add_fetch(&table->turn, 1, __ATOMIC_SEQ_CST));
	SET(mine->since, now > 0 ? now : 1);
	if (owner == 0 || count_earlier(owner) < GET(table->share))
		return 0;
	waiting_stop();
	return -1;
}

void
waiting_stop(void)
{
	if (mine != NULL)
		SET(mine->since, 0);
}

void
waiting_park(void)
{
	if (mine == NULL)
		return;
	raise_top((uint32_t)(mine - table->place) + 1);
	SET(mine->owner, 0);
	SET(mine->since, PARKED);
}

int
waiting_is_outdated(void)
{
	return table != NULL && GET(table->options) != options;
}

void
waiting_give_way(void)
{
	if (mine != NULL)
		SET(mine->since, GIVES_WAY);
}
