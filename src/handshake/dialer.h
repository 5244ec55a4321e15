/* SPDX-License-Identifier: ISC */
/*
 * What all who dial o->url share: TLS towards the server and towards a proxy,
 * made before the first fork and anew when files change.
 */
#ifndef RUN_DIALLER_H
#define RUN_DIALLER_H

#include "handshake/tls_reload.h"
#include "handshake/websocket.h"

struct dialler {
	const struct options *o;
	struct tls_keep tls, proxy;
	struct trust trust;	/* their contexts, or what a redirect made */
};

/*
 * The way to the URL must be one, and what TLS on it needs must be there.
 * tickets: they are handed from process to process.  0, or -1 and why.
 */
int dialler_begin(struct dialler *, const struct options *, int tickets,
    struct why *);

/* In the supervisor, as tls_keep_refresh(). */
void dialler_refresh(struct dialler *, int always);

/* In the process that dials: by what, until dialler_end(). */
struct trust *dialler_trust(struct dialler *);

void dialler_end(struct dialler *);

#endif
