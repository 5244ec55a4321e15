/* SPDX-License-Identifier: ISC */
#include "modes/dialing.h"
#include "os/clock.h"
#include "sandbox/enter.h"
#include "ws/frame.h"

/* What a child needs later, to serve an agent's visitor or to redial. */
static enum sandbox_role
role_of(const struct options *o)
{
	if (o->program != NULL)
		return SANDBOX_REDIAL_PROGRAM;
	return o->target.kind == ADDR_UNIX && o->target.path[0] == '@' ?
	    SANDBOX_REDIAL_ABSTRACT : SANDBOX_REDIAL;
}

int
dialing_prepare(void *arg)
{
	const struct dialer *d = arg;

	return enter_prepare(d->o, role_of(d->o));
}

int
dialing_enter(struct connection *c, struct websocket *w)
{
	int status = enter_sandbox(c->o, 0);
	struct error why;

	if (status == GO_ON)
		return GO_ON;
	error_set(&why, status, "cannot enter the sandbox");
	connection_failed(c, &why);
	websocket_bye(w, CLOSE_GOING_AWAY, clock_ms() + DIALING_BYE_MS);
	return status;
}

static void
reload(void *arg)
{
	dialer_refresh(arg, 1);
	dialing_prepare(arg);
}

static int
before(void *arg)
{
	return dialer_refresh(arg, 0);
}

static int
load(void *arg)
{
	return dialer_load(arg);
}

void
dialing_service(struct service *service, struct dialer *d)
{
	service->arg = d;
	service->unprivileged = dialing_prepare;
	service->reload = reload;
	service->before = before;
	service->load = load;
}
