/* SPDX-License-Identifier: ISC */
/*
 * The hand-off socket: where the process that keeps a session is handed a new
 * connection by the process that accepted it.  It is a Unix socket whose name
 * is a hash of the session id; on Linux an abstract one, which vanishes with
 * its process.  Both ends must have the same user id.
 */
#ifndef CONNECTION_HANDOFF_H
#define CONNECTION_HANDOFF_H

#include <stddef.h>
#include <stdint.h>

#include "handshake/peer.h"
#include "net/socket.h"

#define HANDOFF_BYTES_MAX	32768	/* handed over along with a connection */

/*
 * The instance is where a session can be found, as a token: a hash of the
 * host's boot, the network namespace and our user; "" if one of these is not
 * known.  handoff_prepare() reads them, and is to be called while /proc can
 * still be read.  handoff_instance_field() is the field line "Inetws-Instance" for
 * answers that refuse, or "".  Both strings are static.
 */
void handoff_prepare(void);
const char *handoff_instance(void);
const char *handoff_instance_field(void);

/* Listens for a session that this process keeps.  -1 with errno. */
int handoff_listen(const char *session);

/* Removes what handoff_listen() left in the file system, if anything. */
void handoff_close(int listener, const char *session);

/* One hand-over.  After handoff_accept() fd and receipt are the caller's. */
struct handoff_request {
	int fd;			/* the connection; non-blocking */
	int receipt;		/* answer with handoff_confirm() */
	char user[PEER_USER_MAX];
	char subject[TLS_SUBJECT_MAX];
	char via[NET_NAME_MAX];	/* where it comes from */
	const char *bytes;	/* read from it already; handoff_accept()'s
				 * are valid until it is called again */
	size_t len;
};

/*
 * Takes one hand-over.  Waits a second at most.  0; or -1 if there was none, or
 * if it was incomplete or from another user, which its sender is told by the
 * end of its connection.
 */
int handoff_accept(int listener, struct handoff_request *);

/*
 * Confirms that the connection has been taken over, and closes receipt.  0; or
 * -1 if its sender does not wait any more and has ended the connection; then fd
 * is closed, too.
 */
int handoff_confirm(struct handoff_request *);

/*
 * Hands a connection over to the process that keeps the session, and waits for
 * its receipt until the deadline (clock_ms()).  All members but receipt are to
 * be set.  0: the other process has the connection, and the caller closes its
 * own descriptor.  -1 with errno, the connection is still the caller's: ENOENT
 * if no process keeps such a session, ECONNREFUSED if that process cannot take
 * this connection.
 */
int handoff_send(const char *session, const struct handoff_request *,
    int64_t deadline);

#endif
