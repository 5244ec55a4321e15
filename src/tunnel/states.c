/* SPDX-License-Identifier: ISC */
/*
 * The states of a tunnel and what may follow what.  A change that the tables
 * do not know is a mistake of ours; with TUNNEL_CHECK, as in tests and
 * fuzzers, it ends the process.
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
	[LINK_UP] = BIT(LINK_DROPPED),
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

static const unsigned int after_sink[] = {
	[SINK_OPEN] = BIT(SINK_CLOSED) | BIT(SINK_REFUSED),
	[SINK_CLOSED] = BIT(SINK_REFUSED),
	[SINK_REFUSED] = 0,
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

static const unsigned int after_silence[] = {
	[SILENCE_NONE] = BIT(SILENCE_PINGED) | BIT(SILENCE_DOUBTED),
	[SILENCE_PINGED] = BIT(SILENCE_NONE) | BIT(SILENCE_DOUBTED),
	[SILENCE_DOUBTED] = BIT(SILENCE_NONE),
};

#define ALL_ENDS	(BIT(TUNNEL_ENDED) | BIT(TUNNEL_STREAM_RESET) |	\
    BIT(TUNNEL_PEER_RESET) | BIT(TUNNEL_PEER_CLOSED) |			\
    BIT(TUNNEL_WIRE_LOST) | BIT(TUNNEL_PING_TIMEOUT) |			\
    BIT(TUNNEL_PEER_FAULT) | BIT(TUNNEL_IDLE) | BIT(TUNNEL_STOPPED))

static const unsigned int after_end[] = {
	[TUNNEL_GOING] = ALL_ENDS,
	[TUNNEL_ENDED] = 0,
	[TUNNEL_STREAM_RESET] = 0,
	[TUNNEL_PEER_RESET] = 0,
	[TUNNEL_PEER_CLOSED] = 0,
	[TUNNEL_WIRE_LOST] = 0,
	[TUNNEL_PING_TIMEOUT] = 0,
	[TUNNEL_PEER_FAULT] = 0,
	[TUNNEL_IDLE] = 0,
	[TUNNEL_STOPPED] = 0,
};

static const char *const wire_names[] = {
	[WIRE_OPEN] = "open",
	[WIRE_CLOSE_SENT] = "close-sent",
	[WIRE_CLOSE_RECEIVED] = "close-received",
	[WIRE_CLOSED] = "closed",
	[WIRE_LOST] = "lost",
};

static const char *const link_names[] = {
	[LINK_UP] = "up",
	[LINK_DROPPED] = "dropped",
	[LINK_GONE] = "gone",
};

static const char *const flow_names[] = {
	[FLOW_OPEN] = "open",
	[FLOW_DRAINING] = "draining",
	[FLOW_ENDED] = "ended",
	[FLOW_RESET] = "reset",
	[FLOW_DISCARDING] = "discarding",
};

static const char *const sink_names[] = {
	[SINK_OPEN] = "open",
	[SINK_CLOSED] = "closed",
	[SINK_REFUSED] = "refused",
};

static const char *const opening_names[] = {
	[OPENING_NONE] = "none",
	[OPENING_WAITING] = "waiting",
	[OPENING_TOLD] = "told",
	[OPENING_FLOWING] = "flowing",
	[OPENING_FAILED] = "failed",
};

static const char *const session_names[] = {
	[SESSION_NONE] = "none",
	[SESSION_KEPT] = "kept",
	[SESSION_OVER] = "over",
};

static const char *const silence_names[] = {
	[SILENCE_NONE] = "none",
	[SILENCE_PINGED] = "pinged",
	[SILENCE_DOUBTED] = "doubted",
};

static const char *const end_names[] = {
	[TUNNEL_GOING] = "going",
	[TUNNEL_ENDED] = "ended",
	[TUNNEL_STREAM_RESET] = "stream-reset",
	[TUNNEL_PEER_RESET] = "peer-reset",
	[TUNNEL_PEER_CLOSED] = "peer-closed",
	[TUNNEL_WIRE_LOST] = "websocket-lost",
	[TUNNEL_PING_TIMEOUT] = "ping-timeout",
	[TUNNEL_PEER_FAULT] = "peer-fault",
	[TUNNEL_IDLE] = "idle-timeout",
	[TUNNEL_STOPPED] = "stopped",
};

struct machine {
	const char *name;		/* for the log */
	const unsigned int *after;
	const char *const *names;
};

