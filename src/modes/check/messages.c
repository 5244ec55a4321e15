/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "modes/check/messages.h"
#include "os/clock.h"
#include "os/signals.h"
#include "ws/frame.h"

#define PINGS		5
#define PING_MS		10000	/* for one, where --handshake-timeout is off */
#define SLOW_US		100000	/* a faster ping was not held back by a proxy */
#define MORE_MS		2000	/* to wait for an answer while more is sent */
#define PIECES		256	/* pieces of 1 KiB that are sent then */
#define PIECE_MS	4	/* between two of them: of pings that arrive
				 * together a peer may answer only the last */
#define LISTEN_MS	250	/* for a target that speaks first */

static void
fail(struct check *c, enum check_step step, int status, const char *what)
{
	error_set(&c->why, status, "%s", what);
	c->failed_at = step;
}

/*
 * The peer sent a Close.  One with a good code means that the target has ended
 * its stream.
 */
static void
closed(struct check *c, const struct probe *p, enum check_step step)
{
	char reason[4 * sizeof(p->reason)], text[sizeof(reason) + 64];

	c->close = p->code;
	str_escape(reason, sizeof(reason), p->reason, strlen(p->reason));
	strlcpy(c->reason, p->reason, sizeof(c->reason));
	if (p->code == CLOSE_NORMAL || p->code == CLOSE_NONE ||
	    p->code == CLOSE_GOING_AWAY)
		return;
	if (p->code == CLOSE_INTERNAL) {
		c->target = TARGET_DEAD;
		step = STEP_TARGET;
	}
	snprintf(text, sizeof(text), "the websocket was closed with %u%s%s",
	    p->code, reason[0] != '\0' ? ": " : "", reason);
	fail(c, step, p->code == CLOSE_PROTOCOL ? EXIT_PROTOCOL :
	    EXIT_UNREACHABLE, text);
}

/* Deals with an event that is not the answer that a step waits for. */
static void
other(struct check *c, const struct probe *p, enum probe_event event,
    enum check_step step)
{
	char text[300];

	switch (event) {
	case PROBE_NOTHING:
	case PROBE_EOF:
	case PROBE_PONG:
		break;
	case PROBE_CLOSE:
		closed(c, p, step);
		break;
	case PROBE_END:
		if (signal_terminated())
			break;
		snprintf(text, sizeof(text), "the websocket was cut off: %s",
		    errno == 0 ? "it ended without a Close" :
		    strerror(errno));
		fail(c, step, EXIT_LOST, text);
		break;
	case PROBE_FAULT:
		snprintf(text, sizeof(text), "the peer broke a rule: %s",
		    p->fault);
		fail(c, step, EXIT_PROTOCOL, text);
		break;
	}
}

static int
cannot_send(struct check *c, enum check_step step)
{
	char text[200];

	if (signal_terminated())
		return 0;
	snprintf(text, sizeof(text), "cannot send a ping: %s",
	    strerror(errno));
	fail(c, step, EXIT_LOST, text);
	return 0;
}

/* Sends a ping and waits for its answer.  1 to go on, 0: there was none. */
static int
ping(struct check *c, struct probe *p, int64_t limit, int64_t *sum)
{
	int64_t begun = clock_us(), us;
	int64_t deadline = clock_ms() + (limit > 0 ? limit : PING_MS);
	enum probe_event event;

	if (probe_ping(p, deadline) == -1)
		return cannot_send(c, STEP_PING);
	c->pings++;
	do {
		event = probe_wait(p, deadline);
	} while (event == PROBE_EOF ||
	    (event == PROBE_PONG && p->ponged != p->pinged));
	if (event != PROBE_PONG) {
		other(c, p, event, STEP_PING);
		return 0;
	}
	us = clock_us() - begun;
	*sum += us;
	c->pongs++;
	if (c->pongs == 1 || us < c->least)
		c->least = us;
	if (us > c->most)
		c->most = us;
	return 1;
}

void
check_pings(struct check *c, struct probe *p, const struct options *o)
{
	int64_t sum = 0;

	while (c->pings < PINGS && ping(c, p, o->timeouts.handshake, &sum))
		;
	if (c->pongs > 0)
		c->mean = sum / c->pongs;
}

static int
is_answered(const struct probe *p, int wants_line, uint64_t ponged)
{
	return wants_line ? p->eof_acked : p->ponged != ponged;
}

/*
 * Sends pings after a message that had no answer, in case a proxy waits for
 * more bytes.  Until the answer comes (with wants_line that of the end of our
 * stream, else that of any ping): microseconds; -1: it does not come.
 */
