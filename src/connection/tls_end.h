/* SPDX-License-Identifier: ISC */
/*
 * The TLS end of a resumed websocket.  TLS state cannot follow a connection to
 * another process, so the process that accepted the redial keeps the
 * connection, hands over one end of a socket pair instead, and moves bytes
 * between the two.  It does not look at them.  The same is done for a
 * connection that is two pipes, because only one descriptor can be handed over.
 */
#ifndef CONNECTION_TLS_END_H
#define CONNECTION_TLS_END_H

#include "net/io.h"

/*
 * Moves bytes between the connection and fd, our end of the pair, until either
 * has ended, and closes both.  An end of file is passed on as one, a reset as a
 * reset.  When the process that keeps the session has closed its end, what it
 * had written has half a second to leave; after TERM both sides have a second.
 */
void tls_end_run(struct io *connection, int fd);

#endif
