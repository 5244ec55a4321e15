/* SPDX-License-Identifier: ISC */
/*
 * client: wire dialled, stream given.  TCP in, websocket out; connect is the
 * same on standard input and output.
 */
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/log.h"
#include "os/signals.h"
#include "os/tls.h"
#include "run/carry.h"
#include "run/confine.h"
#include "run/modes.h"
#include "run/probe.h"
#include "run/route.h"
#include "run/settle.h"
#include "run/start.h"
#include "run/supervise.h"
#include "run/tls_keep.h"
#include "run/visitor.h"

/* What all connections share; made before the first fork. */
struct client {
	const struct options *o;
	struct tls_keep tls, proxy;
};

/*
 * Tickets of others are not this process's any more; and without a session it
 * will not have to show its own certificate again, nor ask for headers.
 */
static void
done_with_secrets(struct carry *c, const struct wire *w)
{
	tls_tickets_close(c->trust.server);
	tls_tickets_close(c->trust.proxy);
	if (w->has_extension && w->theirs.session[0] != '\0')
		return;
	wire_settled();
	if (w->io.tls != NULL && c->trust.server != NULL)
		tls_forget_keys(c->trust.server, w->io.tls);
}

/*
 * A process on its own can be ended by a signal in the usual way until there
 * is a tunnel to end.
 */
static int
serve_io(struct client *cl, struct io stream, const char *peer,
    int alone)
{
	static struct carry c;
	static struct visitor v;
	struct wire w;
	struct why why;
	int status;

	carry_begin(&c, cl->o, peer);
	c.trust = (struct trust){ cl->tls.ctx, cl->proxy.ctx };
	url_print(c.target, sizeof(c.target), &cl->o->url);
	visitor_begin(&v, peer);
	if (visitor_line(&v, cl->o, stream.rfd, clock_ms() +
	    cl->o->connect_timeout, &why) == -1) {
		io_reset(&stream);
		return carry_failed(&c, &why);
	}
	strlcpy(c.peer, v.peer, sizeof(c.peer));
	if (visitor_count(cl->o, c.peer, &why) == -1) {
		io_reset(&stream);
		return carry_failed(&c, &why);
	}
	if (cl->o->forward_peer)
		wire_forward(c.peer);
	carry_offer(&c);
	if (wire_dial(&w, cl->o, &c.trust, &c.ours, &status, &why) == -1) {
		io_reset(&stream);
		return carry_failed(&c, &why);
	}
	done_with_secrets(&c, &w);
	if (alone)
		signals_alone();
	if ((status = confine(cl->o)) != EXIT_ENDED) {
		io_reset(&stream);
		return status;
	}
	return carry_on(&c, stream, &w);
}

static int
serve(void *arg, int fd, const char *peer)
{
	return serve_io(arg, io_of(fd), peer, 0);
}

/*
 * Does the server take websockets?  One that can park has no need to dial its
 * target for this.
 */
static int
ready(void *arg, struct why *why)
{
	const struct client *cl = arg;
	struct options o = *cl->o;
	struct trust trust = { cl->tls.ctx, cl->proxy.ctx };
	struct extension offer = { .flags = EXT_PARK, .id = "ready",
	    .win = EXTENSION_WIN_DEFAULT };
	static struct probe probe;
	struct wire w;
	int status;

	o.verbose = 0;
	o.connect_timeout = o.handshake_timeout = SUPERVISE_READY_MS;
	if (wire_dial(&w, &o, &trust, &offer, &status, why) == -1)
		return -1;
	probe_begin(&probe, &w);
	probe_end(&probe, clock_ms() + 500);
	return 0;
}

static int
settled(void *arg)
{
	const struct client *cl = arg;

	return confine_prepare(cl->o, SANDBOX_REDIAL);
}

static void
reload(void *arg)
{
	struct client *cl = arg;

	tls_keep_refresh(&cl->tls, 1);
	tls_keep_refresh(&cl->proxy, 1);
	settled(cl);
}

static void
before(void *arg)
{
	struct client *cl = arg;

	tls_keep_refresh(&cl->tls, 0);
	tls_keep_refresh(&cl->proxy, 0);
}

/* The way to the URL must be one, and what TLS on it needs must be there. */
static int
prepare(struct client *cl, int tickets, struct why *why)
{
	static struct route r;

	memset(&cl->tls, 0, sizeof(cl->tls));
	memset(&cl->proxy, 0, sizeof(cl->proxy));
	if (route_find(&r, cl->o, &cl->o->url, why) == -1)
		return -1;
	if (cl->o->url.tls && tls_keep_begin(&cl->tls, cl->o, tls_keep_make,
	    tickets, why) == -1)
		return -1;
	return r.proxy.tls ? tls_keep_begin(&cl->proxy, cl->o,
	    tls_keep_make_proxy, tickets, why) : 0;
}

static int
run(const struct options *o, const struct addr *words, unsigned int n,
    enum log_level level)
{
	struct client cl;
	struct service service = { .arg = &cl, .serve = serve,
	    .ready = ready, .settled = settled, .reload = reload,
	    .before = before };
	struct activation a;
	struct why why;
	int status;

	status = start(&a, o, words, n, level);
	if (status != EXIT_ENDED)
		return status;
	cl.o = o;
	if (prepare(&cl, a.nlisteners > 0, &why) == -1)
		return start_failed(&why);
	if (a.nlisteners > 0)
		status = supervise(o, a.listener, a.nlisteners, &service);
	else if ((status = settle(o)) == EXIT_ENDED &&
	    (status = settled(&cl)) == EXIT_ENDED)
		status = serve_io(&cl, (struct io){ .rfd = a.rfd,
		    .wfd = a.wfd }, a.peer, 1);
	tls_keep_end(&cl.tls);
	tls_keep_end(&cl.proxy);
	return status;
}

int
client_main(const struct options *o)
{
	return run(o, o->listen, o->nlisten, LOG_L_INFO);
}

/* Said only if something is wrong: somebody is typing into this. */
int
connect_main(const struct options *o)
{
	struct addr stdio;

	memset(&stdio, 0, sizeof(stdio));
	stdio.kind = ADDR_STDIO;
	return run(o, &stdio, 1, LOG_L_WARN);
}
