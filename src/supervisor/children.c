/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "os/memory.h"
#include "supervisor/children.h"

struct parked {
	int first, last;	/* plus one; 0: there is none */
	unsigned int n;		/* with those that are older */
};

/* Lists of those that are parked, by name, and one of those that were offered. */
#define OFFERED	(NAMES_MAX + 1)
#define LISTS	(NAMES_MAX + 2)

static unsigned int
buckets_for(unsigned int room)
{
	unsigned int n = 64;

	while (n < room)
		n *= 2;
	return n;
}

static int *
bucket_of(const struct children *c, pid_t pid)
{
	return &c->bucket[((uint32_t)pid * 2654435761U >> 8) %
	    c->nbuckets];
}

static void
insert_pid(struct children *c, struct child *child)
{
	int *bucket = bucket_of(c, child->pid);

	child->next_pid = *bucket;
	*bucket = (int)children_index(c, child) + 1;
}

static void
remove_pid(struct children *c, const struct child *child)
{
	int *p = bucket_of(c, child->pid);

	while (*p != (int)children_index(c, child) + 1)
		p = &c->child[*p - 1].next_pid;
	*p = child->next_pid;
}

int
children_begin(struct children *c)
{
	memset(c, 0, sizeof(*c));
	c->parked = memory_unshared(LISTS * sizeof(c->parked[0]));
	return c->parked == NULL ? -1 : 0;
}

static void
give_back(struct children *c)
{
	memory_unshared_end(c->child, c->room * sizeof(c->child[0]));
	memory_unshared_end(c->bucket, c->nbuckets * sizeof(c->bucket[0]));
}

/* Places keep their numbers. */
int
children_grow(struct children *c, unsigned int room)
{
	struct children new = *c;
	unsigned int i;

	if (room <= c->room)
		return 0;
	new.room = room;
	new.nbuckets = buckets_for(room);
	new.child = memory_unshared(room * sizeof(new.child[0]));
	new.bucket = memory_unshared(new.nbuckets * sizeof(new.bucket[0]));
	if (new.child == NULL || new.bucket == NULL) {
		give_back(&new);
		return -1;
	}
	if (c->top > 0)
		memcpy(new.child, c->child, c->top * sizeof(c->child[0]));
	give_back(c);
	*c = new;
	for (i = 0; i < c->top; i++)
		if (c->child[i].pid != 0)
			insert_pid(c, &c->child[i]);
	return 0;
}

void
children_end(struct children *c)
{
	give_back(c);
	memory_unshared_end(c->parked, LISTS * sizeof(c->parked[0]));
	memset(c, 0, sizeof(*c));
}

unsigned int
children_index(const struct children *c, const struct child *child)
{
	return (unsigned int)(child - c->child);
}

struct child *
children_numbered(const struct children *c, unsigned int i)
{
	return &c->child[i];
}

struct child *
children_at(const struct children *c, unsigned int index,
    unsigned int generation)
{
	struct child *child;

	if (index >= c->top)
		return NULL;
	child = &c->child[index];
	return child->pid != 0 && (child->generation & 255) == generation ?
	    child : NULL;
}

struct child *
children_find(const struct children *c, pid_t pid)
{
	int i;

	if (c->nbuckets == 0)
		return NULL;
	for (i = *bucket_of(c, pid); i != 0; i = c->child[i - 1].next_pid)
		if (c->child[i - 1].pid == pid)
			return &c->child[i - 1];
	return NULL;
}

unsigned int
children_next_index(const struct children *c)
{
	return c->free != 0 ? (unsigned int)c->free - 1 : c->top;
}

void
children_set_extra(struct children *c, struct child *child, int extra)
{
	c->extras += (unsigned int)extra - (unsigned int)child->extra;
	child->extra = extra;
}

/* The lowest places are used first, so that few pages are in use. */
static struct child *
take_place(struct children *c)
{
	struct child *child;

	if (c->free != 0) {
		child = &c->child[c->free - 1];
		c->free = child->next_pid;
		return child;
	}
	return c->top < c->room ? &c->child[c->top++] : NULL;
}

struct child *
children_add(struct children *c, pid_t pid, int slot, int channel, int spare)
{
	struct child *child = take_place(c);
	unsigned int generation;

	if (child == NULL)
		return NULL;
	generation = child->generation;
	memset(child, 0, sizeof(*child));
	child->generation = generation + 1;
	child->pid = pid;
	child->slot = slot;
	child->channel = channel;
	child->spare = spare;
	child->visitor.fd = -1;
	child->name = NAME_NONE;
	insert_pid(c, child);
	c->n++;
	if (channel != -1)
		children_set_state(c, child, CHILD_STARTING, 0);
	return child;
}

