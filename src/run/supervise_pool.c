/* SPDX-License-Identifier: ISC */
/*
 * Visitors are brought to children that wait for one: the supervisor passes a
 * copy of his descriptor over the child's pair, and keeps its own until the
 * child says that he is served, or gives him back, or dies.
 */
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/log.h"
#include "os/net.h"
#include "os/pass.h"
#include "run/backoff.h"
#include "run/supervise_inside.h"

#define BACKOFF_MAX	30000	/* ms between two tries */
#define STEADY		10000	/* ms of waiting that prove a wire good */
#define NO_PARK_WAIT	600000	/* ms until a server is asked again */

int
supervise_pool_begin(struct supervisor *s)
{
	struct pool *p = &s->pool;

	return p->guest == NULL ? 0 : 0;
}

unsigned int
supervise_pool_size(const struct supervisor *s)
{
	return s->service->park == NULL ? 0 : s->max;
}

/* The pairs of those who have one, in the order of the children. */
unsigned int
supervise_pool_watch(struct supervisor *s, struct pollfd *p, int accepting)
{
	unsigned int i, n = 0;

	for (i = 0; i < s->active && s->service->park != NULL; i++)
		p[n++] = (struct pollfd){ .fd = s->child[i].pair,
		    .events = POLLIN };
	return n;
}

static void
leave_seat(struct child *c)
{
	if (c->pair != -1)
		close(c->pair);
	c->pair = -1;
	c->seat = SEAT_NONE;
}

/* He has been served, or it is too late for that: ours was the last copy. */
static void
dismiss(struct guest *g)
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
		if (c->seat == SEAT_FREE && c->name == name &&
		    (best == NULL || c->since < best->since))
			best = c;
	return best;
}

/* 1 if somebody who waited has him now. */
static int
bring(struct supervisor *s, const struct guest *g)
{
	struct child *c;

	while ((c = find_free(s, g->name)) != NULL) {
		if (pass_send(c->pair, SEAT_VISITOR, g->peer, g->fd) == 0) {
			c->seat = SEAT_ASKED;
			c->guest = *g;
			return 1;
		}
		leave_seat(c);		/* it is about to die */
	}
	return 0;
}

/* Nobody waits for him. */
static int
without(struct supervisor *s, const struct guest *g)
{
	struct arrival a = { .fd = g->fd, .peer = g->peer };

	return supervise_serve(s, &a);
}

int
supervise_pool_arrived(struct supervisor *s, const struct arrival *a,
    int name)
{
	struct guest g = { .fd = a->fd, .name = name };

	net_print(a->sa, a->len, g.peer, sizeof(g.peer));
	net_linger_reset(g.fd);		/* should we die */
	return bring(s, &g) || without(s, &g);
}

/* A visitor whom a child could not serve. */
static void
come_back(struct supervisor *s, struct child *c)
{
	struct guest g = c->guest;

	c->guest.fd = -1;
	if (g.fd == -1)
		return;
	if (s->phase != SERVING)
		dismiss(&g);
	else if (!bring(s, &g))
		without(s, &g);
}

/* A spare has come to wait: all is well. */
static void
prove(struct supervisor *s)
{
	char target[256];

	if (!s->pool.proved) {
		url_print(target, sizeof(target), &s->o->url);
		log_event(LOG_L_INFO, "parked", "at", target, NULL);
	}
	s->pool.proved = 1;
	s->pool.failed = 0;
}

static void
try_later(struct supervisor *s, int64_t ms)
{
	struct pool *p = &s->pool;

	p->proved = 0;
	p->not_before = clock_ms() + ms;
}

static void
no_park(struct supervisor *s)
{
	log_event(LOG_L_INFO, "not-parked", "why",
	    "the server dials its target before it answers", NULL);
	try_later(s, NO_PARK_WAIT);
}

