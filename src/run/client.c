/* SPDX-License-Identifier: ISC */
/*
 * client: wire dialled, stream given.  TCP in, websocket out; connect is the
 * same on standard input and output.
 */
#include <string.h>
#include <unistd.h>

#include "os/activate.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/signals.h"
#include "os/tls.h"
#include "run/carry.h"
#include "run/modes.h"
#include "run/supervise.h"

/* What all connections share; made once, before the first fork. */
struct client {
	const struct options *o;
	struct tls_ctx *tls;
};

/*
 * A process on its own can be ended by a signal in the usual way until there
 * is a tunnel to end.
 */
static int
serve_io(const struct client *cl, struct io stream, const char *peer,
    int alone)
{
	static struct carry c;
	struct wire w;
	struct why why;
	int status;

	carry_begin(&c, cl->o, peer);
	c.tls = cl->tls;
	url_print(c.target, sizeof(c.target), &cl->o->url);
	carry_offer(&c);
	if (wire_dial(&w, cl->o, cl->tls, &c.ours, &status, &why) == -1) {
		io_reset(&stream);
		return carry_failed(&c, &why);
	}
	if (alone)
		signals_alone();
	return carry_on(&c, stream, &w);
}

static int
serve(void *arg, int fd, const char *peer)
{
	net_tune(fd);
	return serve_io(arg, io_of(fd), peer, 0);
}

static int
fail(const struct why *why)
{
	log_event(LOG_L_ERROR, "start", "why", why->text, NULL);
	return why->status;
}

/* A plain URL may be redirected to a secure one, but need not load trust. */
static int
prepare(struct client *cl, const struct options *o, struct why *why)
{
	struct tls_options t = { .cafile = o->cacert, .capath = o->capath,
	    .insecure = o->insecure };

	cl->o = o;
	cl->tls = NULL;
	if (o->url.tls && (cl->tls = tls_client_ctx(&t, why)) == NULL)
		return -1;
	return 0;
}

static int
run(const struct options *o, const struct addr *words, unsigned int n)
{
	struct client cl;
	struct service service = { .arg = &cl, .serve = serve };
	struct activation a;
	struct why why;

	if (activate(&a, words, n, &why) == -1)
		return fail(&why);
	activate_close_others(&a);
	if (prepare(&cl, o, &why) == -1)
		return fail(&why);
	if (a.nlisteners > 0)
		return supervise(o, a.listener, a.nlisteners, &service);
	return serve_io(&cl, (struct io){ .rfd = a.rfd, .wfd = a.wfd },
	    a.peer, 1);
}

int
client_main(const struct options *o)
{
	return run(o, o->listen, o->nlisten);
}

int
connect_main(const struct options *o)
{
	struct addr stdio;

	memset(&stdio, 0, sizeof(stdio));
	stdio.kind = ADDR_STDIO;
	return run(o, &stdio, 1);
}
