/* SPDX-License-Identifier: ISC */
/*
 * The wire door: where the process that keeps a session can be handed a new
 * connection by the process that accepted it.  It is a Unix socket whose name
 * is a hash of the session id; on Linux an abstract one, which vanishes with
 * its process.  Both ends must have the same user id.
 */
#ifndef OS_DOOR_H
#define OS_DOOR_H

#include <stddef.h>
#include <stdint.h>

#include "handshake/peer.h"

#define DOOR_BYTES_MAX	32768	/* handed over along with a connection */

/* Opens the door of a session that this process keeps.  -1 with errno. */
int door_open(const char *session);

/* Removes what door_open() left in the file system, if anything. */
void door_close(int door, const char *session);

struct door_visit {
	int fd;			/* the connection; non-blocking */
	int receipt;		/* answer with door_receipt() */
	char user[PEER_USER_MAX];
	char *bytes;		/* in a static buffer */
	size_t len;
};

/*
 * Takes one visit.  0; or -1 if there was none, or it was not from our user
 * or incomplete, which the visitor sees.  Waits a second at the most.
 */
int door_answer(int door, struct door_visit *);

/* Says that the connection has been taken over, and forgets the visitor. */
void door_receipt(struct door_visit *);

/*
 * Hands a connection over to whoever keeps the session, with the bytes read
 * from it and the user it belongs to, and waits for the receipt until the
 * deadline.  0, the connection is no longer ours (close it); or -1 with errno:
 * ENOENT nobody keeps such a session.
 */
int door_hand_over(const char *session, int fd, const char *user,
    const char *bytes, size_t len, int64_t deadline);

#endif
