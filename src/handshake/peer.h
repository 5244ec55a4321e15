/* SPDX-License-Identifier: ISC */
/*
 * Who is at the other end of an accepted connection: its true address, its
 * user, and whether it may be here.
 */
#ifndef RUN_VISITOR_H
#define RUN_VISITOR_H

#include <stddef.h>
#include <stdint.h>

#include "config/options.h"
#include "handshake/websocket.h"
#include "net/socket.h"
#include "tls/tls.h"
#include "ws/upgrade.h"

#define PEER_USER_MAX	128	/* bytes of a user name, with its NUL */

struct visitor {
	char peer[NET_NAME_MAX];	/* the true address, "" unknown */
	char user[PEER_USER_MAX];	/* "" unless somebody was checked */
	int trusted;			/* came by a --trusted-proxy */
	char subject[TLS_SUBJECT_MAX];	/* of the client's certificate */
};

/* peer is whom the connection itself is from. */
void visitor_begin(struct visitor *, const char *peer);

/*
 * --accept-proxy: reads the PROXY header off the connection, and not a byte
 * more.  0, or -1 and why (76, 75 at the deadline, 74 if the peer left).
 * Without the option nothing happens.
 */
int visitor_line(struct visitor *, const struct options *, int fd,
    int64_t deadline, struct why *);

/*
 * Address, Origin and authentication of a request.  0; or -1 and why: it has
 * been refused on the wire, which is closed.
 */
int visitor_check(struct visitor *, const struct options *, struct wire *,
    const struct upgrade_request *, int64_t deadline, struct why *);

/*
 * --max-per-source: 0 if there may be one more from where this peer is; from
 * now on it is counted.  -1 and why (75) if not.
 */
int visitor_count(const struct options *, const char *peer, struct why *);

/*
 * --send-proxy: tells a target on a fresh connection (fd) who the visitor is;
 * via is the address it came to.  0, or -1 and why (69).
 */
int visitor_tell(const struct options *, int fd, const char *peer,
    const char *via, struct why *);

#endif
