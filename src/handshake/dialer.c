/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "handshake/dialer.h"
#include "handshake/route.h"

int
dialler_begin(struct dialler *d, const struct options *o, int tickets,
    struct why *why)
{
	static struct route r;

	memset(d, 0, sizeof(*d));
	d->o = o;
	if (route_find(&r, o, &o->url, why) == -1)
		return -1;
	/*
	 * A redirect to TLS does not find the library behind a chroot(2).  If
	 * there is none at all, only who is redirected has to know.
	 */
	if (o->chroot != NULL)
		(void)tls_prepare(why);
	if (o->url.tls && tls_keep_begin(&d->tls, o, tls_keep_make, tickets,
	    why) == -1)
		return -1;
	return r.proxy.tls ? tls_keep_begin(&d->proxy, o,
	    tls_keep_make_proxy, tickets, why) : 0;
}

void
dialler_refresh(struct dialler *d, int always)
{
	tls_keep_refresh(&d->tls, always);
	tls_keep_refresh(&d->proxy, always);
}

struct trust *
dialler_trust(struct dialler *d)
{
	d->trust = (struct trust){ d->tls.ctx, d->proxy.ctx };
	return &d->trust;
}

void
dialler_end(struct dialler *d)
{
	if (d->tls.ctx == NULL)
		tls_ctx_free(d->trust.server);
	if (d->proxy.ctx == NULL)
		tls_ctx_free(d->trust.proxy);
	tls_keep_end(&d->tls);
	tls_keep_end(&d->proxy);
}
