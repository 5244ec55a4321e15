/* SPDX-License-Identifier: ISC */
/*
 * Failures of one kind, summed up.  Processes may meet in an entry; what they
 * get wrong is a number.
 */
#include "os/clock.h"
#include "stats/internal.h"

#define PLACES		4	/* where a kind may be */

#define RELAXED		__ATOMIC_RELAXED

/*
 * Also if it has not begun: a page in a file may have been written before the
 * system was started.
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

/* The kind's entry, or one for it; NULL: there are too many kinds. */
static struct repeat *
find(struct stats_header *h, uint64_t kind, int64_t now)
{
	struct repeat *e, *room = NULL;
	unsigned int i;

	for (i = 0; i < PLACES; i++) {
		e = &h->repeat[(kind + i) % STATS_REPEATS];
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

/* Every process can write there: the text may be any. */
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

	for (; stats_own.page != NULL && *at < STATS_REPEATS; ++*at) {
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

	for (i = 0; stats_own.page != NULL && i < STATS_REPEATS; i++) {
		if (STATS_GET(stats_own.page->repeat[i].left_out) == 0)
			continue;
		due = (int64_t)((uint64_t)STATS_GET(
		    stats_own.page->repeat[i].since) + STATS_REPEATS_MS);
		if (due < first)
			first = due;
	}
	return first;
}
