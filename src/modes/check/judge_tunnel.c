/* SPDX-License-Identifier: ISC */
/*
 * The steps of the websocket.
 */
#include <inttypes.h>
#include <string.h>

#include "modes/check/judge.h"
#include "modes/check/steps.h"

/* Microseconds as milliseconds with two decimals. */
#define MS(us)	(us) / 1000, (us) / 10 % 100
#define MS_	"%" PRId64 ".%02" PRId64 " ms"

void
judge_extension(const struct check *c, struct step *s)
{
	step_find(s, STEP_OK, -1);
	switch (c->extension) {
	case EXTENSION_NOT_KNOWN:
		step_find(s, STEP_NOT_TRIED, -1);
		break;
	case EXTENSION_AGREED:
		step_say(s, "the peer is inetws; id %s, the peer's %s, window %"
		    PRIu32 "; ", c->id, c->peer_id, c->window);
		if (!c->resume_asked)
			step_say(s, "no session was asked for");
		else if (c->resume)
			step_say(s, "a lost websocket is resumed");
		else
			step_say(s, "a lost websocket is the end: the peer "
			    "keeps no sessions (it has --resume 0)");
		break;
	case EXTENSION_PLAIN:
		step_say(s, "the peer is not inetws: a lost websocket is the "
		    "end");
		break;
	case EXTENSION_STRIPPED:
		s->state = STEP_WARNING;
		step_say(s, "the peer is inetws, but something between removes "
		    "Sec-WebSocket-Extensions: a lost websocket is the end");
		break;
	}
}

void
judge_subprotocol(const struct check *c, struct step *s)
{
	if (c->extension == EXTENSION_NOT_KNOWN)
		return;
	if (c->subprotocol[0] != '\0') {
		step_find(s, STEP_OK, -1);
		step_say(s, "%s", c->subprotocol);
	} else if (c->subprotocol_offered != NULL) {
		step_find(s, STEP_WARNING, -1);
		step_say(s, "%s was offered, but no subprotocol was answered",
		    c->subprotocol_offered);
	} else
		step_say(s, "none was offered");
}

void
judge_ping(const struct check *c, struct step *s)
{
	char limit[24];

	if (c->pings == 0)
		return;
	step_find(s, c->pongs > 0 ? STEP_OK : STEP_NOT_TRIED, c->pongs > 0 ?
	    c->mean : -1);
	if (c->pongs > 0)
		step_say(s, "on average; %u of %u answered, the fastest in " MS_
		    ", the slowest in " MS_, c->pongs, c->pings, MS(c->least),
		    MS(c->most));
	else
		step_say(s, "not answered");
	if (c->pongs < c->pings && c->close == 0) {
		s->state = STEP_WARNING;
		s->text[0] = '\0';
		step_say(s, "%u of %u pings had no answer", c->pings - c->pongs,
		    c->pings);
	}
	if (c->limits.rtt == 0)
		return;
	if (c->pongs == 0) {
		s->state = STEP_WARNING;
		step_say(s, "; so the round trip time is not known");
	} else if (c->mean > c->limits.rtt * 1000) {
		s->state = STEP_WARNING;
		s->text[0] = '\0';
		step_say(s, "a ping takes %" PRId64 ".%" PRId64 "ms, more "
		    "than %s", c->mean / 1000, c->mean / 100 % 10,
		    str_ms(limit, sizeof(limit), c->limits.rtt));
	}
}

void
judge_message(const struct check *c, struct step *s)
{
	if (c->message == MESSAGE_NOT_TRIED)
		return;
	step_find(s, c->message == MESSAGE_AT_ONCE ? STEP_OK : STEP_WARNING,
	    c->message_us);
	switch (c->message) {
	case MESSAGE_AT_ONCE:
		step_say(s, "a small message comes through at once%s",
		    c->message_is_line ? "" : " (seen by pings)");
		break;
	case MESSAGE_HELD:
		step_say(s, "a small message comes through only when more "
		    "comes behind it: something between collects bytes");
		break;
	case MESSAGE_LATE:
		step_say(s, "a small message is late: the handshake, or one "
		    "with more behind it, comes through sooner; something "
		    "between collects bytes for a while");
		break;
	default:
		step_say(s, "a small message has no answer");
	}
}

