/* SPDX-License-Identifier: ISC */
/*
 * agent: wire dialled, stream dialled when told "open".  The service side of
 * a reverse tunnel: some wires wait at the gate, each in a process of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection/connection.h"
#include "connection/target.h"
#include "connection/worker_channel.h"
#include "handshake/dialer.h"
#include "modes/modes.h"
#include "os/log.h"
#include "sandbox/enter.h"
#include "supervisor/startup.h"
#include "supervisor/supervisor.h"

static int
dial(struct carry *c, struct dialler *d, struct wire *w,
    struct why *why)
{
	if (carry_dial(c, d, TUNNEL_SERVES, EXT_SERVE, w, why) == -1)
		return -1;
	if (w->has_extension)
		return 0;
	io_close(&w->io);
	return why_set(why, EXIT_PROTOCOL,
	    "whoever answers there does not speak the extension inetws");
}

/*
 * A program cannot be started from inside the sandbox, so it comes first then.
 */
static int
park(void *arg, int fd, const char *peer, int pair)
{
	struct carry c;
	struct dialler *d = arg;
	struct wire w;
	struct why why;
	int status;

	carry_begin(&c, d->o, "");
	c.pair = pair;
	c.believes = 1;
	c.confine_late = d->o->program != NULL;
	stream_name(&c);
	if (dial(&c, d, &w, &why) == -1)
		return carry_failed(&c, &why);
	seat_say(pair, SEAT_PARKED);
	if (!c.confine_late && (status = confine(d->o)) != EXIT_ENDED) {
		io_close(&w.io);
		return status;
	}
	return carry_on(&c, IO_CLOSED, &w);
}

static int
settled(void *arg)
{
	const struct dialler *d = arg;

	return confine_prepare(d->o, d->o->program != NULL ?
	    SANDBOX_REDIAL_PROGRAM : SANDBOX_REDIAL);
}

static void
reload(void *arg)
{
	dialler_refresh(arg, 1);
	settled(arg);
}

static void
before(void *arg)
{
	dialler_refresh(arg, 0);
}

int
agent_main(const struct options *o)
{
	struct dialler d;
	struct activation a;
	struct service service = { .arg = &d, .park = park,
	    .spares = &o->spare, .settled = settled, .reload = reload,
	    .before = before, .given = &a };
	struct why why;
	char token[24];
	int status;

	if ((status = start_alone(&a, o, LOG_L_INFO)) != EXIT_ENDED)
		return status;
	if (dialler_begin(&d, o, 1, &why) == -1)
		return start_failed(&why);
	snprintf(token, sizeof(token), "%08x%08x", arc4random(),
	    arc4random());
	wire_agent(token);
	status = supervise(o, NULL, 0, &service);
	dialler_end(&d);
	return status;
}
