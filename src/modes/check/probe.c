/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>

#include "modes/check/probe.h"
#include "net/deadline_io.h"
#include "os/clock.h"
#include "os/random.h"
#include "ws/control.h"
#include "ws/frame.h"

#define ANSWER_MS	5000	/* to get a pong of ours written */

_Static_assert(sizeof(((struct probe *)0)->in) >= HTTP_HEAD_MAX + 4096 +
    FRAME_HEAD_MAX + FRAME_CONTROL_MAX, "what came early fits");

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
	return deadline_write(&p->io, out, head + n, deadline);
}

int
probe_ping(struct probe *p, int64_t deadline)
{
	p->pinged++;
	return send_frame(p, FRAME_PING, &p->pinged, sizeof(p->pinged),
	    deadline);
}

static enum probe_event
closed(struct probe *p, const uint8_t *payload, size_t n)
{
	size_t i;

	p->code = n < 2 ? CLOSE_NONE : payload[0] << 8 | payload[1];
	memset(p->reason, 0, sizeof(p->reason));
	for (i = 2; i < n; i++)
		p->reason[i - 2] = payload[i] == '\0' ? '?' : payload[i];
	return PROBE_CLOSE;
}

/* A line of the extension: only the ends of the streams matter here. */
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
	else
		return PROBE_NOTHING;
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
		return f->length == sizeof(p->pinged) && memcmp(payload,
		    &p->pinged, sizeof(p->pinged)) == 0 ? PROBE_PONG :
		    PROBE_NOTHING;
	case FRAME_CLOSE:
		return closed(p, payload, f->length);
	case FRAME_TEXT:
		return line(p, payload, f->length);
	}
	return PROBE_NOTHING;
}

/* One frame, or a part of a payload, of what has come; *more: there was. */
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
			head += f.length;
		} else
			p->skip = f.length;
	}
	n = p->len - head;
	if (n > p->skip)
		n = p->skip;
	p->skip -= n;
	p->taken += n;
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
			return PROBE_END;
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

/*
 * Ends both directions if the target does so in time, else resets the stream
 * there.
 */
static void
end_streams(struct probe *p, int64_t deadline)
{
	enum probe_event event = PROBE_EOF;

	if (send_line(p, CONTROL_EOF, 0, deadline) == -1)
		return;
	while (!(p->eof && p->eof_acked) &&
	    (event == PROBE_EOF || event == PROBE_PONG))
		event = probe_wait(p, deadline);
	send_line(p, p->eof && p->eof_acked ? CONTROL_ACK : CONTROL_RST,
	    p->taken, clock_ms() + ANSWER_MS);
}

void
probe_end(struct probe *p, int64_t deadline)
{
	struct websocket w = { .io = p->io };

	if (p->extension && !p->waits)
		end_streams(p, deadline);
	websocket_bye(&w, CLOSE_NORMAL, deadline);
	p->io = IO_CLOSED;
}
