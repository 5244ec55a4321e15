/* SPDX-License-Identifier: ISC */
/*
 * Input: how the tunnel is set up, then what happens to it.  The harness is
 * the peer, the wire, the stream and the clock.  Asserted: what the stream
 * gets is what a reference decoder reads in the same bytes, in order and
 * once; what the wire gets is well-formed and says what the stream said; a
 * fault is found if and only if there is one; an end is shown only where it
 * is the truth; what is wanted can be done and changes something; and it all
 * ends, even if the peer never does anything again.
 */
#include "proto/tunnel.h"
#include "tunnel_reference.h"

#define QUEUE_MAX	(2 << 20)
#define ROUNDS		200000
#define NOT_READS	(~(TUNNEL_READ_STREAM | TUNNEL_READ_WIRE))

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct world {
	const uint8_t *in;	/* what is left of the input */
	size_t left;
	struct tunnel t;
	struct reference ref;
	int64_t now;
	uint64_t told;		/* by the stream */
	uint64_t got;		/* by the stream */
	size_t pipe_in, pipe_out;	/* what goes beside */
	int ended, shut;
	size_t chunk;		/* most that is read from the wire at once */
	size_t queued, fed;
	int wire_ended;

	/* what the wire was told */
	struct head head;
	int in_frame;
	uint64_t at, pos;	/* in the frame, in the stream */
	uint8_t small[125];
	uint64_t acked;		/* by the machine */
	int pongs, close_said, eof_said;
};

static uint8_t queue[QUEUE_MAX], payload[PAYLOAD_MAX];

static unsigned int
next(struct world *w)
{
	if (w->left == 0)
		return 0;
	w->left--;
	return *w->in++;
}

static unsigned int
next2(struct world *w)
{
	unsigned int high = next(w);

	return high << 8 | next(w);
}

static uint8_t
pattern(uint64_t at)
{
	return at * 2654435761u >> 9;
}

static void
fake_random(void *p, size_t n)
{
	static uint32_t draw;
	uint8_t *b = p;

	while (n-- > 0)
		*b++ = (draw = draw * 1664525 + 1013904223) >> 24;
}

/* What the machine said in a frame that is no data. */
static void
said_small(struct world *w)
{
	char text[128];
	unsigned long long n;
	int len = w->head.length, i;
	unsigned int code;

	memcpy(text, w->small, len);
	text[len] = '\0';
	switch (w->head.opcode) {
	case 1:
		CHECK(w->t.cfg.extension);
		if (sscanf(text, "ack %llu", &n) == 1) {
			CHECK(w->t.cfg.session);
			CHECK(n <= w->got && n >= w->acked);
			w->acked = n;
		} else if (sscanf(text, "eof %llu", &n) == 1) {
			CHECK(w->ended && n == w->told && n == w->pos);
			w->eof_said = 1;
		} else
			CHECK(strcmp(text, "rst") == 0);
		break;
	case 8:
		code = len == 0 ? 1005 : w->small[0] * 256 + w->small[1];
		CHECK(len == 0 || len == 2);
		CHECK(code >= 1000 && code < 5000 && code != 1006);
		if (w->t.end == TUNNEL_PEER_FAULT && w->ref.bad)
			CHECK(code == w->ref.code);
		w->close_said = code;
		break;
	case 10:
		for (i = w->pongs; i < w->ref.pings; i++)
			if (i + PINGS_MAX >= w->ref.pings &&
			    w->ref.ping_len[i % PINGS_MAX] == len &&
			    memcmp(w->ref.ping[i % PINGS_MAX], w->small,
			    len) == 0)
				break;
		CHECK(i < w->ref.pings);
		w->pongs = i + 1;
		break;
	}
}

static void
said_head(struct world *w)
{
	const struct head *h = &w->head;

	CHECK(!head_bad(h, 1) && h->fin && h->masked == w->t.cfg.client);
	CHECK(h->opcode != 0 && !w->close_said);
	if (h->opcode == 2) {
		CHECK(h->length > 0 && !w->eof_said);
		CHECK(w->t.cfg.extension || h->length <= 65535);
		CHECK(w->pos + h->length <= w->told);
		if (w->t.cfg.session)
			CHECK(w->pos + h->length <=
			    w->ref.acked + w->t.cfg.peer_win);
	} else
		CHECK(h->length <= 125);
	w->in_frame = 1;
	w->at = 0;
}

