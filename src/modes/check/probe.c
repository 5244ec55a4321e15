/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>

#include "modes/check/probe.h"
#include "net/deadline_io.h"
#include "os/clock.h"
#include "os/random.h"
#include "ws/control.h"
#include "ws/frame.h"

#define ANSWER_MS	5000	/* to write a pong of ours */
#define BURST		1024	/* bytes of probe_burst() */

_Static_assert(sizeof(((struct probe *)0)->in) >= HTTP_HEAD_MAX + 4096 +
    FRAME_HEAD_MAX + FRAME_CONTROL_MAX, "bytes behind the answer fit");

void
probe_begin(struct probe *p, const struct websocket *w)
{
	memset(p, 0, offsetof(struct probe, in));
	p->io = w->io;
	p->extension = w->has_extension;
	p->waits = w->has_extension && (w->theirs.flags & EXT_PARK);
	p->len = w->early_len < sizeof(p->in) ? w->early_len : sizeof(p->in);
	memcpy(p->in, w->early, p->len);
}

void
probe_resume(struct probe *p, const struct websocket *w)
{
	p->io = w->io;
	p->ended = PROBE_NOTHING;
	p->skip = 0;
	p->eof = p->eof_acked = p->eof_sent = 0;
	p->len = w->early_len < sizeof(p->in) ? w->early_len : sizeof(p->in);
	memcpy(p->in, w->early, p->len);
}

/*
 * Nothing more is read, and a signal has not ended anything.  The first end
 * counts.
 */
static enum probe_event
ended(struct probe *p, enum probe_event how)
{
	if (p->ended == PROBE_NOTHING && (how != PROBE_END || errno != EINTR))
		p->ended = how;
	return how;
}

static int
send_frame(struct probe *p, int opcode, const void *payload, size_t n,
    int64_t deadline)
{
	struct frame f = { .fin = 1, .opcode = opcode, .masked = 1,
	    .length = n };
	uint8_t out[FRAME_HEAD_MAX + FRAME_CONTROL_MAX];
	size_t head;

	random_bytes(f.key, sizeof(f.key));
	head = frame_encode(out, &f);
	frame_mask(out + head, payload, n, f.key, 0);
	if (deadline_write(&p->io, out, head + n, deadline) == 0)
		return 0;
	ended(p, PROBE_END);
	return -1;
}

int
probe_ping(struct probe *p, int64_t deadline)
{
	p->pinged++;
	return send_frame(p, FRAME_PING, &p->pinged, sizeof(p->pinged),
	    deadline);
}

int
probe_burst(struct probe *p, int64_t deadline)
{
	uint64_t payload[FRAME_CONTROL_MAX / sizeof(uint64_t)] = { 0 };
	size_t sent;

	for (sent = 0; sent < BURST; sent += sizeof(payload)) {
		payload[0] = ++p->pinged;
		if (send_frame(p, FRAME_PING, payload, sizeof(payload),
		    deadline) == -1)
			return -1;
	}
	return 0;
}

/* Is it the answer to a ping of ours? */
static enum probe_event
pong(struct probe *p, const uint8_t *payload, size_t n)
{
	uint64_t number;

	if (n < sizeof(number))
		return PROBE_NOTHING;
	memcpy(&number, payload, sizeof(number));
	if (number <= p->ponged || number > p->pinged)
		return PROBE_NOTHING;
	p->ponged = number;
	return PROBE_PONG;
}

static enum probe_event
closed(struct probe *p, const uint8_t *payload, size_t n)
{
	size_t i;

	p->code = n < 2 ? CLOSE_NONE : payload[0] << 8 | payload[1];
	memset(p->reason, 0, sizeof(p->reason));
	for (i = 2; i < n; i++)
		p->reason[i - 2] = (char)(payload[i] == '\0' ? '?' :
		    payload[i]);
	return PROBE_CLOSE;
}

/* A control line of the extension: only ends of streams are of interest. */
static enum probe_event
line(struct probe *p, const uint8_t *text, size_t n)
{
	struct control c;

	if (control_parse(&c, text, n) == -1)
		return PROBE_NOTHING;
	if (c.kind == CONTROL_EOF)
		p->eof = 1;
	else if (c.kind == CONTROL_ACK && c.numbers == 1)
		p->eof_acked = 1;
	else if (c.kind == CONTROL_RST || c.kind == CONTROL_FAIL)
		p->rst = 1;
	else
		return PROBE_NOTHING;
	if ((p->eof || p->rst) && !p->eof_sent)
		p->ended_first = 1;
	return PROBE_EOF;
}

