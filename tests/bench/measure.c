/* SPDX-License-Identifier: ISC */
#include <sys/epoll.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "pattern.h"
#include "target.h"

#define EVENTS		256
#define MESSAGE_LEN	64
#define SAMPLES_MOST	(4 * 1024 * 1024)

/* Bulk: the first try, and how long a try must take to be believed. */
#define FIRST_TRY	(16 * 1024 * 1024)
#define BELIEVED	0.2
#define GROWTH_MOST	8

#define SECOND		1e9

static void
ended(const struct peer *p)
{
	err(1, "connection %u ended", p->id);
}

static int
take_pattern(struct peer *p, const unsigned char *from, size_t len)
{
	if (len > p->in_want || memcmp(from, pattern_at(p->in_place), len) != 0)
		bytes_differ(p);
	p->in_place += len;
	p->in_want -= len;
	return 0;
}

/* The target's verdict on what it was sent. */
static int
take_verdict(struct peer *p, const unsigned char *from, size_t len)
{
	if (len != p->in_want || *from != 'k')
		bytes_differ(p);
	p->in_want = 0;
	return 0;
}

static void
bulk_begin(struct crowd *c, struct peer *p, int down, uint64_t size)
{
	unsigned char request[REQUEST_LEN];

	request[0] = down ? 'd' : 'u';
	memcpy(request + 1, &p->id, sizeof(p->id));
	memcpy(request + 5, &size, sizeof(size));
	if (peer_say(p, request, sizeof(request)) == -1)
		ended(p);
	if (down) {
		p->in_place = pattern_start(p->id);
		p->in_want = size;
	} else {
		p->out_place = pattern_start(p->id);
		p->out_left = size;
		p->in_want = 1;
	}
	crowd_want(c, p, !down);
}

static void
bulk_step(struct crowd *c, struct peer *p, uint32_t events, int down)
{
	if (events & EPOLLOUT) {
		if (peer_push(p) == -1)
			ended(p);
		if (p->out_left == 0)
			crowd_want(c, p, 0);
	}
	if (events & ~EPOLLOUT &&
	    peer_pull(p, down ? take_pattern : take_verdict) == -1)
		ended(p);
}

/* Move so many bytes over each stream; how many seconds until all compared. */
static double
bulk_once(struct crowd *c, int down, uint64_t size)
{
	struct epoll_event evs[EVENTS];
	struct peer *p;
	size_t i, done = 0;
	uint64_t had, since = now_ns();
	int k, n;

	for (i = 0; i < c->count; i++)
		bulk_begin(c, &c->peers[i], down, size);
	while (done < c->count) {
		n = epoll_wait(c->ep, evs, EVENTS, -1);
		for (k = 0; k < n; k++) {
			p = evs[k].data.ptr;
			had = p->in_want;
			bulk_step(c, p, evs[k].events, down);
			done += had != 0 && p->in_want == 0;
		}
	}
	return (now_ns() - since) / SECOND;
}

/*
 * Sizes rather than times end a transfer, so that both ends can say that
 * every byte came; small transfers say which size takes the time wanted.
 */
void
measure_bulk(struct crowd *c, const struct load *l)
{
	uint64_t all = 0, size = FIRST_TRY / c->count;
	double took, grow;

	ready(l);
	if (l->size != 0)
		size = (l->size + c->count - 1) / c->count;
	while (l->size == 0) {
		took = bulk_once(c, l->down, size);
		all += size * c->count;
		grow = l->seconds / took;
		if (took >= BELIEVED * l->seconds) {
			size *= grow;
			break;
		}
		size *= grow < GROWTH_MOST ? grow : GROWTH_MOST;
	}
	if (size == 0)
		size = 1;
	took = bulk_once(c, l->down, size);
	all += size * c->count;
	printf("{\"measure\": \"bulk\", \"bytes\": %ju, \"seconds\": %.6f, "
	    "\"all_bytes\": %ju, \"mib_s\": %.1f}\n",
	    (uintmax_t)(size * c->count), took, (uintmax_t)all,
	    size * c->count / took / (1024 * 1024));
}

static int
by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void
rtt_send(struct peer *p)
{
	p->in_want = MESSAGE_LEN;
	p->since = now_ns();
	if (peer_say(p, pattern_at(p->in_place), MESSAGE_LEN) == -1)
		ended(p);
}

static double
micros(const uint32_t *samples, size_t count, double quantile)
{
	return count == 0 ? 0 : samples[(size_t)(quantile * count)] / 1000.;
}

