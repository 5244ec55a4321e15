/* SPDX-License-Identifier: ISC */
/*
 * client: websocket dialled, stream given.  TCP in, websocket out; connect is
 * the same on standard input and output.
 */
#include <string.h>
#include <unistd.h>

#include "connection/connection.h"
#include "connection/record.h"
#include "connection/worker_channel.h"
#include "handshake/peer.h"
#include "modes/check/probe.h"
#include "modes/dialing.h"
#include "modes/modes.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/signals.h"
#include "sandbox/drop.h"
#include "stats/page.h"
#include "supervisor/startup.h"

/*
 * The failure is logged before the stream is closed: ssh(1) kills its
 * ProxyCommand as soon as it sees the end of its output.
 */
static int
failed(struct connection *c, struct io *stream, const struct error *why)
{
	int status = connection_failed(c, why);

	io_reset(stream);
	return status;
}

/*
 * Serves a stream.  single: without a supervisor.  Such a process handles
 * signals only when there is a tunnel to end; before that a signal ends it by
 * its default action.
 */
static int
serve_io(struct dialer *cl, struct io stream, const char *peer, int single)
{
	struct connection c;
	struct peer p;
	struct websocket w;
	struct error why;
	int status;

	connection_begin(&c, cl->o, peer);
	url_print(c.target, sizeof(c.target), &cl->o->url);
	peer_begin(&p, peer);
	if (peer_proxy_header(&p, cl->o, stream.rfd, clock_after(
	    cl->o->timeouts.connect), NULL, &why) == -1)
		return failed(&c, &stream, &why);
	strlcpy(c.peer, p.address, sizeof(c.peer));
	if (peer_count(cl->o, c.peer, &why) == -1)
		return failed(&c, &stream, &why);
	if (cl->o->access.forward_peer)
		websocket_set_forwarded(c.peer);
	if (connection_dial(&c, cl, TUNNEL_JOINED, 0, &w, &why) == -1)
		return failed(&c, &stream, &why);
	if (single)
		signals_single();
	if (single && w.has_extension && w.theirs.session[0] != '\0')
		net_changes_open(&c.changes);
	if ((status = dialing_enter(&c, &w)) != GO_ON) {
		io_reset(&stream);
		return status;
	}
	return connection_run(&c, stream, &w);
}

static int
serve(void *arg, int fd, const char *peer)
{
	return serve_io(arg, io_of(fd), peer, 0);
}

/*
 * --warm: dials ahead and waits for a connection.  A server that cannot park a
 * websocket has dialled its target already, which cannot be kept waiting: so
 * the websocket is closed.
 */
static int
park(void *arg, int fd, const char *peer, int channel)
{
	struct connection c;
	struct dialer *cl = arg;
	struct websocket w;
	struct error why;
	int status;

	connection_begin(&c, cl->o, "");
	c.channel = channel;
	url_print(c.target, sizeof(c.target), &cl->o->url);
	if (connection_dial(&c, cl, TUNNEL_ASKS, EXT_PARK, &w, &why) == -1)
		return connection_failed(&c, &why);
	if (!w.has_extension || !(w.theirs.flags & EXT_PARK)) {
		worker_send(channel, WORKER_NO_PARK);
		record_failed(EXIT_LOST);
		websocket_bye(&w, CLOSE_NORMAL,
		    clock_ms() + cl->o->timeouts.linger);
		return EXIT_ENDED;
	}
	if ((status = dialing_enter(&c, &w)) != GO_ON)
		return status;
	worker_send(channel, WORKER_PARKED);
	return connection_run(&c, IO_CLOSED, &w);
}

/*
 * Does the server accept websockets?  Asks to be parked, so that the target
 * need not be dialled.
 */
static int
ready(void *arg, struct error *why)
{
	struct dialer *cl = arg;
	struct options o = *cl->o;
	struct extension offer = { .flags = EXT_PARK, .id = "ready",
	    .win = EXTENSION_WIN_FIRST };
	static struct probe probe;
	struct websocket w;
	int status;

	o.log.verbose = 0;
	o.timeouts.connect = o.timeouts.handshake = SUPERVISOR_READY_MS;
	if (websocket_dial(&w, &o, dialer_trust(cl), &offer, &status,
	    why) == -1)
		return -1;
	probe_begin(&probe, &w);
	probe_end(&probe, clock_ms() + 500);
	return 0;
}

static int
run(const struct options *o, const struct addr *words, unsigned int n,
    enum log_level level)
{
	struct dialer cl;
	struct inherited a;
	struct service service = { .serve = serve, .check = dialer_check,
	    .ready = ready, .given = &a };
	struct error why;
	int status;

	status = startup(&a, o, words, n, level);
	if (status != GO_ON)
		return status;
	if (dialer_begin(&cl, o, a.nlisteners > 0, &why) == -1)
		return startup_failed(o, &why);
	if (o->reverse.warm > 0 && o->mode == MODE_CLIENT &&
	    a.nlisteners == 0) {
		error_set(&why, EXIT_BADUSAGE, "--warm needs a listener, not "
		    "one connection");
		return startup_failed(o, &why);
	}
	dialing_service(&service, &cl);
	if (o->reverse.warm > 0) {
		service.park = park;
		service.spares = &o->reverse.warm;
		service.spares_serve = 1;
	}
	if (a.nlisteners > 0)
		status = supervisor_run(o, a.listener, a.nlisteners, &service);
	else if (drop_privileges(o, stats_chown, &why) == -1)
		status = startup_failed(o, &why);
	else if ((status = dialing_prepare(&cl)) == GO_ON)
		status = serve_io(&cl, (struct io){ .rfd = a.rfd,
		    .wfd = a.wfd }, a.peer, 1);
	dialer_end(&cl);
	return status;
}

int
client_main(const struct options *o)
{
	return run(o, o->listen, o->nlisten, LOG_L_INFO);
}

static void
end_now(int signo)
{
	_exit(128 + signo);
}

/* Logs warnings and errors only: the user may be typing into the terminal. */
int
connect_main(const struct options *o)
{
	struct addr stdio;

	memset(&stdio, 0, sizeof(stdio));
	stdio.kind = ADDR_STDIO;
	if (getpid() == 1)		/* of a container: no signal ends it */
		signals_at_once(end_now);
	return run(o, &stdio, 1, LOG_L_WARN);
}
