/* SPDX-License-Identifier: ISC */
/*
 * What agent and client have in common as services of a supervisor: their
 * children dial o->url.
 */
#ifndef MODES_DIALING_H
#define MODES_DIALING_H

#include "connection/connection.h"
#include "handshake/dialer.h"
#include "supervisor/supervisor.h"

#define DIALING_BYE_MS	1000	/* to end a websocket that is of no use */

/*
 * Sets arg to the dialer, and the functions of the service that keep its TLS
 * contexts up to date and prepare the sandbox.
 */
void dialing_service(struct service *, struct dialer *);

/*
 * Prepares the sandbox of processes that dial o->url, and again when websockets
 * are lost.  arg is a struct dialer.  GO_ON, or the status to exit with.
 */
int dialing_prepare(void *arg);

/*
 * Enters the sandbox with a websocket that is open.  If that fails, it is told of in
 * the log, and the websocket is closed, with Close.  GO_ON, or the status to exit
 * with.
 */
int dialing_enter(struct connection *, struct websocket *);

#endif
