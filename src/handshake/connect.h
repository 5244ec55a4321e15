/* SPDX-License-Identifier: ISC */
/*
 * Getting to a server: TCP, and what lies on top of it.  Each layer makes of
 * one end another one: TLS with a proxy, the proxy's tunnel, TLS with the
 * server.
 */
#ifndef HANDSHAKE_CONNECT_H
#define HANDSHAKE_CONNECT_H

#include "handshake/trace.h"
#include "handshake/websocket.h"

/*
 * Connects w->io to the server of url, and sets w->via, all within
 * --connect-timeout.  0, or -1 and why; w->io is the caller's to close.
 */
int connect_layers(struct websocket *, const struct options *,
    const struct url *, struct trust *, const struct trace *, struct error *);

#endif
