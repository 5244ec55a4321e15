/* SPDX-License-Identifier: ISC */
/*
 * Visitors are brought to parked children: the supervisor passes a copy of the
 * descriptor over the child's channel and keeps its own until the child says
 * that it has taken it, or that it has not.  A child that ends without a word
 * has not, once its channel has been read to the end.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "connection/waiting.h"
#include "net/fdpass.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/log.h"
#include "proto/agent_name.h"
#include "supervisor/internal.h"

#define MESSAGES	8	/* of a channel, before others have their turn */

void
pool_end_channel(struct supervisor *s, struct child *c)
{
	if (c->channel != -1) {
		event_delete(&s->events, c->channel);
		close(c->channel);
	}
	c->channel = -1;
	if (c->state == CHILD_ASKING)
		extra_forget(s, c);
	children_set_state(&s->children, c, CHILD_PLAIN, 0);
}

void
pool_show_name(const struct supervisor *s, int name)
{
	char masked[AGENT_NAME_MAX];
	const char *text;

	if (name == NAME_NONE || stats_is_shared())
		return;		/* whose page it is is not known */
	text = names_text(&s->names, name, masked);
	stats_set_name(name, text != NULL ? text : "-",
	    text != NULL && names_is_listed(&s->names, name),
	    queue_waiting(&s->queue, name));
}

/* --- offering --- */

/* 1 if a parked child has it now. */
static int
offer(struct supervisor *s, const struct visitor *v)
{
	struct child *c;

	while ((c = children_parked(&s->children, v->name)) != NULL) {
		if (c->renewed == s->tables.renewed && fdpass_send(c->channel,
		    WORKER_STREAM, v->peer, v->fd) == 0) {
			children_set_state(&s->children, c, CHILD_OFFERED,
			    clock_ms());
			c->visitor = *v;
			return 1;
		}
		pool_end_channel(s, c);	/* it is about to die, or has old options */
	}
	return 0;
}

static void
queue_changed(struct supervisor *s, int name)
{
	names_set_waiting(&s->names, name, queue_waiting(&s->queue, name));
	stats_set_waiting(s->queue.n);
	pool_show_name(s, name);
	s->shown.changed = 1;
}

/* Visitors that were reset while they waited keep no other one out. */
static void
enqueue(struct supervisor *s, const struct visitor *v, int in_front)
{
	struct visitor gone, evicted = { .fd = -1 };
	unsigned int most = s->o->reverse.max_waiting;
	int queued = queue_add(&s->queue, v, in_front, most, &evicted);

	while (!queued && queue_take_gone(&s->queue, v->name, net_is_reset,
	    &gone)) {
		close(gone.fd);
		queued = queue_add(&s->queue, v, in_front, most, &evicted);
	}
	if (evicted.fd != -1) {
		accept_reset(s, evicted.fd);
		queue_changed(s, evicted.name);
	}
	if (!queued)
		accept_reset(s, v->fd);
	queue_changed(s, v->name);
}

/* No child is free for it. */
static int
without_child(struct supervisor *s, const struct visitor *v, int in_front)
{
	struct incoming a = { .fd = v->fd, .peer = v->peer };

	if (v->name == NAME_NONE)
		return accept_serve(s, &a);
	enqueue(s, v, in_front);
	return 1;
}

void
pool_serve_queue(struct supervisor *s, int name)
{
	struct visitor v;

	if (name == NAME_NONE)
		return;
	while (queue_peek(&s->queue, name, &v)) {
		if (net_is_reset(v.fd) == 1)
			close(v.fd);
		else if (!offer(s, &v))
			return;
		queue_take(&s->queue, name, &v);
		queue_changed(s, name);
	}
}

/*
 * Our copy is moved to our own numbers.  Without room there we keep none, and
 * the visitor is the child's alone.
 */
int
pool_accept(struct supervisor *s, const struct incoming *a, int name)
{
	struct visitor v = { .name = name,
	    .until = clock_after(s->o->reverse.queue) };

	net_print(a->sa, a->len, v.peer, sizeof(v.peer));
	net_linger_reset(a->fd);	/* should we die */
	if ((v.fd = fd_keep(a->fd)) == -1) {
		accept_pause(s, "accept", errno);
		accept_reset(s, a->fd);
		return 0;
	}
	return offer(s, &v) || without_child(s, &v, 0);
}

