/* SPDX-License-Identifier: ISC */
/*
 * What the stream sends moves through a pipe to the websocket (net/splice.h).
 * With a session tee(2) keeps it in another pipe until it is acknowledged.
 */
#include "connection/relay_internal.h"
#include "tunnel/bypass.h"

int
relay_bypasses(struct relay *r, size_t bypass)
{
	if (bypass == 0 || io_pending(&r->stream) ||
	    !splice_ready(&r->out, r->websocket.wfd))
		return 0;
	if (!r->tunnel.cfg.session)
		return 1;
	r->kept.bulk = 1;
	if (r->null != -1 && splice_ready(&r->kept, r->websocket.wfd))
		return 1;
	r->out.refused = 1;
	if (r->out.held == 0)
		splice_close(&r->out);
	return 0;
}

/* What the other pipe has no room for, or none is allowed for, is copied. */
void
relay_pass_on(struct relay *r, size_t bypass)
{
	struct tunnel *t = &r->tunnel;
	size_t max = r->out.held < bypass ? r->out.held : bypass;
	struct iovec iov[2];
	ssize_t n = (ssize_t)max;

	if (max > 0 && t->cfg.session) {
		relay_forget(r);
		n = splice_both(&r->out, &r->kept, max);
	}
	if (n > 0) {
		tunnel_stream_bypass(t, n);
		return;
	}
	n = splice_read(&r->out, iov, tunnel_stream_space(t, iov));
	if (n > 0)
		tunnel_stream_read(t, n);
	else
		tunnel_stream_failed(t);
}

static int
drop(struct relay *r, struct splice *s, size_t n)
{
	ssize_t k;

	while (n > 0) {
		if ((k = splice_to(s, r->null, n, 0)) <= 0)
			return -1;
		n -= k;
	}
	return 0;
}

void
relay_forget(struct relay *r)
{
	size_t kept = tunnel_bypass_kept(&r->tunnel);

	if (r->kept.held > kept)
		drop(r, &r->kept, r->kept.held - kept);
}

int
relay_restore(struct relay *r)
{
	struct tunnel *t = &r->tunnel;
	size_t unsent = tunnel_bypass_unsent(t);
	struct iovec iov[2];
	ssize_t n;
	int k;

	relay_forget(r);
	if (r->kept.held != tunnel_bypass_kept(t))
		return -1;
	k = tunnel_bypass_places(t, iov);
	while (k > 0 && r->kept.held > 0) {
		if ((n = splice_read(&r->kept, iov, 1)) <= 0)
			return -1;
		iov[0].iov_base = (uint8_t *)iov[0].iov_base + n;
		iov[0].iov_len -= n;
		if (iov[0].iov_len == 0)
			iov[0] = iov[--k];
	}
	tunnel_bypass_restored(t);
	return drop(r, &r->out, unsent);
}
