/* SPDX-License-Identifier: ISC */
/*
 * What all who dial o->url share: TLS towards the server and towards a proxy,
 * made before the first fork and anew when files change.
 */
#ifndef HANDSHAKE_DIALER_H
#define HANDSHAKE_DIALER_H

#include "handshake/tls_reload.h"
#include "handshake/websocket.h"

struct dialer {
	const struct options *o;
	struct tls_reload tls, proxy;
	int forks;		/* of dialer_begin() */
	struct trust trust;	/* their contexts, or what a redirect made */
};

/*
 * Can the URL be dialled, as far as its text tells, and are the programs there
 * that are asked for header fields?  0, or -1 and why (64).
 */
int dialer_check(const struct options *, struct error *);

/*
 * The same, and what the options say of TLS must be right, with ws:// too, as
 * a redirect may lead to wss://.  forks: as tls_reload_begin() has it.  0, or
 * -1 and why.
 */
int dialer_begin(struct dialer *, const struct options *, int forks,
    struct error *);

/* In the supervisor, as tls_reload_refresh() and tls_reload_load(). */
int dialer_refresh(struct dialer *, int always);
int dialer_load(struct dialer *);

/* In the process that dials: by what, until dialer_end(). */
struct trust *dialer_trust(struct dialer *);

void dialer_end(struct dialer *);

#endif
