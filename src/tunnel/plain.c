/* SPDX-License-Identifier: ISC */
/*
 * How a plain peer ends, which has no way to confirm anything.
 */
#include "tunnel/internal.h"

/* It sends nothing more; what the stream still sends is dropped. */
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
 * With TLS nobody on the path can forge the wire's end of file (close_notify),
 * but its reset, and silence.
 */
static int
may_be_forged(const struct tunnel *t)
{
	return t->cfg.tls && !(t->wire_eof && t->link == LINK_UP);
}

/*
 * A plain peer that was silent before and behind our Close, which was held back
 * for that, has ended, as far as it can be known.  One that still sent data had
 * not, and only its Close tells that it has since; and the silence of one that
 * has not even got our Close tells nothing.
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
 * A plain peer sends and wants nothing more.  What our stream still sends is
 * read, so that closing it destroys nothing delivered, and thrown away.  A
 * client that goes away left a page, a server has not served to the end.
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
