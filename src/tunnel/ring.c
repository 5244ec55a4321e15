/* SPDX-License-Identifier: ISC */
/*
 * The ring that keeps what the stream sent until it is written or, with a
 * session, acknowledged.
 */
#include <string.h>

#include "tunnel/internal.h"

#define CAP_FIRST	262144	/* of the ring that is used at first */
#define GROW_FREELY	1048576
#define SOON		10	/* ms */

static size_t
min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void
tunnel_out_begin(struct tunnel *t)
{
	t->out_cap = min(t->cfg.out_size, CAP_FIRST);
	utf8_begin(&t->out_utf8);
	t->out_limit = t->cfg.session ? t->cfg.peer_win : UINT64_MAX;
}

static size_t
free_space(const struct tunnel *t)
{
	return t->out_cap - (t->out_head - t->out_kept);
}

/*
 * A ring that is full of what waits for its acknowledgement, while the peer
 * would take more, is too small for this path.  It doubles; what lies at its
 * beginning moves behind its old end.  Where the acknowledgements come soon a
 * larger one than GROW_FREELY would only leave the caches.
 */
void
tunnel_ring_grow(struct tunnel *t)
{
	size_t off = (t->out_kept - t->out_base) % t->out_cap;
	size_t cap = min(t->cfg.out_size, 2 * (uint64_t)t->out_cap);
	size_t kept = t->out_head - t->out_kept;

	if (t->payload_left > 0 || t->head_len > 0 || cap == t->out_cap ||
	    t->out_sent != t->out_head || free_space(t) >= t->out_cap / 4 ||
	    t->out_limit <= t->out_kept + t->out_cap ||
	    (cap > GROW_FREELY && t->ack_delay < SOON))
		return;
	if (off + kept > t->out_cap) {
		if (cap < 2 * t->out_cap)
			return;
		memcpy(t->cfg.out + t->out_cap, t->cfg.out,
		    off + kept - t->out_cap);
	}
	t->out_base = t->out_kept - off;
	t->out_cap = cap;
}

/*
 * Is there room to read into, and enough of it to be worth a system call
 * and a frame?  A server that keeps nothing moves bytes instead of reading them
 * (tunnel_bypass_out()), which has to find nothing before it; frames are short,
 * so there always would be if it went on reading.
 */
int
tunnel_out_room(const struct tunnel *t)
{
	if (t->out == FLOW_DISCARDING)
		return free_space(t) + (t->out_head - t->out_sent) > 0;
	if (!t->cfg.session && !t->cfg.client && !t->cfg.text)
		return t->out_kept == t->out_head;
	return free_space(t) >= t->out_cap / 4;
}

/* Up to two pieces of the ring that begin at a position. */
int
tunnel_ring_pieces(struct tunnel *t, uint64_t at, size_t n, struct iovec *iov)
{
	size_t off = (at - t->out_base) % t->out_cap;
	size_t first = min(n, t->out_cap - off);

	if (n == 0)
		return 0;
	iov[0].iov_base = t->cfg.out + off;
	iov[0].iov_len = first;
	if (first == n)
		return 1;
	iov[1].iov_base = t->cfg.out;
	iov[1].iov_len = n - first;
	return 2;
}

int
tunnel_stream_space(struct tunnel *t, struct iovec iov[2])
{
	if (t->out == FLOW_DISCARDING)
		t->out_head = t->out_sent;	/* the rest is dropped */
	if (t->out_kept == t->out_head)
		t->out_base = t->out_head;	/* begin at an aligned place */
	return tunnel_ring_pieces(t, t->out_head, free_space(t), iov);
}

void
tunnel_stream_read(struct tunnel *t, size_t n)
{
	if (t->out != FLOW_DISCARDING) {
		t->out_head += n;
		t->data_at = t->now;
		if (t->cfg.text)
			tunnel_text_read(t, n);
	}
	tunnel_update(t);
}