static const struct machine wire_machine = {
	"websocket", after_wire, wire_names
};
static const struct machine link_machine = {
	"descriptor", after_link, link_names
};
static const struct machine in_machine = {
	"to-stream", after_in, flow_names
};
static const struct machine out_machine = {
	"from-stream", after_out, flow_names
};
static const struct machine sink_machine = {
	"stream-input", after_sink, sink_names
};
static const struct machine opening_machine = {
	"opening", after_opening, opening_names
};
static const struct machine session_machine = {
	"session", after_session, session_names
};
static const struct machine silence_machine = {
	"silence", after_silence, silence_names
};
static const struct machine end_machine = {
	"end", after_end, end_names
};

const char *
tunnel_end_name(enum tunnel_end end)
{
	return end_names[end];
}

/*
 * Does this change the state, so that its setter has to act?  The same value
 * again is no change.  Checks and traces the change.
 */
static int
changes(const struct tunnel *t, const struct machine *m, unsigned int from,
    unsigned int to)
{
	if (from == to)
		return 0;
#ifdef TUNNEL_CHECK
	if (!(m->after[from] & BIT(to)))
		abort();
#endif
	if (t->cfg.trace != NULL)
		t->cfg.trace(t, m->name, m->names[from], m->names[to]);
	return 1;
}

void
tunnel_set_wire(struct tunnel *t, enum tunnel_wire to)
{
	if (!changes(t, &wire_machine, t->wire, to))
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
	if (changes(t, &link_machine, t->link, to))
		t->link = to;
}

void
tunnel_set_in(struct tunnel *t, enum tunnel_flow to)
{
	if (!changes(t, &in_machine, t->in, to))
		return;
	t->in = to;
	if (to == FLOW_ENDED) {
		t->final_due = t->cfg.extension != 0;
		t->shown_at = t->now;
	}
}

void
tunnel_set_out(struct tunnel *t, enum tunnel_flow to)
{
	if (!changes(t, &out_machine, t->out, to))
		return;
	t->out = to;
	if (to == FLOW_DRAINING)
		t->eof_due = t->cfg.extension != 0;
}

void
tunnel_set_sink(struct tunnel *t, enum tunnel_sink to)
{
	if (!changes(t, &sink_machine, t->sink, to))
		return;
	if (t->sink == SINK_OPEN)
		t->sink_closed_at = t->now;
	t->sink = to;
}

void
tunnel_set_opening(struct tunnel *t, enum tunnel_opening to)
{
	if (!changes(t, &opening_machine, t->opening, to))
		return;
	t->opening = to;
	if (to == OPENING_TOLD)
		t->opened_at = t->data_at = t->now;
}

void
tunnel_set_session(struct tunnel *t, enum tunnel_session to)
{
	if (changes(t, &session_machine, t->session, to))
		t->session = to;
}

void
tunnel_set_silence(struct tunnel *t, enum tunnel_silence to)
{
	if (changes(t, &silence_machine, t->silence, to))
		t->silence = to;
}

/*
 * A session whose stream was reset here goes on until its peer has been told;
 * any other end of the tunnel is the session's too.
 */
void
tunnel_set_end(struct tunnel *t, enum tunnel_end to)
{
	if (!changes(t, &end_machine, t->end, to))
		return;
	t->end = to;
	if (to != TUNNEL_STREAM_RESET && t->session == SESSION_KEPT)
		tunnel_set_session(t, SESSION_OVER);
}
