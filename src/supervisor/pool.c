/* SPDX-License-Identifier: ISC */
/*
 * Visitors are brought to children that wait for one: the supervisor passes a
 * copy of his descriptor over the child's pair, and keeps its own until the
 * child says that he is served, or gives him back, or dies.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/fdpass.h"
#include "net/socket.h"
#include "os/clock.h"
#include "os/log.h"
#include "stats/page.h"
#include "supervisor/internal.h"

#define LOOK_EVERY	100	/* ms between two looks for who has left */

int
pool_begin(struct supervisor *s, struct error *why)
{
	struct pool *p = &s->pool;

	if (names_begin(s, why) == -1)
		return -1;
	if (s->names.max == 0)
		return 0;
	p->max_guests = s->o->reverse.max_waiting > s->max ? s->o->reverse.max_waiting :
	    s->max;
	p->guest = calloc(p->max_guests, sizeof(p->guest[0]));
	return p->guest != NULL ? 0 : error_set(why, EXIT_SYSTEM,
	    "out of memory");
}

/* The pairs of those who have one, in the order of the children; the doors. */
unsigned int
pool_watch(struct supervisor *s, struct pollfd *p, int accepting)
{
	unsigned int i, n = 0;

	for (i = 0; i < s->active && s->service->park != NULL; i++)
		p[n++] = (struct pollfd){ .fd = s->child[i].channel,
		    .events = POLLIN };
	s->pool.npairs = n;
	s->pool.ndoors = accepting ? names_watch(s, p + n) : 0;
	return n + s->pool.ndoors;
}

void
pool_end_channel(struct child *c)
{
	if (c->channel != -1)
		close(c->channel);
	c->channel = -1;
	c->seat = CHILD_SINGLE;
}

/* He has been served, or it is too late for that: ours was the last copy. */
static void
dismiss(struct queued *g)
{
	if (g->fd != -1)
		close(g->fd);
	g->fd = -1;
}

/* The one who has waited longest, so that agents take turns. */
static struct child *
find_free(struct supervisor *s, int name)
{
	struct child *c, *best = NULL;

	for (c = s->child; c < s->child + s->active; c++)
		if (c->seat == CHILD_PARKED && c->name == name &&
		    (best == NULL || c->since < best->since))
			best = c;
	return best;
}

/* 1 if somebody who waited has him now. */
static int
bring(struct supervisor *s, const struct queued *g)
{
	struct child *c;

	while ((c = find_free(s, g->name)) != NULL) {
		if (fdpass_send(c->channel, WORKER_STREAM, g->peer, g->fd) == 0) {
			c->seat = CHILD_OFFERED;
			c->queued = *g;
			return 1;
		}
		pool_end_channel(c);		/* it is about to die */
	}
	return 0;
}

static void
shut_out(struct supervisor *s, struct queued *g)
{
	s->nrefused++;
	STATS_ADD(stats_mine->counts.refused, 1);
	dismiss(g);
}

static void
wait_for(struct supervisor *s, int name, int more)
{
	s->names.name[name].waiting += more;
	s->changed = 1;
	stats_set_waiting(s->pool.nguests);
	slots_set_name(s, name);
}

static void
dequeue(struct supervisor *s, unsigned int at)
{
	struct pool *p = &s->pool;
	int name = p->guest[at].name;

	p->nguests--;
	memmove(p->guest + at, p->guest + at + 1,
	    (p->nguests - at) * sizeof(p->guest[0]));
	wait_for(s, name, -1);
}

static int
no_room(const struct supervisor *s, int name)
{
	return s->pool.nguests == s->pool.max_guests ||
	    s->names.name[name].waiting >= s->o->reverse.max_waiting;
}

/* Those who were reset while they waited keep nobody out. */
static void
forget_departed(struct supervisor *s)
{
	struct pool *p = &s->pool;
	unsigned int i = 0;

	if (clock_ms() < p->look)
		return;
	p->look = clock_ms() + LOOK_EVERY;
	while (i < p->nguests)
		if (net_is_reset(p->guest[i].fd) == 1) {
			dismiss(&p->guest[i]);
			dequeue(s, i);
		} else
			i++;
}

/* He waits in the row, in front if he has been there before. */
static void
enqueue(struct supervisor *s, struct queued *g, int in_front)
{
	struct pool *p = &s->pool;
	unsigned int at;

	if (no_room(s, g->name))
		forget_departed(s);
	if (no_room(s, g->name)) {
		shut_out(s, g);
		return;
	}
	at = in_front ? 0 : p->nguests;
	memmove(p->guest + at + 1, p->guest + at,
	    (p->nguests - at) * sizeof(p->guest[0]));
	p->guest[at] = *g;
	p->nguests++;
	wait_for(s, g->name, 1);
}

/* Nobody waits for him. */
static int
without(struct supervisor *s, struct queued *g, int before)
{
	struct incoming a = { .fd = g->fd, .peer = g->peer };

	if (g->name == NAME_NONE)
		return supervisor_serve(s, &a);
	enqueue(s, g, before);
	return 1;
}

