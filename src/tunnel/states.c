/* SPDX-License-Identifier: ISC */
/*
 * The states of a tunnel and what may follow what.  A change that the tables do
 * not know is a mistake of ours; with TUNNEL_CHECK, as in tests and fuzzers, it
 * ends the process.
 */
#include <stdlib.h>

#include "tunnel/internal.h"

#define BIT(state)	(1U << (state))

static const unsigned int after_wire[] = {
	[WIRE_OPEN] = BIT(WIRE_CLOSE_SENT) | BIT(WIRE_CLOSE_RECEIVED) |
	    BIT(WIRE_LOST),
	[WIRE_CLOSE_SENT] = BIT(WIRE_CLOSED) | BIT(WIRE_LOST),
	[WIRE_CLOSE_RECEIVED] = BIT(WIRE_CLOSED) | BIT(WIRE_LOST),
	[WIRE_CLOSED] = BIT(WIRE_LOST),
	[WIRE_LOST] = BIT(WIRE_OPEN),
};

static const unsigned int after_link[] = {
	[LINK_UP] = BIT(LINK_DROPPED) | BIT(LINK_GONE),
	[LINK_DROPPED] = BIT(LINK_GONE) | BIT(LINK_UP),
	[LINK_GONE] = BIT(LINK_UP),
};

static const unsigned int after_in[] = {
	[FLOW_OPEN] = BIT(FLOW_DRAINING) | BIT(FLOW_RESET),
	[FLOW_DRAINING] = BIT(FLOW_ENDED) | BIT(FLOW_RESET),
	[FLOW_ENDED] = BIT(FLOW_RESET),
	[FLOW_RESET] = 0,
	[FLOW_DISCARDING] = 0,
};

static const unsigned int after_out[] = {
	[FLOW_OPEN] = BIT(FLOW_DRAINING) | BIT(FLOW_DISCARDING) |
	    BIT(FLOW_RESET),
	[FLOW_DRAINING] = BIT(FLOW_ENDED) | BIT(FLOW_RESET),
	[FLOW_ENDED] = BIT(FLOW_RESET),
	[FLOW_RESET] = 0,
	[FLOW_DISCARDING] = BIT(FLOW_ENDED) | BIT(FLOW_RESET),
};

static const unsigned int after_opening[] = {
	[OPENING_NONE] = 0,
	[OPENING_WAITING] = BIT(OPENING_TOLD),
	[OPENING_TOLD] = BIT(OPENING_FLOWING) | BIT(OPENING_FAILED),
	[OPENING_FLOWING] = 0,
	[OPENING_FAILED] = 0,
};

static const unsigned int after_session[] = {
	[SESSION_NONE] = 0,
	[SESSION_KEPT] = BIT(SESSION_OVER),
	[SESSION_OVER] = 0,
};

/* The same again is no change. */
static int
changes(const unsigned int *after, unsigned int from, unsigned int to)
{
	if (from == to)
		return 0;
#ifdef TUNNEL_CHECK
	if (!(after[from] & BIT(to)))
		abort();
#else
	(void)after;
#endif
	return 1;
}

void
tunnel_set_wire(struct tunnel *t, enum tunnel_wire to)
{
	if (!changes(after_wire, t->wire, to))
		return;
	t->wire = to;
	if (to == WIRE_LOST)
		t->lost_at = t->now;
	if (to == WIRE_CLOSED)
		t->closed_at = t->now;
}

void
tunnel_set_link(struct tunnel *t, enum tunnel_link to)
{
	if (changes(after_link, t->link, to))
		t->link = to;
}

void
tunnel_set_in(struct tunnel *t, enum tunnel_flow to)
{
	if (!changes(after_in, t->in, to))
		return;
	t->in = to;
	if (to == FLOW_ENDED)
		t->final_due = t->cfg.extension;
}

void
tunnel_set_out(struct tunnel *t, enum tunnel_flow to)
{
	if (!changes(after_out, t->out, to))
		return;
	t->out = to;
	if (to == FLOW_DRAINING)
		t->eof_due = t->cfg.extension;
}

void
tunnel_set_opening(struct tunnel *t, enum tunnel_opening to)
{
	if (!changes(after_opening, t->opening, to))
		return;
	t->opening = to;
	if (to == OPENING_TOLD)
		t->opened_at = t->data_at = t->now;
}

void
tunnel_set_session(struct tunnel *t, enum tunnel_session to)
{
	if (changes(after_session, t->session, to))
		t->session = to;
}
