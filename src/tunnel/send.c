/* SPDX-License-Identifier: ISC */
/*
 * The way out: what the stream sends is kept in a ring, framed, masked and
 * written.  Without a session bytes are forgotten once written, and masked
 * where they lie; with one they are kept, plain, until acknowledged, and
 * masked into mask_buffer, since they may have to be sent again.
 */
#include <string.h>

#include "tunnel/bypass.h"
#include "tunnel/internal.h"
#include "ws/control.h"

static void
fresh_mask(struct tunnel *t, uint8_t mask[4])
{
	if (t->masks_left == 0) {
		t->cfg.random(t->masks, sizeof(t->masks));
		t->masks_left = sizeof(t->masks);
	}
	t->masks_left -= 4;
	memcpy(mask, t->masks + t->masks_left, 4);
}

/* Puts a whole frame behind what is in head already. */
static void
queue_frame(struct tunnel *t, uint8_t opcode, const void *payload, size_t len)
{
	struct frame f = { .fin = 1, .opcode = opcode, .length = len,
	    .masked = t->cfg.client != 0 };
	uint8_t *p = t->head + t->head_len;
	size_t n;

	if (f.masked)
		fresh_mask(t, f.key);
	n = frame_encode(p, &f);
	if (f.masked)
		frame_mask(p + n, payload, len, f.key, 0);
	else
		memcpy(p + n, payload, len);
	t->head_len += n + len;
}

static void
queue_line(struct tunnel *t, enum control_kind kind, uint64_t number)
{
	char line[32];

	queue_frame(t, FRAME_TEXT, line, control_write(line, kind, number));
}

/* open, ok or fail: each side sends one of them. */
static void
queue_opening(struct tunnel *t)
{
	char line[CONTROL_LINE_MAX];

	if (t->cfg.role == TUNNEL_ASKS)
		queue_frame(t, FRAME_TEXT, line, control_write_text(line,
		    CONTROL_OPEN, t->addr));
	else if (t->opening == OPENING_FLOWING)
		queue_line(t, CONTROL_OK, 0);
	else
		queue_frame(t, FRAME_TEXT, line, control_write_text(line,
		    CONTROL_FAIL, t->reason));
	t->opening_due = 0;
	t->opening_sent = 1;
}

/* A peer without the extension may have small buffers. */
static size_t
frame_max(const struct tunnel *t)
{
	if (t->cfg.extension)
		return TUNNEL_FRAME_MAX;
	return t->cfg.frame_max != 0 ? t->cfg.frame_max : TUNNEL_FRAME_PLAIN;
}

/* How much of what the stream sent may be framed now: none behind a reset. */
static size_t
sendable(const struct tunnel *t)
{
	uint64_t n = t->out_head - t->out_sent;

	if (t->close_code != 0)
		return 0;
	n = min(n, t->out_limit - t->out_sent);
	n = min(n, frame_max(t));
	return t->cfg.text ? tunnel_text_part(t, n) : n;
}

/* These three are asked only while our Close is not sent. */
static int
ping_due(const struct tunnel *t)
{
	return t->ping_due || t->now >= tunnel_ping_time(t);
}

static int
eof_due(const struct tunnel *t)
{
	return t->eof_due && t->end == TUNNEL_GOING &&
	    t->out_sent == t->out_head;
}

static int
close_due(const struct tunnel *t)
{
	return t->close_code != 0;
}

/* Is there anything to write? */
int
tunnel_out_pending(const struct tunnel *t)
{
	if (t->link != LINK_UP || t->wire_finished)
		return 0;
	if (t->head_len > 0 || t->payload_left > 0)
		return 1;
	if (tunnel_close_sent(t))
		return 0;
	return t->pong_due || t->now >= tunnel_ack_time(t) || ping_due(t) ||
	    t->now >= tunnel_final_time(t) || t->opening_due || t->rst_due ||
	    sendable(t) > 0 || eof_due(t) || close_due(t);
}

/* Has everything been written that the stream sent? */
int
tunnel_out_sent(const struct tunnel *t)
{
	return t->out == FLOW_DRAINING && t->out_sent == t->out_head &&
	    t->payload_left == 0 && t->head_len == 0;
}

static void
queue_ping(struct tunnel *t)
{
	uint8_t seq[4];

	t->ping_due = 0;
	t->ping_seq++;
	memcpy(seq, &t->ping_seq, 4);
	queue_frame(t, FRAME_PING, seq, 4);
	t->ping_at = t->now;
	tunnel_pinged(t);
}

static void
queue_close(struct tunnel *t)
{
	uint8_t body[FRAME_CONTROL_MAX] = {
	    (uint8_t)(t->close_code >> 8), (uint8_t)t->close_code };
	size_t n = t->close_reason == NULL ? 0 : strlen(t->close_reason);

	if (n > 0)
		memcpy(body + 2, t->close_reason, n);
	queue_frame(t, FRAME_CLOSE, body,
	    t->close_code == CLOSE_NONE ? 0 : 2 + n);
	tunnel_set_wire(t, t->wire == WIRE_CLOSE_RECEIVED ? WIRE_CLOSED :
	    WIRE_CLOSE_SENT);
}

/*
 * Starts a data frame of the next n bytes: the header goes to head, the
 * payload follows from where it lies.  Without a session it is masked there.
 */