void
judge_target(const struct check *c, struct step *s)
{
	char reason[4 * sizeof(c->reason)];

	if (c->pings == 0)
		return;
	switch (c->target) {
	case TARGET_NOT_KNOWN:
		if (c->stopped == 0)
			step_say(s, "not known: the peer tells nothing of its "
			    "target");
		return;
	case TARGET_REACHED:
		step_find(s, STEP_OK, -1);
		step_say(s, "reached");
		if (c->banner[0] != '\0')
			step_say(s, ", it says \"%s\"", c->banner);
		break;
	case TARGET_ENDED:
		step_find(s, STEP_WARNING, -1);
		step_say(s, c->extension == EXTENSION_AGREED ? "the server has "
		    "connected to it, but it ended the connection without a "
		    "byte" : "the connection ended without a byte");
		break;
	case TARGET_DEAD:
		break;
	}
	if (c->close != 0)
		step_say(s, "; the far side ended the websocket, code %u%s%s",
		    c->close, c->reason[0] != '\0' ? ": " : "",
		    str_escape(reason, sizeof(reason), c->reason,
		    strlen(c->reason)));
}

void
judge_resume(const struct check *c, struct step *s)
{
	switch (c->resumed) {
	case RESUME_NOT_ASKED:
		if (c->pings > 0 && c->stopped == 0)
			step_say(s, "not asked for (--test-resume)");
		return;
	case RESUME_NOT_TRIED:
		return;
	case RESUME_WENT_ON:
		step_find(s, STEP_OK, c->resumed_us);
		step_say(s, "the websocket was cut, and the session went on "
		    "over a new one");
		break;
	case RESUME_LATE:
		step_find(s, STEP_WARNING, c->resumed_us);
		step_say(s, "the websocket was cut, and only request %u found "
		    "the session: the others went to another instance",
		    c->requests);
		break;
	case RESUME_NONE:
		step_find(s, STEP_WARNING, -1);
		step_say(s, "there is no session: a lost websocket is the end");
		break;
	case RESUME_ENDED:
		break;
	}
}

void
judge_idle(const struct check *c, struct step *s)
{
	char end[24], lived[24];

	step_find(s, check_ping_interval(c) != 0 ? STEP_WARNING : STEP_OK, -1);
	str_ms(end, sizeof(end), c->idle_end);
	str_ms(lived, sizeof(lived), c->idle_lived);
	switch (c->idle) {
	case IDLE_NOT_ASKED:
		step_find(s, STEP_NOT_TRIED, -1);
		if (c->pings > 0 && c->stopped == 0)
			step_say(s, "not asked for (--proxy-idle)");
		break;
	case IDLE_NOT_TRIED:
		step_find(s, STEP_NOT_TRIED, -1);
		break;
	case IDLE_LIVES:
		step_say(s, "lives for %s at least", lived);
		break;
	case IDLE_CUT:
		step_say(s, "cut off by the path after %s", end);
		break;
	case IDLE_SILENT:
		step_say(s, "no answer after %s; the longest idle time with an "
		    "answer: %s", end, c->idle_lived > 0 ? lived : "none");
		break;
	case IDLE_ENDED:
		step_say(s, "the peer ended it after %s; this does not measure "
		    "the path", end);
		break;
	}
	if (c->idle_pings > 0)
		step_say(s, "; the peer sent %u pings: to measure the path, "
		    "switch them off there", c->idle_pings);
	if (s->state == STEP_OK && c->idle != IDLE_ENDED)
		step_say(s, "; the default --ping-interval will do");
}