static int64_t
with_more(struct check *c, struct probe *p, int wants_line)
{
	int64_t begun = clock_us(), deadline = clock_ms() + MORE_MS, until;
	uint64_t ponged = p->ponged;
	enum probe_event event;
	unsigned int sent = 0;

	while (!is_answered(p, wants_line, ponged) && clock_ms() < deadline) {
		if (sent++ < PIECES && probe_burst(p, deadline) == -1) {
			cannot_send(c, STEP_MESSAGE);
			return -1;
		}
		until = sent < PIECES ? clock_ms() + PIECE_MS : deadline;
		event = probe_wait(p, until);
		if (event >= PROBE_CLOSE) {
			other(c, p, event, STEP_MESSAGE);
			return -1;
		}
	}
	return is_answered(p, wants_line, ponged) ? clock_us() - begun : -1;
}

/* Is the fastest ping much slower than this time in microseconds? */
static int
is_late(const struct check *c, int64_t us)
{
	return us >= 0 && us < c->least / 2 && c->least - us > SLOW_US / 2;
}

/*
 * Uses the pings as messages: are they held back, or late?  They are compared
 * with the handshake, which took one round trip at least.
 */
static void
look_at_pings(struct check *c, struct probe *p)
{
	int64_t us;

	c->message_us = c->pongs > 0 ? c->least : -1;
	c->message = c->pongs > 0 ? MESSAGE_AT_ONCE : MESSAGE_LOST;
	if (c->pongs > 0 && is_late(c, c->upgrade))
		c->message = MESSAGE_LATE;
	if (c->message == MESSAGE_LATE || (c->pongs > 0 && c->least < SLOW_US))
		return;
	us = with_more(c, p, 0);
	if (c->pongs == 0)
		c->message = us < 0 ? MESSAGE_NOT_TRIED : MESSAGE_HELD;
	else if (is_late(c, us))
		c->message = MESSAGE_LATE;
}

/*
 * Uses the end of our stream as a message.  It is answered when the target was
 * told of it, so the time of the answer is no measure.
 */
static void
look_at_line(struct check *c, struct probe *p, int64_t limit)
{
	int64_t deadline = clock_after(limit > 0 && limit < MORE_MS ? limit :
	    MORE_MS);
	enum probe_event event = PROBE_EOF;

	c->message_is_line = 1;
	if (probe_say_eof(p, deadline) == -1) {
		cannot_send(c, STEP_MESSAGE);
		return;
	}
	while (!p->eof_acked && !p->rst &&
	    (event == PROBE_EOF || event == PROBE_PONG))
		event = probe_wait(p, deadline);
	if (p->eof_acked || p->rst) {
		c->message = MESSAGE_AT_ONCE;
		return;
	}
	c->message_us = -1;
	if (event == PROBE_NOTHING)
		c->message = with_more(c, p, 1) < 0 ? MESSAGE_LOST :
		    MESSAGE_HELD;
	else
		other(c, p, event, STEP_MESSAGE);
}

static int
is_open(const struct check *c)
{
	return c->why.status == EXIT_ENDED && c->close == 0;
}

void
check_message(struct check *c, struct probe *p, const struct options *o)
{
	look_at_pings(c, p);
	if (is_open(c) && p->extension && !p->eof && !p->rst &&
	    (c->message == MESSAGE_AT_ONCE || c->message == MESSAGE_NOT_TRIED))
		look_at_line(c, p, o->timeouts.handshake);
	if (signal_terminated()) {
		c->message = MESSAGE_NOT_TRIED;
		c->message_us = -1;
		return;
	}
	if (is_open(c) && c->pongs == 0 && p->taken == 0 &&
	    (c->message == MESSAGE_NOT_TRIED || c->message == MESSAGE_LOST))
		fail(c, STEP_PING, EXIT_AGAIN, "nothing comes back behind the "
		    "101: no ping has an answer");
}

void
check_listen(struct check *c, struct probe *p)
{
	int64_t deadline = clock_ms() + LISTEN_MS;
	enum probe_event event = PROBE_NOTHING;

	if (c->why.status != EXIT_ENDED || c->close != 0)
		return;
	while (p->said_len == 0 && !p->eof && !p->rst &&
	    event < PROBE_CLOSE && clock_ms() < deadline)
		event = probe_wait(p, clock_ms() + LISTEN_MS / 25);
	other(c, p, event, STEP_TARGET);
}

void
check_target(struct check *c, const struct probe *p)
{
	const char *end = memchr(p->said, '\n', p->said_len);
	size_t n = end != NULL ? (size_t)(end - (const char *)p->said) :
	    p->said_len;

	if (n > 0 && p->said[n - 1] == '\r')
		n--;
	str_escape(c->banner, sizeof(c->banner), p->said, n);
	if (c->target == TARGET_DEAD)
		return;
	if (p->said_len == 0 && (p->extension ? p->ended_first : c->close != 0))
		c->target = TARGET_ENDED;
	else if (p->said_len > 0 || p->extension)
		c->target = TARGET_REACHED;
}