static void
begin_data(struct tunnel *t, size_t n, int bypass)
{
	struct frame f = { .fin = 1, .length = n, .opcode = t->cfg.text ?
	    FRAME_TEXT : FRAME_BINARY, .masked = t->cfg.client != 0 };
	struct iovec iov[2];
	size_t phase = 0;
	int i, k;

	if (f.masked) {
		fresh_mask(t, f.key);
		memcpy(t->mask, f.key, 4);
		t->mask_phase = 0;
	}
	if (f.masked && !t->cfg.session) {
		k = tunnel_ring_pieces(t, t->out_sent, n, iov);
		for (i = 0; i < k; i++) {
			frame_mask(iov[i].iov_base, iov[i].iov_base,
			    iov[i].iov_len, f.key, phase);
			phase += iov[i].iov_len;
		}
	}
	t->head_len += frame_encode(t->head + t->head_len, &f);
	tunnel_await_ack(t);
	t->out_sent += n;
	if (t->timed == 0) {
		t->timed = t->out_sent;
		t->timed_at = t->now;
	}
	t->payload_left = n;
	t->payload_bypass = (uint8_t)bypass;
	t->mask_buffer_off = t->mask_buffer_len = 0;
}

/*
 * Queues the control frames that are due.  data: a data frame follows, so that
 * acknowledgements may go along with it.
 */
static void
compose_control(struct tunnel *t, int data)
{
	int64_t final = tunnel_final_time(t);
	char line[CONTROL_LINE_MAX];

	if (t->pong_due) {
		queue_frame(t, FRAME_PONG, t->pong, t->pong_len);
		t->pong_due = 0;
	}
	if (ping_due(t))
		queue_ping(t);
	if (t->opening_due)
		queue_opening(t);
	if (t->now >= tunnel_ack_time(t) || (data && tunnel_ack_rides(t)))
		queue_frame(t, FRAME_TEXT, line, tunnel_ack_write(t, line));
	if (t->now >= final || (data && final != TUNNEL_NEVER))
		queue_frame(t, FRAME_TEXT, line, tunnel_final_write(t, line));
	if (t->rst_due) {
		queue_line(t, CONTROL_RST, 0);
		t->rst_due = 0;
		t->rst_sent = 1;
	}
}

/*
 * Between two frames: queues what goes next.  Control frames come first, since
 * they are small and the peer waits for them; then data; "eof" only when all
 * data are sent, and Close last.
 */
static void
compose(struct tunnel *t)
{
	size_t n;
	int bypass;

	if (tunnel_close_sent(t))
		return;
	compose_control(t, sendable(t) > 0);
	if ((n = tunnel_ring_run(t, sendable(t), &bypass)) > 0)
		begin_data(t, n, bypass);
	else if (eof_due(t)) {
		tunnel_await_ack(t);
		queue_line(t, CONTROL_EOF, t->out_head);
		t->eof_due = 0;
		t->eof_sent = 1;
	}
	tunnel_close_when_done(t);
	if (close_due(t))
		queue_close(t);
}

/* Fills mask_buffer with the next masked bytes of the payload. */
static void
mask_buffer(struct tunnel *t)
{
	struct iovec iov[2];
	size_t n = min(t->payload_left, TUNNEL_MASK_BUFFER);
	int i, k;

	k = tunnel_ring_pieces(t, t->out_sent - t->payload_left, n, iov);
	t->mask_buffer_off = t->mask_buffer_len = 0;
	for (i = 0; i < k; i++) {
		frame_mask(t->cfg.mask_buffer + t->mask_buffer_len,
		    iov[i].iov_base, iov[i].iov_len, t->mask, t->mask_phase);
		t->mask_buffer_len += iov[i].iov_len;
		t->mask_phase += iov[i].iov_len;
	}
}

int
tunnel_wire_data(struct tunnel *t, struct iovec iov[3])
{
	int n = 0;

	if (t->head_len == 0 && t->payload_left == 0)
		compose(t);
	if (t->head_len > 0) {
		iov[n].iov_base = t->head + t->head_off;
		iov[n++].iov_len = t->head_len - t->head_off;
	}
	if (t->payload_left == 0 || t->payload_bypass)
		return n;
	if (!t->cfg.client || !t->cfg.session)
		return n + tunnel_ring_pieces(t, t->out_sent - t->payload_left,
		    t->payload_left, iov + n);
	if (t->mask_buffer_off == t->mask_buffer_len)
		mask_buffer(t);
	iov[n].iov_base = t->cfg.mask_buffer + t->mask_buffer_off;
	iov[n++].iov_len = t->mask_buffer_len - t->mask_buffer_off;
	return n;
}

void
tunnel_wire_wrote(struct tunnel *t, size_t n)
{
	size_t h = min(n, t->head_len - t->head_off);

	if (n > 0)
		t->sent_at = t->now;
	t->head_off += h;
	if (t->head_off == t->head_len)
		t->head_off = t->head_len = 0;
	n -= h;
	t->payload_left -= n;
	if (t->mask_buffer_off < t->mask_buffer_len)
		t->mask_buffer_off += n;
	t->wire_blocked = t->head_len > 0 || t->payload_left > 0;
	if (!t->cfg.session)
		t->out_kept = t->out_sent - t->payload_left;
	else
		tunnel_ring_grow(t);
	tunnel_update(t);
}

int
tunnel_wire_more(const struct tunnel *t)
{
	return sendable(t) > 0;
}

/* A new wire: what was sent from "at" on has to be sent again. */
void
tunnel_out_rewind(struct tunnel *t, uint64_t at)
{
	t->head_off = t->head_len = 0;
	t->payload_left = 0;
	t->mask_buffer_off = t->mask_buffer_len = 0;
	t->out_sent = at;
	t->timed = 0;
	t->pong_due = t->ping_due = 0;
	t->pong_seq = t->ping_seq;	/* what was on its way is lost */
	t->round_trips = 0;
	t->rtt_least = -1;		/* another path, perhaps */
	t->eof_due |= t->eof_sent;
	t->rst_due |= t->rst_sent;
	t->final_due |= t->final_sent;
	t->opening_due |= t->opening_sent && at == 0;
	t->ack_due = t->in_delivered > 0;
}
