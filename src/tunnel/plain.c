/* SPDX-License-Identifier: ISC */
/*
 * The end of a tunnel with a plain peer, which has no way to confirm that
 * bytes have come, nor to end one direction only.
 */
#include "tunnel/internal.h"

/*
 * The peer sends nothing more, and takes nothing either: what our stream still
 * sends is dropped.
 */
void
tunnel_plain_ended(struct tunnel *t)
{
	tunnel_set_in(t, FLOW_DRAINING);
	if (t->out == FLOW_OPEN)
		tunnel_set_out(t, FLOW_DISCARDING);
	if (!t->cfg.discard || t->out == FLOW_DRAINING)
		tunnel_set_out(t, FLOW_ENDED);
}

/*
 * May an attacker on the path have ended the wire?  With TLS only the end of
 * file (close_notify) is certain to be the peer's: a reset and silence can be
 * forged.  Without TLS everything can, so nothing is gained by asking.
 */
static int
may_be_forged(const struct tunnel *t)
{
	return t->cfg.tls && !(t->wire_eof && t->link == LINK_UP);
}

/*
 * Our Close was held back until the peer had sent no data for a while, and it
 * has sent none since: then it had sent everything, as far as that can be
 * known.  If data came after our Close was decided, it had not, and only its
 * own Close would tell that it has since.  If our Close is still in the kernel
 * (wire_left), the peer has not got it, and its silence tells nothing.
 */
int
tunnel_plain_done(const struct tunnel *t)
{
	return !t->cfg.extension && t->cfg.hold && t->out == FLOW_ENDED &&
	    tunnel_close_sent(t) && t->head_len == 0 &&
	    t->in_taken == t->closed_taken && tunnel_in_between(t) &&
	    !may_be_forged(t) && (t->wire_eof || !t->wire_left);
}

/*
 * The Close of a plain peer: it sends and wants nothing more.  What our stream
 * still sends is read and dropped, so that closing it destroys nothing that
 * was delivered.  Code 1001 (going away) is a good end from a client, as the
 * user has left a page, but from a server it means that it stops before its
 * end.
 */
void
tunnel_plain_closed(struct tunnel *t)
{
	if (t->peer_code != CLOSE_NONE && t->peer_code != CLOSE_NORMAL &&
	    (t->peer_code != CLOSE_GOING_AWAY || t->cfg.client))
		tunnel_fault(t, TUNNEL_PEER_CLOSED, t->peer_code, NULL);
	else if (t->message != 0)
		tunnel_fault(t, TUNNEL_PEER_FAULT, CLOSE_PROTOCOL,
		    "Close inside a message");
	else {
		tunnel_plain_ended(t);
		if (t->close_code == 0)
			tunnel_set_close(t, t->peer_code);
	}
}
