/* SPDX-License-Identifier: ISC */
/*
 * The ring that keeps what the stream sent until it is written or, with a
 * session, acknowledged.
 */
#include <string.h>

#include "tunnel/bypass.h"
#include "tunnel/internal.h"

#define CAP_FIRST	262144	/* bytes of the ring that are used at first */
#define GROW_FREELY	4194304	/* bytes it may grow to on any path */
#define SOON		10	/* ms: acknowledgements of a short path */

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
 * Can the ring grow to cap now?  Either its bytes do not wrap around, or the
 * part at the beginning of the memory fits behind the old end.
 */
static int
can_grow(const struct tunnel *t, size_t cap)
{
	size_t off = (t->out_kept - t->out_base) % t->out_cap;

	return off + (t->out_head - t->out_kept) <= t->out_cap ||
	    cap >= 2 * t->out_cap;
}

/*
 * If the bytes wrap around, the part at the beginning moves behind the old
 * end.
 */
static void
grow(struct tunnel *t, size_t cap)
{
	size_t off = (t->out_kept - t->out_base) % t->out_cap;
	size_t kept = t->out_head - t->out_kept;

	if (off + kept > t->out_cap)
		memcpy(t->cfg.out + t->out_cap, t->cfg.out,
		    off + kept - t->out_cap);
	t->out_base = t->out_kept - off;
	t->out_cap = cap;
}

/*
 * A ring that is full of what waits for its acknowledgement, while the peer
 * would take more, is too small for this path.  It doubles.  Where the
 * acknowledgements come soon a larger one than GROW_FREELY would only leave
 * the caches.
 */
void
tunnel_ring_grow(struct tunnel *t)
{
	size_t cap = min(t->cfg.out_size, 2 * (uint64_t)t->out_cap);

	if (t->payload_left > 0 || t->head_len > 0 || cap == t->out_cap ||
	    t->out_sent != t->out_head || free_space(t) >= t->out_cap / 4 ||
	    t->out_limit <= t->out_kept + t->out_cap ||
	    (cap > GROW_FREELY && t->ack_delay < SOON) || !can_grow(t, cap))
		return;
	grow(t, cap);
}

/*
 * Is there room to read into, and enough of it to be worth a system call
 * and a frame?  A server without a session can let bytes bypass the ring, but
 * only while the ring is empty (tunnel_bypass_out()).  So it reads only then:
 * if it went on reading while a frame is written, the ring would never be
 * empty.
 */
int
tunnel_out_room(const struct tunnel *t)
{
	if (tunnel_bypass_unsent(t) > 0)
		return 0;
	if (t->out == FLOW_DISCARDING)
		return free_space(t) + (t->out_head - t->out_sent) > 0;
	if (!t->cfg.session && !t->cfg.client && !t->cfg.text)
		return t->out_kept == t->out_head;
	return free_space(t) >= t->out_cap / 4;
}

/*
 * Bytes that bypass the ring count as if they were in it, since they may have
 * to be put there.  So the ring may be as large as this for them: memory that
 * is not touched costs nothing.
 */
static size_t
bypass_cap(const struct tunnel *t)
{
	size_t cap = min(t->cfg.out_size, GROW_FREELY);

	return cap > t->out_cap && can_grow(t, cap) ? cap : t->out_cap;
}

/*
 * With a session the caller's copy is one piece: more bytes may bypass only if
 * they follow it.  Its pipe holds no more than GROW_FREELY; what it has no
 * room for goes into the ring, which may grow on a long path.
 */
size_t
tunnel_bypass_out(const struct tunnel *t)
{
	size_t kept = tunnel_bypass_kept(t);
	size_t room = bypass_cap(t) - (t->out_head - t->out_kept);

	if (t->cfg.client || t->cfg.text || t->out != FLOW_OPEN ||
	    t->close_code != 0 || !tunnel_flows(t) || t->link != LINK_UP)
		return 0;
	if (!t->cfg.session)
		return t->out_kept == t->out_head ? room : 0;
	if (kept > 0 && t->out_pipe_end != t->out_head)
		return 0;
	room = min(room, GROW_FREELY - kept);
	return room >= min(t->out_cap, GROW_FREELY) / 4 ? room : 0;
}

void
tunnel_stream_bypass(struct tunnel *t, size_t n)
{
	if (bypass_cap(t) > t->out_cap)
		grow(t, bypass_cap(t));
	if (tunnel_bypass_kept(t) == 0)
		t->out_pipe = t->out_head;
	t->out_head += n;
	t->out_pipe_end = t->out_head;
	t->data_at = t->now;
	tunnel_update(t);
}

size_t
tunnel_bypass_kept(const struct tunnel *t)
{
	uint64_t from = max(t->out_kept, t->out_pipe);

	return beyond(t->out_pipe_end, from);
}

size_t
tunnel_bypass_unsent(const struct tunnel *t)
{
	uint64_t from = t->out_sent - (t->payload_bypass ? t->payload_left : 0);
	uint64_t end = t->out_pipe_end;

	if (t->out == FLOW_DISCARDING && end > t->out_sent)
		end = t->out_sent;
	if (from < t->out_pipe)
		from = t->out_pipe;
	return beyond(end, from);
}

int
tunnel_bypass_places(struct tunnel *t, struct iovec iov[2])
{
	size_t n = tunnel_bypass_kept(t);

	return tunnel_ring_pieces(t, t->out_pipe_end - n, n, iov);
}

void
tunnel_bypass_restored(struct tunnel *t)
{
	t->out_pipe = t->out_pipe_end = 0;
}

size_t
tunnel_ring_run(const struct tunnel *t, size_t n, int *bypass)
{
	*bypass = t->out_sent >= t->out_pipe && t->out_sent < t->out_pipe_end;
	if (*bypass)
		return min(n, t->out_pipe_end - t->out_sent);
	return t->out_sent < t->out_pipe ?
	    min(n, t->out_pipe - t->out_sent) : n;
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
	if (t->out == FLOW_DISCARDING) {
		t->out_head = t->out_sent;	/* the rest is dropped */
		if (t->out_pipe_end > t->out_head)
			t->out_pipe_end = t->out_head;
	}
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
