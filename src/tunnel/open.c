/* SPDX-License-Identifier: ISC */
/*
 * A stream that comes later (inetws-protocol(7), OPENING).  The side that
 * dialled with "park", or answered "serve", asks; the other side serves.  A
 * dialler that parked may send data right behind its "open"; an acceptor waits
 * for "ok", so that the stream can still go elsewhere.
 */
#include <string.h>

#include "tunnel/internal.h"

/* Is the dialler the asking side, having dialled with "park"? */
static int
dialler_asks(const struct tunnel *t)
{
	return (t->cfg.role == TUNNEL_ASKS) == (t->cfg.client != 0);
}

int
tunnel_waits(const struct tunnel *t)
{
	return t->opening == OPENING_WAITING && t->end == TUNNEL_GOING &&
	    t->close_code == 0 && t->link == LINK_UP;
}

int
tunnel_opened(const struct tunnel *t)
{
	return t->opening == OPENING_TOLD || t->opening == OPENING_FLOWING ||
	    t->opening == OPENING_FAILED;
}

/* Has "ok" answered "open"? */
static int
okayed(const struct tunnel *t)
{
	return t->opening == OPENING_FLOWING;
}

int
tunnel_has_stream(const struct tunnel *t)
{
	return t->cfg.role == TUNNEL_JOINED ||
	    (t->cfg.role == TUNNEL_ASKS ? tunnel_opened(t) : okayed(t));
}

int
tunnel_flows(const struct tunnel *t)
{
	if (t->cfg.role == TUNNEL_ASKS)
		return dialler_asks(t) ? t->opening_sent : okayed(t);
	return tunnel_has_stream(t);
}

int
tunnel_peer_flows(const struct tunnel *t)
{
	if (t->cfg.role == TUNNEL_SERVES && dialler_asks(t))
		return tunnel_opened(t);
	return t->cfg.role == TUNNEL_JOINED || okayed(t);
}

int
tunnel_begun(const struct tunnel *t)
{
	if (t->cfg.role == TUNNEL_JOINED)
		return 1;
	if (!dialler_asks(t))
		return okayed(t) &&
		    (t->cfg.role == TUNNEL_ASKS || t->opening_sent);
	return t->cfg.role == TUNNEL_ASKS ? t->opening_sent :
	    tunnel_opened(t);
}

int64_t
tunnel_answer_until(const struct tunnel *t)
{
	if (t->cfg.role != TUNNEL_ASKS || dialler_asks(t) ||
	    t->opening != OPENING_TOLD || t->end != TUNNEL_GOING)
		return TUNNEL_NEVER;
	return t->opened_at + TUNNEL_ANSWER_WAIT;
}

void
tunnel_open(struct tunnel *t, const char *addr)
{
	strncpy(t->addr, addr, sizeof(t->addr) - 1);
	tunnel_set_opening(t, OPENING_TOLD);
	t->opening_due = 1;
	tunnel_update(t);
}

void
tunnel_ok(struct tunnel *t)
{
	tunnel_set_opening(t, OPENING_FLOWING);
	t->opening_due = 1;
	t->data_at = t->now;
	tunnel_update(t);
}

void
tunnel_decline(struct tunnel *t, const char *why)
{
	tunnel_in_drop(t);
	tunnel_fault(t, TUNNEL_STOPPED, CLOSE_NORMAL, why);
	tunnel_update(t);
}

/* The stream could not be had: for the peer a reset, with a reason. */
void
tunnel_fail(struct tunnel *t, const char *reason)
{
	size_t i;

	if (t->end != TUNNEL_GOING)
		return;
	strncpy(t->reason, reason[0] == '\0' ? "failed" : reason,
	    sizeof(t->reason) - 1);
	for (i = 0; t->reason[i] != '\0'; i++)
		if (t->reason[i] < ' ' || t->reason[i] > '~')
			t->reason[i] = '?';
	t->opening_due = 1;
	tunnel_set_opening(t, OPENING_FAILED);
	tunnel_fault(t, TUNNEL_STREAM_RESET, CLOSE_NORMAL, t->reason);
	tunnel_update(t);
}

/* "ok" or "fail": valid only after our "open", and "fail" not after "ok". */
static int
answer_received(struct tunnel *t, const struct control *c)
{
	if (t->cfg.role != TUNNEL_ASKS || !t->opening_sent)
		return -1;
	if (c->kind == CONTROL_OK) {
		tunnel_set_opening(t, OPENING_FLOWING);
		return 0;
	}
	if (okayed(t))
		return -1;
	slice_copy(t->reason, sizeof(t->reason), c->text);
	tunnel_set_opening(t, OPENING_FAILED);
	tunnel_fault(t, TUNNEL_PEER_RESET, CLOSE_NORMAL, t->reason);
	return 0;
}

int
tunnel_opening_received(struct tunnel *t, const struct control *c)
{
	if (c->kind != CONTROL_OPEN)
		return answer_received(t, c);
	if (t->cfg.role != TUNNEL_SERVES)
		return -1;
	if (tunnel_opened(t))
		return slice_is(c->text, t->addr) ? 0 : -1;
	slice_copy(t->addr, sizeof(t->addr), c->text);
	tunnel_set_opening(t, OPENING_TOLD);
	return 0;
}
