/* SPDX-License-Identifier: ISC */
/*
 * Who is at the other end of an accepted connection: its true address, its
 * user, and whether it may be here.
 */
#ifndef HANDSHAKE_PEER_H
#define HANDSHAKE_PEER_H

#include <stddef.h>
#include <stdint.h>

#include "config/options.h"
#include "handshake/websocket.h"
#include "net/socket.h"
#include "tls/tls.h"
#include "ws/upgrade.h"

#define PEER_USER_MAX	128	/* bytes of a user name, with its NUL */

struct peer {
	char peer[NET_NAME_MAX];	/* the true address, "" unknown */
	char user[PEER_USER_MAX];	/* "" without authentication */
	int trusted;			/* came by a --trusted-proxy */
	char subject[TLS_SUBJECT_MAX];	/* of the client's certificate */
};

/* peer is the other end of the connection itself. */
void peer_begin(struct peer *, const char *peer);

/*
 * --accept-proxy: reads the PROXY header off the connection, and not a byte
 * more.  0, or -1 and why (76, 75 at the deadline, 74 if the peer left).
 * Without the option nothing happens.
 */
int peer_proxy_header(struct peer *, const struct options *, int fd,
    int64_t deadline, struct error *);

/*
 * Address, Origin and authentication of a request.  0; or -1 and why: it has
 * been refused on the connection, which is closed.
 */
int peer_check(struct peer *, const struct options *, struct websocket *,
    const struct upgrade_request *, int64_t deadline, struct error *);

/*
 * --max-per-source: 0 if there may be one more from where this peer is; from
 * now on it is counted.  -1 and why (75) if not.
 */
int peer_count(const struct options *, const char *peer, struct error *);

/*
 * --send-proxy: tells a target on a fresh connection (fd) who the peer is;
 * via is the address it came to.  0, or -1 and why (69).
 */
int peer_tell_target(const struct options *, int fd, const char *peer,
    const char *via, struct error *);

#endif
