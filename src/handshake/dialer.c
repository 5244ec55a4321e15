/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "handshake/dialer.h"
#include "handshake/route.h"
#include "os/command.h"
#include "os/log.h"

int
dialer_reads_files(const struct options *o)
{
	return o->service.chroot != NULL || o->tls.peer_certs != NULL ||
	    o->tls.crlfile != NULL || o->tls.cert != NULL;
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

int
dialer_look(const char *option, const char *path, struct error *why)
{
	if (path == NULL || access(path, R_OK) == 0)
		return 0;
	return error_set(why, EXIT_BADUSAGE, "%s %s: %s", option, path,
	    strerror(errno));
}

int
dialer_check(const struct options *o, struct error *why)
{
	static struct route r;

	return route_check(&r, o, &o->url, why);
}

int
dialer_begin(struct dialer *d, const struct options *o, int forks,
    struct error *why)
{
	static struct route r;

	memset(d, 0, sizeof(*d));
	d->o = o;
	d->forks = forks;
	if (route_check(&r, o, &o->url, why) == -1)
		return -1;
	if (look_for(o, "--header-command", o->websocket.header_command,
	    why) == -1 || look_for(o, "--proxy-header-command",
	    o->proxy.header_command, why) == -1)
		return -1;
	if (dialer_look("--cacert", o->tls.cacert, why) == -1 ||
	    dialer_look("--capath", o->tls.capath, why) == -1 ||
	    dialer_look("--proxy-cacert", o->proxy.cacert, why) == -1)
		return -1;
	/* Without the library only a process that is redirected has to fail. */
	if (!o->url.tls && dialer_reads_files(o) && tls_prepare(why) == -1)
		return 0;
	if ((o->url.tls || dialer_reads_files(o)) && tls_reload_begin(&d->tls,
	    o, tls_reload_options, forks, why) == -1)
		return -1;
	if (!r.proxy.tls || tls_reload_begin(&d->proxy, o,
	    tls_reload_proxy_options, forks, why) == 0)
		return 0;
	dialer_end(d);
	return -1;
}

/* The URL has become one with TLS: else each child would make a context. */
static void
begin_late(struct dialer *d)
{
	struct error why;

	if (!d->o->url.tls || d->tls.ctx != NULL || tls_reload_begin(&d->tls,
	    d->o, tls_reload_options, d->forks, &why) == 0)
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
