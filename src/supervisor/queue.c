/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "os/clock.h"
#include "os/memory.h"
#include "supervisor/queue.h"

#define LOOKS	16	/* at visitors of a name, for one that has left */

/* A visitor in two lists: all of its name, and all by the time they leave. */
struct queued {
	struct visitor v;
	int next, previous;		/* of its name; next: free ones */
	int later, earlier;
};

struct queue_name {
	int first, last, look;		/* look: where to look for the gone */
	unsigned int n;
};

/* Places keep their numbers. */
int
queue_grow(struct queue *q, unsigned int room)
{
	struct queued *at;

	if (room <= q->room)
		return 0;
	if (q->of == NULL && (q->of = memory_unshared(NAMES_MAX *
	    sizeof(q->of[0]))) == NULL)
		return -1;
	if ((at = memory_unshared((room + 1) * sizeof(at[0]))) == NULL)
		return -1;
	if (q->at != NULL) {
		memcpy(at, q->at, (q->top + 1) * sizeof(at[0]));
		memory_unshared_end(q->at, (q->room + 1) * sizeof(at[0]));
	}
	q->at = at;
	q->room = room;
	return 0;
}

void
queue_end(struct queue *q)
{
	memory_unshared_end(q->at, (q->room + 1) * sizeof(q->at[0]));
	memory_unshared_end(q->of, NAMES_MAX * sizeof(q->of[0]));
	memset(q, 0, sizeof(*q));
}

unsigned int
queue_waiting(const struct queue *q, int name)
{
	return q->room == 0 ? 0 : q->of[name].n;
}

static void
link_name(struct queue *q, int i, int in_front)
{
	struct queued *me = &q->at[i];
	struct queue_name *of = &q->of[me->v.name];

	me->previous = in_front ? 0 : of->last;
	me->next = in_front ? of->first : 0;
	if (me->previous != 0)
		q->at[me->previous].next = i;
	else
		of->first = i;
	if (me->next != 0)
		q->at[me->next].previous = i;
	else
		of->last = i;
	q->names += of->n++ == 0;
}

/*
 * By time: a new one is nearly always the last, and one that comes back, in
 * front of its name, one of the first.
 */
static void
link_time(struct queue *q, int i, int from_front)
{
	struct queued *me = &q->at[i];
	int before = q->last, after = q->first;

	if (from_front) {
		while (after != 0 && q->at[after].v.until < me->v.until)
			after = q->at[after].later;
		before = after != 0 ? q->at[after].earlier : q->last;
	} else {
		while (before != 0 && q->at[before].v.until > me->v.until)
			before = q->at[before].earlier;
		after = before != 0 ? q->at[before].later : q->first;
	}
	me->earlier = before;
	me->later = after;
	*(before != 0 ? &q->at[before].later : &q->first) = i;
	*(after != 0 ? &q->at[after].earlier : &q->last) = i;
}

static void
take_out(struct queue *q, int i, struct visitor *v)
{
	struct queued *me = &q->at[i];
	struct queue_name *of = &q->of[me->v.name];

	*v = me->v;
	if (of->look == i)
		of->look = me->next;
	*(me->previous != 0 ? &q->at[me->previous].next : &of->first) =
	    me->next;
	*(me->next != 0 ? &q->at[me->next].previous : &of->last) =
	    me->previous;
	*(me->earlier != 0 ? &q->at[me->earlier].later : &q->first) =
	    me->later;
	*(me->later != 0 ? &q->at[me->later].earlier : &q->last) =
	    me->earlier;
	q->names -= --of->n == 0;
	q->n--;
	me->next = q->free;
	q->free = i;
}

/* Names take turns in being asked; only a queue that is full gets here. */
static int
evict(struct queue *q, unsigned int share, struct visitor *evicted)
{
	unsigned int i;

	for (i = 0; i < NAMES_MAX; i++) {
		q->look = (q->look + 1) % NAMES_MAX;
		if (q->of[q->look].n > share) {
			take_out(q, q->of[q->look].last, evicted);
			return 1;
		}
	}
	return 0;
}

int
queue_add(struct queue *q, const struct visitor *v, int in_front,
    unsigned int per_name, struct visitor *evicted)
{
	unsigned int waiting = queue_waiting(q, v->name), share;
	int i;

	evicted->fd = -1;
	if (waiting >= per_name || q->room == 0)
		return 0;
	if (q->n == q->room) {
		share = q->room / (q->names + (waiting == 0));
		if (waiting >= share || !evict(q, share, evicted))
			return 0;
	}
	if ((i = q->free) != 0)
		q->free = q->at[i].next;
	else
		i = (int)++q->top;
	q->at[i].v = *v;
	q->n++;
	link_name(q, i, in_front);
	link_time(q, i, in_front);
	return 1;
}

int
queue_peek(const struct queue *q, int name, struct visitor *v)
{
	int i = q->room == 0 ? 0 : q->of[name].first;

	if (i == 0)
		return 0;
	*v = q->at[i].v;
	return 1;
}

int
queue_take(struct queue *q, int name, struct visitor *v)
{
	int i = q->room == 0 ? 0 : q->of[name].first;

	if (i == 0)
		return 0;
	take_out(q, i, v);
	return 1;
}

int
queue_take_any(struct queue *q, struct visitor *v)
{
	if (q->first == 0)
		return 0;
	take_out(q, q->first, v);
	return 1;
}

int
queue_take_expired(struct queue *q, int64_t now, struct visitor *v)
{
	return q->first != 0 && q->at[q->first].v.until <= now &&
	    queue_take_any(q, v);
}

int
queue_take_gone(struct queue *q, int name, int (*is_gone)(int fd),
    struct visitor *v)
{
	struct queue_name *of = &q->of[name];
	unsigned int k;
	int i;

	for (k = 0; q->room > 0 && k < LOOKS && k < of->n; k++) {
		i = of->look != 0 ? of->look : of->first;
		of->look = q->at[i].next;
		if (is_gone(q->at[i].v.fd) == 1) {
			take_out(q, i, v);
			return 1;
		}
	}
	return 0;
}

int64_t
queue_time(const struct queue *q)
{
	return q->first == 0 ? CLOCK_NEVER : q->at[q->first].v.until;
}
