/* SPDX-License-Identifier: ISC */
/*
 * gate: wire given, stream awaited.  The public side of a reverse tunnel:
 * agents' wires wait here, each in a process of its own, and visitors meet
 * them.
 */
#include <string.h>

#include "connection/worker_channel.h"
#include "handshake/auth.h"
#include "handshake/tls_reload.h"
#include "modes/accepted.h"
#include "modes/gate_admit.h"
#include "modes/modes.h"
#include "os/log.h"
#include "sandbox/drop.h"
#include "sandbox/enter.h"
#include "stats/page.h"
#include "supervisor/startup.h"
#include "supervisor/supervisor.h"

#define OWNER	"Inetws-Agent"	/* tells one agent's wires from another's */

/* What all wires share; made before the first fork. */
struct gate {
	const struct options *o;
	struct tls_reload tls;
};

static void
owner_of(const struct accepted *a, char owner[AGENT_ID_MAX])
{
	struct slice value;

	owner[0] = '\0';
	if (http_field(a->w.head, OWNER, &value) == 1 &&
	    http_is_token(value) &&
	    slice_copy(owner, AGENT_ID_MAX, value) == -1)
		owner[0] = '\0';
}

/* May it wait?  1, or 0 and the status to exit with. */
static int
sit_down(struct accepted *a, const char *name, const char *hash, int pair,
    int *status)
{
	char owner[AGENT_ID_MAX], text[200] = "";

	owner_of(a, owner);
	if (pair == -1)
		STATS_ADD(stats_mine->counts.refused, 1);
	if (pair != -1 && worker_ask_park(pair, name, owner, hash, a->deadline,
	    text, sizeof(text)) == 1)
		return 1;
	*status = accepted_refuse(a, 503, pair == -1 ? ACCEPTED_BUSY : text);
	return 0;
}

static int
park(void *arg, int fd, const char *peer, int pair)
{
	struct connection c;
	struct accepted a;
	struct gate *g = arg;
	const struct options *o = g->o;
	char name[AGENT_NAME_MAX], hash[AGENT_HASH_MAX];
	struct error why;
	int status;

	connection_begin(&c, o, peer);
	strlcpy(c.target, "-", sizeof(c.target));
	if (!accepted_begin(&a, &c, o, g->tls.ctx, io_of(fd), peer, &status) ||
	    !gate_admit(&a, o, name, c.target, hash, &status) ||
	    accepted_redial(&a, &status))
		return status;
	if (!a.request.has_offer || !(a.request.offer.flags & EXT_SERVE))
		return accepted_refuse(&a, 400,
		    "this is a gate, and that is no agent");
	if (!sit_down(&a, name, hash, pair, &status))
		return status;
	c.channel = pair;
	c.role = TUNNEL_ASKS;
	connection_answer(&c, &a.request.offer, &a.w);
	if (websocket_answer(&a.w, &a.request, &c.ours, a.deadline, &why) == -1)
		return connection_failed(&c, &why);
	if ((status = enter_sandbox(o)) != EXIT_ENDED) {
		io_close(&a.w.io);
		return status;
	}
	return connection_run(&c, IO_CLOSED, &a.w);
}

/* A redial is served, and nobody else. */
static int
park_full(void *arg, int fd, const char *peer)
{
	return park(arg, fd, peer, -1);
}

/* Is there an agent? */
static int
ready(void *arg, struct error *why)
{
	struct stats_view v;
	struct report r;

	stats_view_own(&v);
	stats_read(&v, &r);
	if (r.active[STATE_PARKED] + r.active[STATE_OPEN] +
	    r.active[STATE_HALF_CLOSED] + r.active[STATE_LOST] > 0)
		return 0;
	return error_set(why, EXIT_AGAIN, "no agent is here");
}

static int
check_files(const struct options *o, struct error *why)
{
	return gate_check_file(o, why) == -1 ? -1 : auth_check_file(o, why);
}

/* They are read while it runs, as who it is then and where it is. */
static int
settled(void *arg)
{
	const struct gate *g = arg;
	struct error why;

	if ((g->o->service.chroot != NULL || g->o->service.run_as != NULL) &&
	    check_files(g->o, &why) == -1)
		return drop_failed(g->o, &why);
	return enter_prepare(g->o, SANDBOX_RELAY);
}

static void
reload(void *arg)
{
	struct gate *g = arg;

	tls_reload_refresh(&g->tls, 1);
	enter_prepare(g->o, SANDBOX_RELAY);
}

static void
before(void *arg)
{
	struct gate *g = arg;

	tls_reload_refresh(&g->tls, 0);
}

/* Everybody may come in only if somebody has said so. */
static int
check_words(const struct options *o, struct error *why)
{
	if ((o->reverse.visitors == NULL) == (o->reverse.visitors_dir == NULL))
		return error_set(why, EXIT_BADUSAGE, "expected one of "
		    "--visitors and --visitors-dir");
	if (o->websocket.path == NULL && o->reverse.agents_file == NULL &&
	    o->access.auth_file == NULL && o->access.auth_command == NULL &&
	    o->tls.client_ca == NULL && o->tls.client_certs == NULL &&
	    !o->reverse.allow_any_agent)
		return error_set(why, EXIT_BADUSAGE, "who may be an agent? "
		    "expected --agents-file, --path, --auth-file, "
		    "--auth-command, --tls-client-ca or --allow-any-agent");
	return accepted_check_tls(o, why);
}

/* At HUP. */
static int
check(const struct options *o, struct error *why)
{
	return check_words(o, why) == -1 ? -1 : check_files(o, why);
}

int
gate_main(const struct options *o)
{
	struct gate g = { .o = o };
	struct inherited a;
	struct service service = { .arg = &g, .park = park, .parks = 1,
	    .serve_full = park_full, .check = check,
	    .refuse = accepted_busy, .ready = ready, .settled = settled,
	    .reload = reload, .before = before, .given = &a };
	struct error why;
	int status;

	if (check_words(o, &why) == -1 ||
	    (o->service.chroot == NULL && check_files(o, &why) == -1))
		return startup_failed(&why);
	status = startup(&a, o, o->listen, o->nlisten, LOG_L_INFO);
	if (status != EXIT_ENDED)
		return status;
	if (a.nlisteners == 0) {
		error_set(&why, EXIT_BADUSAGE, "a gate needs a listener, not "
		    "one connection");
		return startup_failed(&why);
	}
	if (accepted_begin_tls(&g.tls, o, &service, &why) == -1)
		return startup_failed(&why);
	status = supervisor_run(o, a.listener, a.nlisteners, &service);
	tls_reload_end(&g.tls);
	return status;
}