static enum probe_event
control(struct probe *p, const struct frame *f, const uint8_t *payload)
{
	switch (f->opcode) {
	case FRAME_PING:
		p->pings++;
		if (send_frame(p, FRAME_PONG, payload, f->length,
		    clock_ms() + ANSWER_MS) == -1)
			return PROBE_END;
		return PROBE_NOTHING;
	case FRAME_PONG:
		return pong(p, payload, f->length);
	case FRAME_CLOSE:
		return closed(p, payload, f->length);
	case FRAME_TEXT:
		return line(p, payload, f->length);
	}
	return PROBE_NOTHING;
}

/* Keeps the beginning of the data. */
static void
keep(struct probe *p, const uint8_t *data, size_t n)
{
	if (n > sizeof(p->said) - p->said_len)
		n = sizeof(p->said) - p->said_len;
	memcpy(p->said + p->said_len, data, n);
	p->said_len += n;
}

/* Takes a frame, or a part of a payload, off in[]; *more: there was one. */
static enum probe_event
take(struct probe *p, int *more)
{
	enum probe_event event = PROBE_NOTHING;
	struct frame f;
	ssize_t head = 0;
	size_t n;

	*more = 0;
	if (p->skip == 0) {
		head = frame_decode(&f, p->in, p->len, &p->fault);
		if (head < 0)
			return PROBE_FAULT;
		if (head == 0)
			return PROBE_NOTHING;
		if (f.masked) {
			p->fault = "a masked frame from a server";
			return PROBE_FAULT;
		}
		if (f.opcode >= FRAME_CLOSE || (p->extension &&
		    f.opcode == FRAME_TEXT && f.length <= FRAME_CONTROL_MAX)) {
			if (p->len < head + f.length)
				return PROBE_NOTHING;
			event = control(p, &f, p->in + head);
			head += (ssize_t)f.length;
		} else
			p->skip = f.length;
	}
	n = p->len - head;
	if (n > p->skip)
		n = p->skip;
	p->skip -= n;
	p->taken += n;
	keep(p, p->in + head, n);
	n += head;
	p->len -= n;
	memmove(p->in, p->in + n, p->len);
	*more = n > 0;
	return event;
}

enum probe_event
probe_wait(struct probe *p, int64_t deadline)
{
	enum probe_event event;
	ssize_t n;
	int more;

	for (;;) {
		do {
			event = take(p, &more);
			if (event >= PROBE_CLOSE)
				return ended(p, event);
			if (event != PROBE_NOTHING)
				return event;
		} while (more);
		n = deadline_read(&p->io, p->in + p->len,
		    sizeof(p->in) - p->len, deadline);
		if (n == -1 && errno == ETIMEDOUT)
			return PROBE_NOTHING;
		if (n == 0)
			errno = 0;
		if (n <= 0)
			return ended(p, PROBE_END);
		p->len += n;
	}
}

static int
send_line(struct probe *p, enum control_kind kind, uint64_t number,
    int64_t deadline)
{
	char text[32];

	return send_frame(p, FRAME_TEXT, text, control_write(text, kind,
	    number), deadline);
}

int
probe_say_eof(struct probe *p, int64_t deadline)
{
	p->eof_sent = 1;
	return send_line(p, CONTROL_EOF, 0, deadline);
}

/*
 * Ends both directions, if the target ends its stream in time; else resets the
 * stream.
 */
static void
end_streams(struct probe *p, int64_t deadline)
{
	enum probe_event event = PROBE_EOF;

	if (p->rst)
		return;
	if (!p->eof_sent && probe_say_eof(p, deadline) == -1)
		return;
	while (!(p->eof && p->eof_acked) && !p->rst &&
	    (event == PROBE_EOF || event == PROBE_PONG))
		event = probe_wait(p, deadline);
	if (p->rst)
		return;
	send_line(p, p->eof && p->eof_acked ? CONTROL_ACK : CONTROL_RST,
	    p->taken, clock_ms() + ANSWER_MS);
}

void
probe_end(struct probe *p, int64_t deadline)
{
	struct websocket w = { .io = p->io };

	if (p->ended == PROBE_NOTHING && p->extension && !p->waits)
		end_streams(p, deadline);
	if (p->ended == PROBE_END || p->io.rfd == -1)
		io_close(&w.io);
	else
		websocket_bye(&w, p->ended == PROBE_FAULT ? CLOSE_PROTOCOL :
		    CLOSE_NORMAL, deadline);
	p->io = IO_CLOSED;
}