static void
said(struct world *w, uint8_t c)
{
	if (!w->in_frame) {
		if (!head_byte(&w->head, c))
			return;
		said_head(w);
	} else {
		if (w->head.masked)
			c ^= w->head.key[w->at % 4];
		if (w->head.opcode == 2) {
			CHECK(c == pattern(w->pos));
			w->ref.sent = ++w->pos;
		} else
			w->small[w->at] = c;
		w->at++;
	}
	if (w->at < w->head.length)
		return;
	if (w->head.opcode != 2)
		said_small(w);
	w->in_frame = w->head.have = 0;
}

static size_t
total(const struct iovec *iov, int k)
{
	size_t n = 0;

	while (k-- > 0)
		n += iov[k].iov_len;
	return n;
}

/* Writes up to max bytes to the wire; 0: none is taken. */
static void
write_wire(struct world *w, size_t max)
{
	struct iovec iov[3];
	size_t n = 0, i;
	int k = tunnel_wire_data(&w->t, iov), j;

	CHECK(total(iov, k) > 0 || w->pipe_out > 0);
	for (j = 0; j < k; j++)
		for (i = 0; i < iov[j].iov_len && n < max; i++, n++)
			said(w, ((uint8_t *)iov[j].iov_base)[i]);
	if (k == 0)
		for (; w->pipe_out > 0 && n < max; n++, w->pipe_out--)
			said(w, pattern(w->pos) ^ 0);
	tunnel_wire_wrote(&w->t, n);
}

static void
write_stream(struct world *w, size_t max)
{
	struct iovec iov[TUNNEL_RUNS];
	size_t n = 0, i;
	int k = tunnel_stream_data(&w->t, iov), j;

	CHECK(total(iov, k) > 0 || w->pipe_in > 0);
	if (w->pipe_in > 0) {
		n = max < w->pipe_in ? max : w->pipe_in;
		w->pipe_in -= n;
	}
	for (j = 0; j < k; j++)
		for (i = 0; i < iov[j].iov_len && n < max; i++, n++) {
			CHECK(w->got + n < w->ref.len);
			CHECK(((uint8_t *)iov[j].iov_base)[i] ==
			    w->ref.payload[w->got + n]);
		}
	w->got += n;
	CHECK(w->got <= w->ref.len);
	tunnel_stream_wrote(&w->t, n);
}

static void
read_stream(struct world *w, size_t max)
{
	struct iovec iov[2];
	size_t n = 0, i, may = tunnel_beside_out(&w->t);
	int k, j, discard = w->t.out_discard;

	if (may > 0 && (max & 1)) {
		may = may < w->t.cfg.out_size ? may : w->t.cfg.out_size;
		CHECK(w->pipe_out == 0);
		w->pipe_out = n = max < may ? max : may;
		tunnel_stream_beside(&w->t, n);
		w->told += n;
		return;
	}
	k = tunnel_stream_space(&w->t, iov);
	CHECK(total(iov, k) > 0);
	CHECK(total(iov, k) <= w->t.cfg.out_size);
	for (j = 0; j < k; j++)
		for (i = 0; i < iov[j].iov_len && n < max; i++, n++)
			((uint8_t *)iov[j].iov_base)[i] =
			    discard ? '!' : pattern(w->told + n);
	if (!discard)
		w->told += n;
	tunnel_stream_read(&w->t, n);
}

/* Was there a fault, and was it found? */
static void
judge(struct world *w, enum tunnel_end before)
{
	if (w->ref.bad)
		CHECK(w->t.end != TUNNEL_GOING);
	if (w->ref.rst && !w->ref.bad)
		CHECK(w->t.end != TUNNEL_GOING && w->t.end != TUNNEL_ENDED);
	if (before != TUNNEL_GOING || w->t.end != TUNNEL_PEER_FAULT)
		return;
	CHECK(w->ref.doomed || (w->ref.closed && w->t.cfg.extension));
	if (w->ref.bad)
		CHECK(w->t.close_code == w->ref.code);
}

