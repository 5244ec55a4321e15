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
 * Where sessions are looked up, as a token: a hash of the host's boot, the
 * network namespace and our user; "" if these are not known.  The first
 * function looks at them, while /proc can still be read.  The third is the
 * field line for answers that refuse, or "".
 */
void handoff_prepare(void);
const char *handoff_instance(void);
const char *handoff_instance_field(void);

/* Listens for a session that this process keeps.  -1 with errno. */
int handoff_listen(const char *session);

/* Removes what handoff_listen() left in the file system, if anything. */
void handoff_close(int listener, const char *session);

struct handoff_request {
	int fd;			/* the connection; non-blocking */
	int receipt;		/* answer with handoff_confirm() */
	char user[PEER_USER_MAX];
	char subject[TLS_SUBJECT_MAX];
	char via[NET_NAME_MAX];	/* where it comes from */
	const char *bytes;	/* read from it; in a static buffer */
	size_t len;
};

/*
 * Takes one hand-over.  0; or -1 if there was none, or it was not from our
 * user or incomplete, which its sender sees.  Waits a second at the most.
 */
int handoff_accept(int listener, struct handoff_request *);

/*
 * Confirms that the connection has been taken over.  0; or -1: its sender waits
 * no more and has ended it, and fd is closed.
 */
int handoff_confirm(struct handoff_request *);

/*
 * Hands a connection over to the process that keeps the session (all members
 * but receipt), and waits for the receipt until the deadline.  0, the
 * descriptor is no longer ours (close it); or -1 with errno: ENOENT: no process
 * keeps such a session; ECONNREFUSED: it cannot take this connection.
 */
int handoff_send(const char *session, const struct handoff_request *,
    int64_t deadline);

#endif