/* Somebody has come to wait: is there who waits for him? */
void
pool_serve_queue(struct supervisor *s, int name)
{
	struct pool *p = &s->pool;
	unsigned int i = 0;

	while (i < p->nguests) {
		if (p->guest[i].name != name) {
			i++;
			continue;
		}
		if (net_is_reset(p->guest[i].fd))
			dismiss(&p->guest[i]);
		else if (!bring(s, &p->guest[i]))
			return;
		dequeue(s, i);
	}
}

static void
give_up_guests(struct supervisor *s, int64_t now)
{
	struct pool *p = &s->pool;
	unsigned int i = 0;
	char shown[AGENT_NAME_MAX];

	while (i < p->nguests) {
		if (now < p->guest[i].until) {
			i++;
			continue;
		}
		log_event(LOG_L_INFO, "no-agent", "peer", p->guest[i].peer,
		    "target", names_text(s, p->guest[i].name,
		    shown), NULL);
		shut_out(s, &p->guest[i]);
		dequeue(s, i);
	}
}

int64_t
pool_queue_until(const struct supervisor *s)
{
	return clock_after(s->o->reverse.queue);
}

int
pool_accept(struct supervisor *s, const struct incoming *a,
    int name)
{
	struct queued g = { .fd = a->fd, .name = name };

	net_print(a->sa, a->len, g.peer, sizeof(g.peer));
	net_linger_reset(g.fd);		/* should we die */
	g.until = pool_queue_until(s);
	return bring(s, &g) || without(s, &g, 0);
}

/* A visitor whom a child could not serve; his patience is not endless. */
static void
come_back(struct supervisor *s, struct child *c)
{
	struct queued g = c->queued;

	c->queued.fd = -1;
	if (g.fd == -1)
		return;
	if (s->phase != SERVING || net_is_reset(g.fd) == 1)
		dismiss(&g);
	else if (clock_ms() >= g.until || !bring(s, &g))
		without(s, &g, 1);
}

/* What a child says. */
static void
hear(struct supervisor *s, struct child *c)
{
	char text[FDPASS_TEXT_MAX];
	int fd, letter;

	while (c->channel != -1 && (letter = fdpass_take(c->channel, text, &fd)) > 0) {
		if (fd != -1)
			close(fd);	/* none is expected */
		switch (letter) {
		case WORKER_ASK_PARK:
			pool_admit(s, c, text);
			break;
		case WORKER_PARKED:
			c->seat = CHILD_PARKED;
			c->since = clock_ms();
			spare_parked(s);
			pool_serve_queue(s, NAME_NONE);
			break;
		case WORKER_NO_PARK:
			spare_unwanted(s);
			pool_end_channel(c);
			break;
		case WORKER_TAKEN:
			spare_used(s);
			dismiss(&c->queued);
			pool_end_channel(c);
			break;
		case WORKER_RETURNED:
			pool_end_channel(c);
			come_back(s, c);
			break;
		}
	}
}

void
pool_read_channels(struct supervisor *s, const struct pollfd *p)
{
	unsigned int i, n = s->active;

	if (s->service->park == NULL)
		return;
	for (i = 0; i < s->pool.npairs && i < n; i++)
		if (p[i].revents != 0 && s->child[i].channel == p[i].fd)
			hear(s, &s->child[i]);
	names_accept(s, p + s->pool.npairs, s->pool.ndoors);
}

void
pool_child_ended(struct supervisor *s, struct child *c, int status)
{
	hear(s, c);		/* its last words */
	if (c->spare)
		spare_ended(s, c, status);
	pool_end_channel(c);
	come_back(s, c);
}

int64_t
pool_time(const struct supervisor *s)
{
	const struct pool *p = &s->pool;
	int64_t next = p->door_goes;
	unsigned int i;

	for (i = 0; i < p->nguests; i++)
		if (p->guest[i].until < next)
			next = p->guest[i].until;
	return spare_time(s) < next ? spare_time(s) :
	    next;
}

void
pool_tend(struct supervisor *s)
{
	give_up_guests(s, clock_ms());
	s->pool.door_goes = names_tend(s);
	spare_tend(s);
}

/* Those who wait have nothing to wait for any more. */
void
pool_stop(struct supervisor *s, int leave)
{
	struct child *c;

	names_stop(s, leave);
	while (s->pool.nguests > 0) {
		dismiss(&s->pool.guest[0]);
		dequeue(s, 0);
	}
	for (c = s->child; c < s->child + s->active; c++)
		if (c->seat == CHILD_PARKED ||
		    (c->spare && c->seat == CHILD_STARTING))
			kill(c->pid, SIGTERM);
}

void
pool_close(const struct supervisor *s)
{
	unsigned int i;

	names_close(s);
	for (i = 0; i < s->pool.nguests; i++)
		close(s->pool.guest[i].fd);
	for (i = 0; i < s->active; i++) {
		if (s->child[i].channel != -1)
			close(s->child[i].channel);
		if (s->child[i].queued.fd != -1)
			close(s->child[i].queued.fd);
	}
}

void
pool_end(struct supervisor *s)
{
	pool_close(s);
	names_end(s);
	free(s->pool.guest);
}
