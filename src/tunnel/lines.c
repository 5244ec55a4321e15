/* SPDX-License-Identifier: ISC */
/*
 * The control lines of another inetws (inetws-protocol(7), MESSAGES), and what
 * follows when the peer breaks the protocol.
 */
#include "tunnel/internal.h"
#include "ws/control.h"

/*
 * Nothing behind the fault is parsed, not even the peer's Close.  If
 * everything is already delivered in both directions, the tunnel ends well all
 * the same.
 */
int
tunnel_in_fault(struct tunnel *t, unsigned int code, const char *why)
{
	t->in_dead = 1;
	if (t->cfg.extension && tunnel_complete(t))
		tunnel_end_complete(t);
	else
		tunnel_fault(t, TUNNEL_PEER_FAULT, code, why);
	return -1;
}

static int
take_ack(struct tunnel *t, const struct control *c)
{
	if (c->numbers == 1 ? tunnel_out_confirmed(t, c->number) == -1 :
	    tunnel_out_acked(t, c->number, c->credit) == -1)
		return tunnel_in_fault(t, CLOSE_PROTOCOL, "ack out of range");
	return 0;
}

static int
take_eof(struct tunnel *t, uint64_t n)
{
	if (!tunnel_peer_flows(t))
		return tunnel_in_fault(t, CLOSE_PROTOCOL, "eof out of place");
	if (n != t->in_taken)
		return tunnel_in_fault(t, CLOSE_PROTOCOL,
		    "eof does not match the bytes that came");
	if (t->in == FLOW_OPEN)
		tunnel_set_in(t, FLOW_DRAINING);
	return 0;
}

int
tunnel_line_received(struct tunnel *t, const uint8_t *p, size_t len)
{
	struct control c;

	if (control_parse(&c, p, len) == -1)
		return tunnel_in_fault(t, CLOSE_PROTOCOL, "control line not understood");
	switch (c.kind) {
	case CONTROL_ACK:
		return take_ack(t, &c);
	case CONTROL_EOF:
		return take_eof(t, c.number);
	case CONTROL_RST:
		if (t->cfg.role == TUNNEL_SERVES && !tunnel_opened(t))
			break;
		if (!tunnel_complete(t))
			tunnel_fault(t, TUNNEL_PEER_RESET, CLOSE_NORMAL,
			    NULL);
		return 0;
	default:
		if (tunnel_opening_received(t, &c) == 0)
			return 0;
	}
	return tunnel_in_fault(t, CLOSE_PROTOCOL, "control line out of place");
}
