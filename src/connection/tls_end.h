/* SPDX-License-Identifier: ISC */
/*
 * The TLS end of a resumed websocket.  TLS state cannot follow a connection to
 * another process, so the process that accepted the redial keeps the
 * connection, hands over one end of a socket pair instead, and moves bytes
 * between the two.  It knows nothing of what they mean.  So it is with a
 * connection that is two pipes, as what is handed over is one descriptor.
 */
#ifndef CONNECTION_TLS_END_H
#define CONNECTION_TLS_END_H

#include "net/io.h"

/*
 * Moves bytes between the connection and fd, our end of the pair, until either has ended, and closes both.  An end of file is passed on as one, a
 * reset as a reset.  When the owner of the session has closed its end, what it
 * had written still has a few seconds to leave; when TERM comes, both have one.
 */
void tls_end_run(struct io *connection, int fd);

#endif