void
pool_bring_back(struct supervisor *s, struct visitor *v)
{
	if (v->fd == -1)
		return;
	if (s->phase != SERVING || net_is_reset(v->fd) == 1)
		close(v->fd);
	else if (clock_ms() >= v->until || !offer(s, v))
		without_child(s, v, 1);
}

/* --- what a child says --- */

static void
forget_visitor(struct child *c)
{
	if (c->visitor.fd != -1)
		close(c->visitor.fd);
	c->visitor.fd = -1;
}

/* 0, or -1: a child in this state has no reason to say this. */
static int
receive(struct supervisor *s, struct child *c, int letter, char *text)
{
	int starting = c->state == CHILD_STARTING;
	struct visitor v = c->visitor;

	switch (letter) {
	case WORKER_ASK_PARK:
		if (!starting || c->spare)
			return -1;
		admit(s, c, text);
		return 0;
	case WORKER_ASK_PLACE:
		if (!starting || !c->extra || s->service->parks)
			return -1;
		if (extra_wants_place(s, c)) {
			fdpass_send(c->channel, WORKER_PLACE, "", -1);
			pool_end_channel(s, c);
		}
		return 0;
	case WORKER_PARKED:
		if (!starting || !c->spare)
			return -1;
		children_set_state(&s->children, c, CHILD_PARKED, clock_ms());
		spare_parked(s);
		return 0;
	case WORKER_NO_PARK:
		if (!starting || !c->spare)
			return -1;
		spare_unwanted(s);
		pool_end_channel(s, c);
		return 0;
	case WORKER_RETRY_AFTER:
		if (!starting || !c->spare)
			return -1;
		return spare_retry_after(s, text);
	case WORKER_TAKEN:
		if (c->state != CHILD_OFFERED && (c->state != CHILD_PARKED ||
		    !c->spare || s->service->spares_serve))
			return -1;
		spare_used(s);
		forget_visitor(c);
		pool_end_channel(s, c);
		return 0;
	case WORKER_RETURNED:
		if (c->state != CHILD_OFFERED)
			return -1;
		c->visitor.fd = -1;
		pool_end_channel(s, c);
		pool_bring_back(s, &v);
		return 0;
	}
	return -1;
}

/* What it has been offered may have been touched. */
static void
misbehaved(struct supervisor *s, struct child *c, int letter)
{
	struct log_line l;

	log_begin(&l, LOG_L_ERROR, "child-misbehaved");
	log_num(&l, "pid", c->pid);
	log_num(&l, "message", letter);
	log_end(&l);
	forget_visitor(c);
	pool_end_channel(s, c);
	kill(c->pid, SIGTERM);
}

/*
 * The end of a channel: one that has a visitor cannot take it any more.  A
 * spare is judged by its exit status, which comes in a moment.
 */
static void
channel_ended(struct supervisor *s, struct child *c)
{
	struct visitor v = c->visitor;

	if (c->spare && c->state != CHILD_OFFERED) {
		event_delete(&s->events, c->channel);
		kill(c->pid, SIGTERM);
		return;
	}
	c->visitor.fd = -1;
	pool_end_channel(s, c);
	pool_bring_back(s, &v);
}

/* The next message: its letter; 0 at the end; -1: none; -2: not readable. */
static int
next_message(struct child *c, char text[FDPASS_TEXT_MAX])
{
	int fd, letter;

	letter = fdpass_take(c->channel, text, &fd);
	/* It closed its end and left something of ours unread there. */
	if (letter == -1 && errno == ECONNRESET)
		letter = fdpass_take(c->channel, text, &fd);
	if (fd != -1)
		close(fd);	/* none is expected */
	if (letter >= 0)
		return letter;
	return errno == EAGAIN || errno == EINTR ? -1 : -2;
}

