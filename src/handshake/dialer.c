/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>

#include "handshake/dialer.h"
#include "handshake/route.h"
#include "os/command.h"
#include "os/log.h"

/*
 * Is something said about TLS that may be wrong?  It is looked at at the start
 * then, though only a redirect may need it.
 */
static int
has_tls_options(const struct options *o)
{
	return o->service.chroot != NULL || o->tls.cacert != NULL ||
	    o->tls.capath != NULL || o->tls.pinnedpubkey != NULL ||
	    o->tls.peer_certs != NULL || o->tls.crlfile != NULL ||
	    o->tls.cert != NULL || o->tls.ciphers != NULL ||
	    o->tls.tls13_ciphers != NULL;
}

static int
look_for(const struct options *o, const char *option, char *const *command,
    struct error *why)
{
	if (command == NULL || o->service.chroot != NULL ||
	    command_exists(command[0]) == 0)
		return 0;
	return error_set(why, EXIT_BADUSAGE, "%s %s: %s", option, command[0],
	    strerror(errno));
}

static int
check(struct route *r, const struct options *o, struct error *why)
{
	if (route_check(r, o, &o->url, why) == -1 || look_for(o,
	    "--header-command", o->websocket.header_command, why) == -1)
		return -1;
	return look_for(o, "--proxy-header-command", o->proxy.header_command,
	    why);
}

int
dialer_check(const struct options *o, struct error *why)
{
	static struct route r;

	return check(&r, o, why);
}

/*
 * Makes one of the contexts if it is needed at once, or for a redirect, where
 * the sandbox lets a process read authorities only.  Without the library only
 * a process that is redirected has to fail.
 */
static int
begin_tls(struct dialer *d, struct tls_reload *k,
    struct tls_options (*options)(const struct options *), int is_needed,
    int may_be_wrong, struct error *why)
{
	struct error unused;

	if (k->ctx != NULL || (!is_needed && (!may_be_wrong ||
	    tls_prepare(&unused) == -1)))
		return 0;
	return tls_reload_begin(k, d->o, options, d->forks, why);
}

static int
begin(struct dialer *d, struct error *why)
{
	const struct options *o = d->o;
	static struct route r;

	if (check(&r, o, why) == -1 || begin_tls(d, &d->tls,
	    tls_reload_options, o->url.tls, has_tls_options(o), why) == -1)
		return -1;
	return begin_tls(d, &d->proxy, tls_reload_proxy_options, r.proxy.tls,
	    o->proxy.cacert != NULL, why);
}

int
dialer_begin(struct dialer *d, const struct options *o, int forks,
    struct error *why)
{
	memset(d, 0, sizeof(*d));
	d->o = o;
	d->forks = forks;
	if (begin(d, why) == 0)
		return 0;
	dialer_end(d);
	return -1;
}

/* New options may want TLS: else each child would make a context. */
static void
begin_late(struct dialer *d)
{
	struct error why;

	if (begin(d, &why) == 0)
		return;
	options_blame(d->o, &why);
	log_event(LOG_L_ERROR, "reload", "why", why.text, NULL);
}

int
dialer_refresh(struct dialer *d, int always)
{
	int server;

	if (always)
		begin_late(d);
	server = tls_reload_refresh(&d->tls, always);
	return tls_reload_refresh(&d->proxy, always) || server;
}

int
dialer_load(struct dialer *d)
{
	return tls_reload_load(&d->tls) || tls_reload_load(&d->proxy);
}

struct trust *
dialer_trust(struct dialer *d)
{
	/* Not written to if it is as it was: a child would copy the page. */
	if (d->trust.server != d->tls.ctx || d->trust.proxy != d->proxy.ctx)
		d->trust = (struct trust){ d->tls.ctx, d->proxy.ctx };
	return &d->trust;
}

void
dialer_end(struct dialer *d)
{
	if (d->tls.ctx == NULL)
		tls_ctx_free(d->trust.server);
	if (d->proxy.ctx == NULL)
		tls_ctx_free(d->trust.proxy);
	tls_reload_end(&d->tls);
	tls_reload_end(&d->proxy);
}
