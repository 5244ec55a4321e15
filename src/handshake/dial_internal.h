/* SPDX-License-Identifier: ISC */
/*
 * What dial.c, the steps of dialling, and dial_request.c, a request and what
 * its answer means, share.
 */
#ifndef HANDSHAKE_DIAL_INTERNAL_H
#define HANDSHAKE_DIAL_INTERNAL_H

#include "handshake/attempt.h"
#include "handshake/exchange.h"

enum dial_state {
	STEP_FIELDS,		/* --header-command runs */
	STEP_PATH,		/* on its way to a server */
	STEP_ANSWER,		/* the request is out */
	STEP_REFUSAL,		/* its answer has a text for a person */
	STEP_OVER
};

/* One websocket_dial(), or redial. */
struct dial {
	enum dial_state state;
	struct websocket *w;
	const struct options *o;
	struct trust *trust;
	struct trace trace;
	struct upgrade_offer offer;
	const struct extension *extension;	/* to be offered, or NULL */
	void (*done)(const struct websocket *, enum dial_step);	/* or NULL */
	const struct url *url;		/* where this attempt goes */
	struct error *why;
	char name[256];			/* the same, for a person */
	uint64_t question;		/* to --header-command */
	int64_t until;			/* of all requests, with redirects */
	int64_t deadline;		/* of this state */
	int64_t moved_at;		/* of clock_ms(): the last new state */
	int http_status;		/* of the last answer, or 0 */

	/* what follows is large, and rarely all of it is used */
	struct exchange exchange;
	struct attempt attempt;
	struct url elsewhere;		/* where we were sent to */
};

/* --user goes before what is in the URL that was given. */
const char *dial_credentials(const struct options *);

/*
 * Writes the request to d->url with the given fields into d->exchange.room,
 * ready for exchange_begin().  Its length, or -1 and why.
 */
int dial_write_request(struct dial *, const char *fields);

/* 101: the websocket is open if everything in the answer is right: 0, or -1. */
int dial_accepted(struct dial *);

/* Turns d->url to where the answer points: 0, or -1 and why. */
int dial_redirect(struct dial *);

#endif