void
pool_read_channel(struct supervisor *s, struct child *c)
{
	char text[FDPASS_TEXT_MAX];
	int letter, i;

	for (i = 0; i < MESSAGES && c->channel != -1; i++) {
		if ((letter = next_message(c, text)) == -1)
			return;
		if (letter == 0) {
			channel_ended(s, c);
			return;
		}
		if (letter == -2 || receive(s, c, letter, text) == -1)
			misbehaved(s, c, letter);
	}
}

/*
 * Its last words.  What it asked for it does not need any more; if its channel
 * cannot be read to the end, it may have taken its visitor.
 */
void
pool_child_ended(struct supervisor *s, struct child *c)
{
	char text[FDPASS_TEXT_MAX];
	int letter = 1, i;

	for (i = 0; i < MESSAGES && c->channel != -1; i++) {
		if ((letter = next_message(c, text)) <= 0)
			break;
		if (letter != WORKER_ASK_PARK && letter != WORKER_ASK_PLACE &&
		    receive(s, c, letter, text) == -1)
			break;
	}
	if (letter != 0)
		forget_visitor(c);
}

/* --- time --- */

/* When the first child has had its time to take its visitor. */
static int64_t
offer_until(const struct supervisor *s)
{
	const struct child *c = children_offered(&s->children);
	const struct options *o = s->o;
	int64_t header = o->access.accept_proxy ? o->timeouts.connect : 0;

	if (c == NULL || (o->access.accept_proxy && header == 0))
		return CLOCK_NEVER;
	return c->offered + WORKER_TAKE_MS + header;
}

/*
 * One that is stopped or hangs holds its visitor, which is brought back when it
 * has ended: not before, as it could go on.
 */
static void
end_stuck(struct supervisor *s, int64_t now)
{
	struct child *c;

	while (offer_until(s) <= now) {
		c = children_offered(&s->children);
		pool_read_channel(s, c);
		if (c->state != CHILD_OFFERED)
			continue;
		kill(c->pid, SIGKILL);
		children_set_state(&s->children, c, CHILD_PLAIN, 0);
		children_set_state(&s->children, c, CHILD_OFFERED, now);
	}
}

int64_t
pool_time(const struct supervisor *s)
{
	int64_t until = names_time(&s->names), queue = queue_time(&s->queue),
	    offer = offer_until(s);

	if (queue < until)
		until = queue;
	return offer < until ? offer : until;
}

static void
give_up(struct supervisor *s, const struct visitor *v)
{
	char masked[AGENT_NAME_MAX];

	log_event(LOG_L_INFO, "no-agent", "peer", v->peer, "target",
	    names_text(&s->names, v->name, masked), NULL);
	accept_reset(s, v->fd);
	queue_changed(s, v->name);
}

void
pool_tend(struct supervisor *s, int64_t now)
{
	struct visitor v;
	int name;

	end_stuck(s, now);
	while (queue_take_expired(&s->queue, now, &v))
		give_up(s, &v);
	while ((name = names_expire(&s->names, now)) != NAME_NONE)
		pool_show_name(s, name);
}

/*
 * What a child has said before this moment still counts, but not for when the
 * next one is dialled: that was of the old options.  One that has been offered a
 * visitor serves it, or returns it to one with new options.
 */
void
pool_renew(struct supervisor *s)
{
	struct child *c = NULL;

	waiting_renew();
	while ((c = children_next(&s->children, c)) != NULL) {
		if (c->channel == -1) {
			if (waiting_is_parked(children_index(&s->children, c)))
				kill(c->pid, SIGUSR2);
			continue;
		}
		pool_read_channel(s, c);
		if (c->state == CHILD_PARKED ||
		    (c->spare && c->state == CHILD_STARTING))
			pool_end_channel(s, c);
	}
	respawn_renew(&s->respawn);
}

/* Those that are parked have nothing to wait for any more. */
void
pool_stop(struct supervisor *s, int leave)
{
	struct child *c = NULL;
	struct visitor v;

	names_stop(&s->names, leave);
	while (queue_take_any(&s->queue, &v)) {
		close(v.fd);
		queue_changed(s, v.name);
	}
	while ((c = children_next(&s->children, c)) != NULL)
		if (c->state == CHILD_PARKED ||
		    (c->spare && c->state == CHILD_STARTING))
			kill(c->pid, SIGTERM);
}
