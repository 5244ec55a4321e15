/* SPDX-License-Identifier: ISC */
/*
 * Failures of one kind, counted in a small hash table on the page.  There is no
 * lock: two processes that change an entry at the same time may get a count
 * wrong, which does no harm.
 */
#include "os/clock.h"
#include "stats/internal.h"

#define PLACES		4	/* entries that are tried for a kind */

#define RELAXED		__ATOMIC_RELAXED

/*
 * Is the minute of an entry over?  Also if it begins in the future, as a page
 * in a file may be older than the present boot: a negative difference is a
 * large unsigned number.
 */
static int
is_over(struct repeat *e, int64_t now)
{
	return (uint64_t)now - (uint64_t)STATS_GET(e->since) >=
	    STATS_REPEATS_MS;
}

static void
begin_minute(struct repeat *e, int64_t now)
{
	STATS_SET(e->since, now);
	STATS_SET(e->n, 0);
}

/* The entry of a kind, or one that is free for it; NULL: too many kinds. */
static struct repeat *
find(struct stats_header *h, uint64_t kind, int64_t now)
{
	struct repeat *e, *room = NULL;
	unsigned int i;

	for (i = 0; i < PLACES; i++) {
		e = &h->repeat[(kind + i) % STATS_REPEATS_MAX];
		if (STATS_GET(e->kind) == kind)
			return e;
		if (room == NULL && (STATS_GET(e->kind) == 0 ||
		    (is_over(e, now) && STATS_GET(e->left_out) == 0)))
			room = e;
	}
	return room;
}

int
stats_repeats_add(uint64_t kind, const struct stats_repeat *text, int64_t now)
{
	struct repeat *e;

	if (stats_own.page == NULL ||
	    (e = find(stats_own.page, kind, now)) == NULL)
		return 1;
	if (STATS_GET(e->kind) != kind) {
		e->text = *text;
		STATS_SET(e->kind, kind);
		begin_minute(e, now);
	} else if (is_over(e, now) && STATS_GET(e->left_out) == 0)
		begin_minute(e, now);
	if (__atomic_add_fetch(&e->n, 1, RELAXED) <= STATS_REPEATS_LOGGED)
		return 1;
	__atomic_fetch_add(&e->left_out, 1, RELAXED);
	return 0;
}

/* Every process can write to the page: the texts may lack their NUL. */
static void
copy(struct stats_repeat *to, const struct stats_repeat *from)
{
	*to = *from;
	to->host[sizeof(to->host) - 1] = to->why[sizeof(to->why) - 1] = '\0';
}

int
stats_repeats_take(unsigned int *at, int64_t now, struct stats_repeat *text,
    unsigned int *left_out)
{
	struct repeat *e;

	for (; stats_own.page != NULL && *at < STATS_REPEATS_MAX; ++*at) {
		e = &stats_own.page->repeat[*at];
		if (STATS_GET(e->left_out) == 0 || !is_over(e, now) ||
		    (*left_out = __atomic_exchange_n(&e->left_out, 0,
		    RELAXED)) == 0)
			continue;
		copy(text, &e->text);
		begin_minute(e, now);
		return 1;
	}
	return 0;
}

int64_t
stats_repeats_time(void)
{
	int64_t first = CLOCK_NEVER, due;
	unsigned int i;

	for (i = 0; stats_own.page != NULL && i < STATS_REPEATS_MAX; i++) {
		if (STATS_GET(stats_own.page->repeat[i].left_out) == 0)
			continue;
		due = (int64_t)((uint64_t)STATS_GET(
		    stats_own.page->repeat[i].since) + STATS_REPEATS_MS);
		if (due < first)
			first = due;
	}
	return first;
}
