/* SPDX-License-Identifier: ISC */
/*
 * server: websocket given, stream dialled.  Websocket in, TCP out.
 */
#include <string.h>
#include <unistd.h>

#include "connection/target.h"
#include "connection/worker_channel.h"
#include "handshake/auth.h"
#include "handshake/tls_reload.h"
#include "modes/accepted.h"
#include "modes/modes.h"
#include "os/clock.h"
#include "os/signals.h"
#include "sandbox/drop.h"
#include "sandbox/enter.h"
#include "stats/page.h"
#include "supervisor/startup.h"
#include "supervisor/supervisor.h"

/* What this process is. */
enum how {
	ONE_OF_MANY,	/* a child of the supervisor */
	EXTRA,		/* an extra child: beyond a limit */
	SINGLE		/* it has no supervisor */
};

/* Answers the request, and runs the tunnel to its end. */
static int
answer(struct accepted *a, struct io stream, enum how how)
{
	const struct extension *offer = a->request.has_offer ?
	    &a->request.offer : NULL;
	struct connection *c = a->c;
	struct error why;

	if (offer != NULL)
		connection_answer(c, offer);
	if (!c->enter_late &&
	    enter_sandbox(c->o, c->program.pid) != GO_ON) {
		target_drop(c, &stream);
		return accepted_refuse(a, 503, ACCEPTED_NO_SANDBOX);
	}
	if (websocket_answer(&a->w, &a->request,
	    offer != NULL ? &c->ours : NULL, a->deadline, &why) == -1) {
		target_drop(c, &stream);
		return connection_failed(c, &why);
	}
	/* Until there is a tunnel a signal ends us in the usual way. */
	if (how == SINGLE)
		signals_single();
	return connection_run(c, stream, &a->w);
}

/*
 * The websocket is parked (client --warm): the target is dialled when "open"
 * comes.  Only then can the process enter the sandbox.
 */
static int
wait_for_open(struct accepted *a, enum how how)
{
	struct connection *c = a->c;

	c->role = TUNNEL_SERVES;
	c->enter_late = 1;
	c->trusts_open = a->peer.trusts_open;
	c->request = a->w.head;
	return answer(a, IO_CLOSED, how);
}

/* Dials the target, then answers. */
static int
join(struct accepted *a, enum how how)
{
	struct connection *c = a->c;
	struct io stream;
	struct error why;

	if (target_dial(c, a->w.head, &stream, &why) == -1) {
		websocket_refuse(&a->w, why.status == EXIT_AGAIN ? 504 : 502,
		    target_reason(&why));
		return connection_failed(c, &why);
	}
	/* The target has had a time of its own, --connect-timeout. */
	a->deadline = clock_after(c->o->timeouts.handshake);
	if (peer_tell_target(c->o, stream.wfd, c->peer, c->local, &why) == -1) {
		target_drop(c, &stream);
		websocket_refuse(&a->w, 502, target_reason(&why));
		return connection_failed(c, &why);
	}
	return answer(a, stream, how);
}

/* In an extra child: asks for a place.  0: there is none, and it is refused. */
static int
get_place(struct accepted *a, int *status)
{
	struct connection *c = a->c;
	char why[128];
	unsigned int again;

	if (worker_ask_place(c->channel, a->deadline, why, sizeof(why),
	    &again) != 1) {
		*status = accepted_refuse(a, 503, ACCEPTED_BUSY);
		return 0;
	}
	close(c->channel);
	c->channel = -1;
	a->deadline = clock_after(c->o->timeouts.handshake);
	return 1;
}

