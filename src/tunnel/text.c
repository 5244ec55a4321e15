/* SPDX-License-Identifier: ISC */
/*
 * Text messages for a plain peer.  Each message has to be UTF-8 by itself (RFC
 * 6455 5.6), so a frame ends only where a character ends; the bytes of an
 * incomplete character wait for the rest.
 */
#include "tunnel/internal.h"

/* Is the byte at this position inside a character, not its first one? */
static int
continues(const struct tunnel *t, uint64_t at)
{
	return (t->cfg.out[(at - t->out_base) % t->out_cap] & 0xc0) == 0x80;
}

/* The stream sent something else than text: neither peer nor stream go on. */
static void
broken(struct tunnel *t)
{
	tunnel_in_drop(t);
	tunnel_fault(t, TUNNEL_STREAM_RESET, CLOSE_BAD_TEXT,
	    "the stream is no UTF-8");
}

void
tunnel_text_read(struct tunnel *t, size_t n)
{
	struct iovec iov[2];
	int i, k = tunnel_ring_pieces(t, t->out_head - n, n, iov);

	for (i = 0; i < k; i++)
		if (utf8_feed(&t->out_utf8, iov[i].iov_base,
		    iov[i].iov_len) == -1) {
			broken(t);
			return;
		}
	t->out_text = t->out_head;
	if (utf8_complete(&t->out_utf8))
		return;
	do
		t->out_text--;
	while (continues(t, t->out_text));
}

void
tunnel_text_eof(struct tunnel *t)
{
	if (!utf8_complete(&t->out_utf8))
		broken(t);
}

size_t
tunnel_text_part(const struct tunnel *t, size_t n)
{
	if (n >= t->out_text - t->out_sent)
		return t->out_text - t->out_sent;
	while (n > 0 && continues(t, t->out_sent + n))
		n--;
	return n;
}
