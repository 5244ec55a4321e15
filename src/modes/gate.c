/* SPDX-License-Identifier: ISC */
/*
 * gate: websocket given, stream awaited.  The public side of a reverse tunnel:
 * agents' websockets wait here, each in a process of its own, and each visitor
 * is given one.
 */
#include <stdio.h>
#include <string.h>

#include "connection/worker_channel.h"
#include "handshake/auth.h"
#include "handshake/tls_reload.h"
#include "modes/accepted.h"
#include "modes/gate_admit.h"
#include "modes/modes.h"
#include "os/clock.h"
#include "sandbox/enter.h"
#include "stats/page.h"
#include "supervisor/startup.h"
#include "supervisor/supervisor.h"

#define ID_FIELD	"Inetws-Agent"	/* identifies the agent's process */

static void
id_of_agent(const struct accepted *a, char id[AGENT_ID_MAX])
{
	struct slice value;

	id[0] = '\0';
	if (http_field(a->w.head, ID_FIELD, &value) == 1 &&
	    http_is_token(value) &&
	    slice_copy(id, AGENT_ID_MAX, value) == -1)
		id[0] = '\0';
}

/* May it wait?  1, or 0 and the status to exit with. */
static int
may_park(struct accepted *a, const char *name, const char *hash,
    int channel, int *status)
{
	char id[AGENT_ID_MAX], text[200] = "";
	unsigned int again;

	id_of_agent(a, id);
	if (worker_ask_park(channel, name, id, hash, a->deadline, text,
	    sizeof(text), &again) != 1) {
		*status = accepted_refuse_for(a, again, text);
		return 0;
	}
	if (a->extra)
		a->deadline = clock_after(a->c->o->timeouts.handshake);
	return 1;
}

static int
serve(struct acceptor *g, int fd, const char *peer, int channel, int extra)
{
	struct connection c;
	struct accepted a = { .extra = extra };
	const struct options *o = g->o;
	char name[AGENT_NAME_MAX], hash[AGENT_HASH_MAX], text[128];
	struct error why;
	int status;

	connection_begin(&c, o, peer);
	c.channel = channel;
	strlcpy(c.target, "-", sizeof(c.target));
	if (!accepted_begin(&a, &c, g, io_of(fd), peer, &status) ||
	    !gate_admit(&a, g, name, c.target, hash, &status))
		return status;
	line_file_forget(&g->agents);
	if (accepted_redial(&a, 1, &status))
		return status;
	if (!a.request.has_offer && a.request.offered_version != 0) {
		snprintf(text, sizeof(text), "this gate speaks version %d of "
		    "the extension inetws, the agent version %u: upgrade the "
		    "older one", EXTENSION_VERSION, a.request.offered_version);
		return accepted_refuse(&a, 400, text);
	}
	if (!a.request.has_offer || !(a.request.offer.flags & EXT_SERVE))
		return accepted_refuse(&a, 400,
		    "this endpoint accepts only inetws agents");
	if (!may_park(&a, name, hash, channel, &status))
		return status;
	c.role = TUNNEL_ASKS;
	connection_answer(&c, &a.request.offer);
	if (enter_sandbox(o, 0) != GO_ON)
		return accepted_refuse(&a, 503, ACCEPTED_NO_SANDBOX);
	if (websocket_answer(&a.w, &a.request, &c.ours, a.deadline, &why) == -1)
		return connection_failed(&c, &why);
	return connection_run(&c, IO_CLOSED, &a.w);
}

static int
park(void *arg, int fd, const char *peer, int channel)
{
	return serve(arg, fd, peer, channel, 0);
}

static int
park_extra(void *arg, int fd, const char *peer, int channel)
{
	return serve(arg, fd, peer, channel, 1);
}

/* Is there an agent? */
static int
ready(void *arg, struct error *why)
{
	if (stats_has_websocket())
		return 0;
	return error_set(why, EXIT_AGAIN, "no agent is connected");
}

static int
check_files(const struct options *o, struct error *why)
{
	struct line_file agents;

	gate_agents_file(&agents, o);
	return line_file_check(&agents, why) == -1 ? -1 : auth_check(o, why);
}

static int
check_again(const struct options *o, struct error *why)
{
	struct line_file agents;

	gate_agents_file(&agents, o);
	return line_file_check_open(&agents, why) == -1 ? -1 :
	    auth_check_again(o, why);
}

int
gate_main(const struct options *o)
{
	struct acceptor g = { .o = o, .check = check_files };
	struct inherited a;
	struct service service = { .park = park, .parks = 1,
	    .serve_extra = park_extra, .check = check_again,
	    .ready = ready, .given = &a,
	    .files = { &g.users, &g.agents }, .agents = &g.agents };
	struct error why;
	int status;

	accepted_service(&service, &g);
	auth_file(&g.users, o);
	gate_agents_file(&g.agents, o);
	if ((status = accepted_startup(&g, &a)) != GO_ON)
		return status;
	if (a.nlisteners == 0) {
		error_set(&why, EXIT_BADUSAGE, "a gate needs a listener, not "
		    "one connection");
		return startup_failed(o, &why);
	}
	if (accepted_begin_tls(&g, &service, 1, &why) == -1)
		return startup_failed(o, &why);
	status = supervisor_run(o, a.listener, a.nlisteners, &service);
	tls_reload_end(&g.tls);
	return status;
}