static void
read_wire(struct world *w, size_t max)
{
	struct iovec iov;
	enum tunnel_end before = w->t.end;
	size_t n, i, may = tunnel_beside_in(&w->t);

	if (w->fed == w->queued)
		return;
	w->ref.must = w->got + w->t.cfg.win;
	w->ref.may = w->acked + w->t.cfg.win;
	n = w->queued - w->fed < max ? w->queued - w->fed : max;
	if (may > 0 && (max & 1)) {
		n = n < may ? n : may;
		CHECK(w->pipe_in == 0);
		w->pipe_in = n;
		tunnel_wire_beside(&w->t, n);
	} else {
		tunnel_wire_space(&w->t, &iov);
		CHECK(iov.iov_len > 0);
		n = n < iov.iov_len ? n : iov.iov_len;
		memcpy(iov.iov_base, queue + w->fed, n);
		tunnel_wire_read(&w->t, n);
	}
	for (i = 0; i < n; i++)
		reference_byte(&w->ref, queue[w->fed + i]);
	w->fed += n;
	judge(w, before);
	if (before == TUNNEL_GOING && w->t.end == TUNNEL_GOING &&
	    !w->ref.closed)
		CHECK(tunnel_taken(&w->t) == w->ref.len);
}

/* An end may be shown only behind the last byte, if there was an end. */
static void
shut(struct world *w)
{
	CHECK(w->got == w->ref.len && !w->shut && !w->ref.bad);
	CHECK(w->t.cfg.extension ? w->ref.eof : w->ref.closed ||
	    (w->close_said == 1000 && w->t.cfg.hold));
	w->shut = 1;
	tunnel_stream_shut(&w->t);
	CHECK(!(tunnel_wants(&w->t) & TUNNEL_SHUT_STREAM));
}

static void
new_wire(struct world *w)
{
	w->queued = w->fed = 0;
	w->wire_ended = 0;
	w->in_frame = w->head.have = 0;
	w->close_said = w->eof_said = w->pongs = 0;
	reference_new_wire(&w->ref);
}

/* Does one of the things that are wanted; 0 if there is nothing to do. */
static int
act(struct world *w, unsigned int which)
{
	struct tunnel *t = &w->t;
	unsigned int wants = tunnel_wants(t) & which;

	if (wants & TUNNEL_SHUT_STREAM)
		shut(w);
	else if (wants & (TUNNEL_RESET_STREAM | TUNNEL_CLOSE_STREAM)) {
		if (wants & TUNNEL_CLOSE_STREAM)
			CHECK(w->shut);
		tunnel_stream_closed(t);
		w->pipe_in = 0;
		CHECK(!(tunnel_wants(t) & (TUNNEL_RESET_STREAM |
		    TUNNEL_CLOSE_STREAM | TUNNEL_READ_STREAM |
		    TUNNEL_WRITE_STREAM)));
	} else if (wants & TUNNEL_FINISH_WIRE) {
		CHECK(w->close_said);
		tunnel_wire_finished(t);
		CHECK(!(tunnel_wants(t) & (TUNNEL_FINISH_WIRE |
		    TUNNEL_WRITE_WIRE)));
	} else if (wants & TUNNEL_CLOSE_WIRE) {
		tunnel_wire_closed(t);
		w->pipe_out = 0;
		CHECK(!(tunnel_wants(t) & (TUNNEL_CLOSE_WIRE |
		    TUNNEL_READ_WIRE | TUNNEL_WRITE_WIRE)));
	} else if (wants & TUNNEL_WRITE_STREAM)
		write_stream(w, SIZE_MAX);
	else if (wants & TUNNEL_WRITE_WIRE)
		write_wire(w, SIZE_MAX);
	else if ((wants & TUNNEL_READ_WIRE) && w->fed < w->queued)
		read_wire(w, w->chunk);
	else
		return 0;
	return 1;
}

static void
act_all(struct world *w, unsigned int which)
{
	int rounds = 0;

	while (act(w, which))
		CHECK(++rounds < ROUNDS);
}