/* Each message differs from the one before; the first tenth warms up. */
void
measure_rtt(struct crowd *c, const struct load *l)
{
	struct epoll_event evs[EVENTS];
	uint64_t begin, from, until, now;
	uint32_t *samples;
	struct peer *p;
	size_t i, count = 0, messages = 0;
	int k, n;

	if ((samples = calloc(SAMPLES_MOST, sizeof(*samples))) == NULL)
		err(1, NULL);
	ready(l);
	begin = now_ns();
	from = begin + l->seconds * SECOND / 10;
	until = from + l->seconds * SECOND;
	for (i = 0; i < c->count; i++) {
		if (peer_say(&c->peers[i], "e", 1) == -1)
			ended(&c->peers[i]);
		c->peers[i].in_place = pattern_start(i);
		rtt_send(&c->peers[i]);
	}
	while ((now = now_ns()) < until) {
		n = epoll_wait(c->ep, evs, EVENTS, -1);
		for (k = 0; k < n; k++) {
			p = evs[k].data.ptr;
			if (peer_pull(p, take_pattern) == -1)
				ended(p);
			if (p->in_want > 0)
				continue;
			now = now_ns();
			messages++;
			if (now >= from && count < SAMPLES_MOST)
				samples[count++] = now - p->since;
			rtt_send(p);
		}
	}
	now = now_ns();
	qsort(samples, count, sizeof(*samples), by_value);
	printf("{\"measure\": \"rtt\", \"messages\": %zu, \"all\": %zu, "
	    "\"p50_us\": %.1f, \"p99_us\": %.1f, \"per_s\": %.0f}\n",
	    count, messages, micros(samples, count, .5),
	    micros(samples, count, .99), count / ((now - from) / SECOND));
	free(samples);
}

/* Hold them; at the word, see whether every one of them still lives. */
void
measure_idle(struct crowd *c, const struct load *l)
{
	struct epoll_event evs[EVENTS];
	struct peer *p;
	size_t i, done = 0;
	uint64_t had;
	int k, n;

	ready(l);
	for (i = 0; i < c->count; i++) {
		c->peers[i].in_want = 1;
		if (peer_say(&c->peers[i], "h", 1) == -1)
			ended(&c->peers[i]);
	}
	while (done < c->count) {
		n = epoll_wait(c->ep, evs, EVENTS, -1);
		for (k = 0; k < n; k++) {
			p = evs[k].data.ptr;
			had = p->in_want;
			if (peer_pull(p, take_hello) == -1)
				ended(p);
			done += had != 0 && p->in_want == 0;
		}
	}
	printf("{\"measure\": \"idle\", \"connections\": %zu}\n", c->count);
}

static void
rate_open(struct crowd *c, struct peer *p, const struct load *l)
{
	struct epoll_event ev = { .events = EPOLLOUT, .data.ptr = p };
	uint32_t id = p - c->peers;
	uint64_t since = now_ns();

	if (peer_connect(p, l->port, l->ws) == -1)
		err(1, "connect");
	p->id = id;
	p->since = since;
	p->in_want = 1;
	if (epoll_ctl(c->ep, EPOLL_CTL_ADD, p->fd, &ev) == -1)
		err(1, "epoll_ctl");
}

/* 1 when the byte has come back. */
static int
rate_step(struct crowd *c, struct peer *p)
{
	int open;

	if (p->state == PEER_OPEN) {
		if (peer_pull(p, take_hello) == -1)
			ended(p);
		return p->in_want == 0;
	}
	if ((open = peer_step(p)) == -1)
		ended(p);
	if (open && peer_say(p, "h", 1) == -1)
		ended(p);
	crowd_want(c, p, 0);
	return 0;
}

/* Connect, a byte there, a byte back, close, and again. */
void
measure_rate(struct crowd *c, const struct load *l)
{
	struct epoll_event evs[EVENTS];
	uint64_t from, until, now;
	struct peer *p;
	size_t i, all = 0, count = 0;
	int k, n;

	ready(l);
	from = now_ns() + l->seconds * SECOND / 10;
	until = from + l->seconds * SECOND;
	for (i = 0; i < c->count; i++)
		rate_open(c, &c->peers[i], l);
	while ((now = now_ns()) < until) {
		n = epoll_wait(c->ep, evs, EVENTS, -1);
		for (k = 0; k < n; k++) {
			p = evs[k].data.ptr;
			if (!rate_step(c, p))
				continue;
			peer_close(p);
			all++;
			count += now >= from;
			rate_open(c, p, l);
		}
	}
	printf("{\"measure\": \"rate\", \"connections\": %zu, \"all\": %zu, "
	    "\"per_s\": %.0f}\n", count, all,
	    count / ((now - from) / SECOND));
	for (i = 0; i < c->count; i++)
		peer_close(&c->peers[i]);
}
