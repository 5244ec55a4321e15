/* SPDX-License-Identifier: ISC */
/*
 * agent: websocket dialled, stream dialled when the gate sends "open".  The
 * service side of a reverse tunnel: some websockets wait at the gate, each in a
 * process of its own.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection/connection.h"
#include "connection/target.h"
#include "connection/worker_channel.h"
#include "modes/dialing.h"
#include "modes/modes.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/random.h"
#include "stats/page.h"
#include "supervisor/startup.h"
#include "ws/frame.h"

static int
dial(struct connection *c, struct dialer *d, struct websocket *w,
    struct error *why)
{
	if (connection_dial(c, d, TUNNEL_SERVES, EXT_SERVE, w, why) == -1)
		return -1;
	if (w->has_extension)
		return 0;
	websocket_bye(w, CLOSE_NORMAL, clock_ms() + DIALING_BYE_MS);
	return error_set(why, EXIT_PROTOCOL,
	    "the server there does not speak the extension inetws: expected a "
	    "gate");
}

/*
 * Dials the gate and waits for a visitor.  A program as the target cannot be
 * started within the sandbox, which is entered later then.
 */
static int
park(void *arg, int fd, const char *peer, int channel)
{
	struct connection c;
	struct dialer *d = arg;
	struct websocket w;
	struct error why;
	int status;

	connection_begin(&c, d->o, "");
	c.channel = channel;
	c.trusts_open = 1;
	c.enter_late = d->o->program != NULL;
	target_name(&c);
	if (dial(&c, d, &w, &why) == -1)
		return connection_failed(&c, &why);
	if (!c.enter_late && (status = dialing_enter(&c, &w)) != GO_ON)
		return status;
	worker_send(channel, WORKER_PARKED);
	return connection_run(&c, IO_CLOSED, &w);
}

/* Is there a gate? */
static int
ready(void *arg, struct error *why)
{
	if (stats_has_websocket())
		return 0;
	return error_set(why, EXIT_AGAIN, "the gate is not reached");
}

/* A program in --chroot is not looked for from outside. */
static int
check_target(const struct options *o, struct error *why)
{
	return o->program != NULL && o->service.chroot != NULL ? 0 :
	    target_check(o, why);
}

static int
check_again(const struct options *o, struct error *why)
{
	return check_target(o, why) == -1 ? -1 : dialer_check(o, why);
}

int
agent_main(const struct options *o)
{
	struct dialer d;
	struct inherited a;
	struct service service = { .park = park,
	    .spares = &o->reverse.spare, .check = check_again, .ready = ready,
	    .given = &a };
	struct error why;
	uint64_t random;
	char token[24];
	int status;

	if ((status = startup_no_listener(&a, o, LOG_L_INFO)) != GO_ON)
		return status;
	if (check_target(o, &why) == -1 ||
	    dialer_begin(&d, o, 1, &why) == -1)
		return startup_failed(o, &why);
	random_bytes(&random, sizeof(random));
	snprintf(token, sizeof(token), "%016" PRIx64, random);
	websocket_set_agent(token);
	dialing_service(&service, &d);
	status = supervisor_run(o, NULL, 0, &service);
	dialer_end(&d);
	return status;
}