/* What a child says. */
static void
hear(struct supervisor *s, struct child *c)
{
	char text[PASS_TEXT_MAX];
	int fd, letter;

	while (c->pair != -1 && (letter = pass_take(c->pair, text, &fd)) > 0) {
		if (fd != -1)
			close(fd);	/* none is expected */
		switch (letter) {
		case SEAT_PARKED:
			c->seat = SEAT_FREE;
			c->since = clock_ms();
			prove(s);
			break;
		case SEAT_NO_PARK:
			no_park(s);
			leave_seat(c);
			break;
		case SEAT_TAKEN:
			s->pool.tries = 0;
			dismiss(&c->guest);
			leave_seat(c);
			break;
		case SEAT_BACK:
			leave_seat(c);
			come_back(s, c);
			break;
		}
	}
}

void
supervise_pool_heard(struct supervisor *s, const struct pollfd *p)
{
	unsigned int i, n = s->active;

	if (s->service->park == NULL)
		return;
	for (i = 0; i < n; i++)
		if (p[i].revents != 0 && s->child[i].pair == p[i].fd)
			hear(s, &s->child[i]);
}

/* A spare that ended before anybody came. */
static void
spare_gone(struct supervisor *s, const struct child *c, int status)
{
	struct pool *p = &s->pool;

	if (c->seat == SEAT_NONE || s->phase != SERVING)
		return;
	if (c->seat == SEAT_COMING)
		p->failed++;
	if (c->seat != SEAT_COMING && clock_ms() >= c->since + STEADY)
		p->tries = 0;
	try_later(s, backoff_ms(++p->tries, BACKOFF_MAX));
	if (s->o->retry == 0 || p->failed < s->o->retry)
		return;
	s->status = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_AGAIN;
	supervise_terminate(s);
}

void
supervise_pool_gone(struct supervisor *s, struct child *c, int status)
{
	hear(s, c);		/* its last words */
	if (c->spare)
		spare_gone(s, c, status);
	leave_seat(c);
	come_back(s, c);
}

/* How many spares are on their way or there. */
static unsigned int
count_spares(const struct supervisor *s, unsigned int *coming)
{
	unsigned int i, n = 0;

	*coming = 0;
	for (i = 0; i < s->active; i++) {
		if (!s->child[i].spare || (s->child[i].seat != SEAT_COMING &&
		    s->child[i].seat != SEAT_FREE))
			continue;
		n++;
		*coming += s->child[i].seat == SEAT_COMING;
	}
	return n;
}

/* While it is not known whether one can come to wait, only one tries. */
static int
wants_spare(const struct supervisor *s)
{
	unsigned int coming, n = count_spares(s, &coming);

	return s->phase == SERVING && n < s->service->spares &&
	    s->active < s->max && (s->pool.proved || coming == 0);
}

int64_t
supervise_pool_time(const struct supervisor *s)
{
	return wants_spare(s) ? s->pool.not_before : CLOCK_NEVER;
}

void
supervise_pool_tend(struct supervisor *s)
{
	static const struct arrival nobody = { .fd = -1, .peer = "" };

	while (wants_spare(s) && clock_ms() >= s->pool.not_before)
		if (supervise_start(s, &nobody) == -1) {
			log_event(LOG_L_WARN, "no-spare", "error",
			    strerror(errno), NULL);
			try_later(s, backoff_ms(++s->pool.tries,
			    BACKOFF_MAX));
		}
}

/* Those who wait have nothing to wait for any more. */
void
supervise_pool_stop(struct supervisor *s)
{
	struct child *c;

	for (c = s->child; c < s->child + s->active; c++)
		if (c->seat == SEAT_FREE ||
		    (c->spare && c->seat == SEAT_COMING))
			kill(c->pid, SIGTERM);
}

void
supervise_pool_close(const struct supervisor *s)
{
	unsigned int i;

	for (i = 0; i < s->active; i++) {
		if (s->child[i].pair != -1)
			close(s->child[i].pair);
		if (s->child[i].guest.fd != -1)
			close(s->child[i].guest.fd);
	}
}

void
supervise_pool_end(struct supervisor *s)
{
	supervise_pool_close(s);
}
