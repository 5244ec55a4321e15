/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "modes/check/messages.h"
#include "os/clock.h"
#include "os/signals.h"
#include "ws/frame.h"

#define REQUESTS	3	/* balancers may lead some elsewhere */
#define BYE_MS		1000	/* to end a websocket that is not needed */

/* Dials for the session.  1: it goes on over the new websocket. */
static int
ask(struct check *c, struct probe *p, const struct options *o,
    struct trust *trust, const struct extension *offer, struct error *why)
{
	struct websocket w;
	int status;

	if (websocket_dial(&w, o, trust, offer, &status, why) == -1)
		return 0;
	if (!w.has_extension || w.theirs.session[0] == '\0') {
		error_set(why, EXIT_LOST, "%s is another peer, which keeps no "
		    "sessions", c->url);
		websocket_bye(&w, CLOSE_NORMAL, clock_ms() + BYE_MS);
		return 0;
	}
	probe_resume(p, &w);
	return 1;
}

void
check_resume(struct check *c, struct probe *p, const struct options *o,
    struct trust *trust, const struct extension *ours,
    const struct extension *theirs)
{
	struct extension offer = *ours;
	int64_t begun;
	struct error why;

	if (!p->extension || theirs->session[0] == '\0') {
		c->resumed = RESUME_NONE;
		return;
	}
	begun = clock_us();
	io_reset(&p->io);
	offer.flags = EXT_RESUME;
	strlcpy(offer.session, theirs->session, sizeof(offer.session));
	offer.at = p->taken;
	offer.has_at = 1;
	while (offer.attempt++ < REQUESTS && !signal_terminated()) {
		c->requests = offer.attempt;
		if (!ask(c, p, o, trust, &offer, &why))
			continue;
		c->resumed_us = clock_us() - begun;
		c->resumed = offer.attempt == 1 ? RESUME_WENT_ON : RESUME_LATE;
		return;
	}
	if (signal_terminated())
		return;
	c->resumed = RESUME_ENDED;
	error_set(&c->why, EXIT_LOST, "the session did not go on: %s",
	    why.text);
	c->failed_at = STEP_RESUME;
}