void
children_remove(struct children *c, struct child *child)
{
	children_set_state(c, child, CHILD_PLAIN, 0);
	children_set_extra(c, child, 0);
	remove_pid(c, child);
	child->pid = 0;
	child->next_pid = c->free;
	c->free = (int)children_index(c, child) + 1;
	c->n--;
}

static struct child *
numbered(const struct children *c, int i)
{
	return i == 0 ? NULL : &c->child[i - 1];
}

static int
number_of(const struct children *c, const struct child *child)
{
	return (int)children_index(c, child) + 1;
}

static int
is_of_one_agent(const struct child *a, const struct child *b)
{
	return (a->spare && b->spare) || (a->agent_id[0] != '\0' &&
	    strcmp(a->agent_id, b->agent_id) == 0);
}

/* In a list; 0 is its beginning and its end. */
static void
join(struct children *c, struct parked *p, int before, int behind)
{
	*(before == 0 ? &p->first : &c->child[before - 1].next) = behind;
	*(behind == 0 ? &p->last : &c->child[behind - 1].previous) = before;
}

/* It takes the place of the newest of its agent, or the last one. */
static void
park(struct children *c, struct child *child)
{
	struct parked *p = &c->parked[child->name + 1];
	struct child *newest = NULL;
	int me = number_of(c, child), at = p->last, behind = 0;

	if (child->spare || child->agent_id[0] != '\0')
		newest = numbered(c, p->first);
	while (newest != NULL && !is_of_one_agent(newest, child))
		newest = numbered(c, newest->next);
	child->older = child->newer = 0;
	if (newest != NULL) {
		child->older = number_of(c, newest);
		newest->newer = me;
		at = newest->previous;
		behind = newest->next;
	}
	join(c, p, at, me);
	join(c, p, me, behind);
	p->n++;
}

/* If its agent had its turn, the rest of that agent's become the last. */
static void
unpark(struct children *c, struct child *child, int had_turn)
{
	struct parked *p = &c->parked[child->name + 1];
	struct child *older = numbered(c, child->older);
	int heir = child->older, at = child->previous;

	p->n--;
	if (older != NULL)
		older->newer = child->newer;
	if (child->newer != 0) {
		numbered(c, child->newer)->older = heir;
		return;
	}
	if (heir == 0 || had_turn)
		join(c, p, child->previous, child->next);
	if (heir == 0)
		return;
	if (had_turn)
		at = p->last;
	join(c, p, at, heir);
	join(c, p, heir, had_turn ? 0 : child->next);
}

static void
join_offered(struct children *c, struct child *child)
{
	struct parked *p = &c->parked[OFFERED];
	int me = number_of(c, child);

	join(c, p, p->last, me);
	join(c, p, me, 0);
}

static void
leave_offered(struct children *c, const struct child *child)
{
	join(c, &c->parked[OFFERED], child->previous, child->next);
}

static void
count_spare(struct children *c, const struct child *child, int by)
{
	if (child->spare && child->state == CHILD_STARTING)
		c->spares_starting += by;
	if (child->spare && child->state == CHILD_PARKED)
		c->spares_parked += by;
}

void
children_set_state(struct children *c, struct child *child,
    enum child_state state, int64_t now)
{
	if (child->state == state)
		return;
	count_spare(c, child, -1);
	if (child->state == CHILD_PARKED)
		unpark(c, child, state == CHILD_OFFERED);
	if (child->state == CHILD_OFFERED)
		leave_offered(c, child);
	child->state = state;
	if (state == CHILD_PARKED) {
		child->since = now;
		park(c, child);
	}
	if (state == CHILD_OFFERED) {
		child->offered = now;
		join_offered(c, child);
	}
	count_spare(c, child, 1);
}

void
children_set_name(struct children *c, struct child *child, int name)
{
	if (child->state == CHILD_PARKED)
		unpark(c, child, 0);
	child->name = name;
	if (child->state == CHILD_PARKED)
		park(c, child);
}

struct child *
children_parked(const struct children *c, int name)
{
	return numbered(c, c->parked[name + 1].first);
}

struct child *
children_parked_next(const struct children *c, const struct child *child)
{
	if (child->older != 0)
		return numbered(c, child->older);
	while (child->newer != 0)
		child = &c->child[child->newer - 1];
	return numbered(c, child->next);
}

struct child *
children_offered(const struct children *c)
{
	return numbered(c, c->parked[OFFERED].first);
}

unsigned int
children_count_parked(const struct children *c, int name)
{
	return c->parked[name + 1].n;
}

struct child *
children_next(const struct children *c, const struct child *child)
{
	unsigned int i = child == NULL ? 0 : children_index(c, child) + 1;

	for (; i < c->top; i++)
		if (c->child[i].pid != 0)
			return &c->child[i];
	return NULL;
}