static int
serve_io(struct acceptor *sv, struct io io, const char *peer, enum how how,
    int channel)
{
	const struct options *o = sv->o;
	struct connection c;
	struct accepted a = { .extra = how == EXTRA };
	const struct extension *offer;
	struct error why;
	int status, parks;

	connection_begin(&c, o, peer);
	c.channel = channel;
	target_name(&c);
	if (!accepted_begin(&a, &c, sv, io, peer, &status))
		return status;
	offer = a.request.has_offer ? &a.request.offer : NULL;
	if (offer != NULL && (offer->flags & EXT_SERVE))
		return accepted_refuse(&a, 400,
		    "this is a server: agents connect to a gate");
	if (accepted_redial(&a, how != SINGLE, &status))
		return status;
	parks = offer != NULL && (offer->flags & EXT_PARK);
	/* Else it is counted when its "open" names the peer. */
	if (!(parks && a.peer.trusts_open) &&
	    peer_count(o, c.peer, &why) == -1)
		return accepted_refuse(&a, 503, why.text);
	if (how == EXTRA && !get_place(&a, &status))
		return status;
	if (o->access.send_proxy != 0)
		net_local_name(a.w.io.rfd, c.local, sizeof(c.local));
	if (parks)
		return wait_for_open(&a, how);
	return join(&a, how);
}

static int
serve(void *arg, int fd, const char *peer)
{
	return serve_io(arg, io_of(fd), peer, ONE_OF_MANY, -1);
}

static int
serve_extra(void *arg, int fd, const char *peer, int channel)
{
	return serve_io(arg, io_of(fd), peer, EXTRA, channel);
}

/* Does the target take connections?  A program is started when one comes. */
static int
ready(void *arg, struct error *why)
{
	const struct acceptor *sv = arg;
	const struct options *o = sv->o;
	int fd;

	if (o->program != NULL)
		return 0;
	fd = target_connect(o, clock_ms() + SUPERVISOR_READY_MS, why);
	if (fd == -1)
		return -1;
	net_linger_default(fd);		/* for the target it has just ended */
	close(fd);
	return 0;
}

static int
check_files(const struct options *o, struct error *why)
{
	return target_check(o, why) == -1 ? -1 : auth_check(o, why);
}

static int
check_again(const struct options *o, struct error *why)
{
	return target_check(o, why) == -1 ? -1 : auth_check_again(o, why);
}

/* Is it a usual port of a target, as of ssh or a database? */
static int
is_target_port(unsigned int port)
{
	static const unsigned int ports[] = { 22, 25, 3306, 3389, 5432, 5900,
	    6379 };
	unsigned int i;

	for (i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (ports[i] == port)
			return 1;
	return 0;
}

/* Warns if the user may have exchanged LISTEN and TARGET. */
static void
warn_of_ports(const struct options *o)
{
	unsigned int i;

	for (i = 0; i < o->nlisten; i++)
		if (o->program == NULL && o->target.kind == ADDR_TCP &&
		    o->listen[i].kind == ADDR_TCP &&
		    is_target_port(o->listen[i].port) &&
		    !is_target_port(o->target.port))
			log_event(LOG_L_WARN, "arguments", "why", "it listens "
			    "at a port of what is usually forwarded", "hint",
			    "LISTEN is where websockets come, TARGET where "
			    "they are forwarded to", NULL);
}

int
server_main(const struct options *o)
{
	struct acceptor sv = { .o = o, .check = check_files };
	struct inherited a;
	struct service service = { .serve = serve,
	    .serve_extra = serve_extra, .check = check_again,
	    .ready = ready, .rotated = &sv.tls.rotated, .given = &a,
	    .files = { &sv.users } };
	struct error why;
	int status;

	accepted_service(&service, &sv);
	auth_file(&sv.users, o);
	if ((status = accepted_startup(&sv, &a)) != GO_ON)
		return status;
	warn_of_ports(o);
	if (accepted_begin_tls(&sv, &service, a.nlisteners > 0, &why) == -1)
		return startup_failed(o, &why);
	if (a.nlisteners > 0)
		status = supervisor_run(o, a.listener, a.nlisteners, &service);
	else if (drop_privileges(o, stats_chown, &why) == -1)
		status = startup_failed(o, &why);
	else if ((status = accepted_prepare(&sv)) == GO_ON)
		status = serve_io(&sv, (struct io){ .rfd = a.rfd,
		    .wfd = a.wfd }, a.peer, SINGLE, -1);
	tls_reload_end(&sv.tls);
	return status;
}
